"""What tests of tasks in containers do again and again, in boto3."""

import json
from pathlib import Path

from live import wait_for

from drydock import images
from drydock.lab import Lab
from drydock.pipeline import roles

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DOCKERFILE = """\
ARG BASE
FROM ${BASE}
WORKDIR /work
RUN useradd --system --no-create-home worker && mkdir /data && chown worker /data
VOLUME /data
USER worker
ENV GREETING="from the image" KEPT=yes
ENTRYPOINT ["python3", "-u", "-c"]
CMD ["print('from CMD')"]
"""


class TasksLab:
    """Tasks of Python code in an image of the tests' own."""

    def __init__(self, lab: Lab, folder: Path):
        self.lab, self.folder, self.client = lab, folder, lab.client
        self.ecs, self.logs = lab.client("ecs"), lab.client("logs")

    def set_up(self) -> "TasksLab":
        (self.folder / "Dockerfile").write_text(DOCKERFILE)
        self.image = images.build(self.lab, "test/app", self.folder)
        self.ecs.create_cluster(clusterName="test")
        self.logs.create_log_group(logGroupName="/test")
        allowed = {"secrets": roles.read_secret_policy("*")}
        self.execution = roles.create_execution_role(self.lab, "execution", allowed)
        self.task_role = roles._role(self.client("iam"), "task", {})
        return self

    def container(self, code: str | None, name: str = "main", **changes) -> dict:
        return {
            "name": name,
            "image": self.image,
            "stopTimeout": 2,
            **({"command": [code]} if code else {}),
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/test",
                    "awslogs-region": "us-east-1",
                    "awslogs-stream-prefix": "t",
                },
            },
            **changes,
        }

    def start(self, *containers: dict, network: dict | None = None, **changes) -> str:
        definition = self.ecs.register_task_definition(
            **{
                "family": "test",
                "requiresCompatibilities": ["FARGATE"],
                "networkMode": "awsvpc",
                "cpu": "256",
                "memory": "512",
                "executionRoleArn": self.execution,
                "taskRoleArn": self.task_role,
                "containerDefinitions": list(containers),
                **changes,
            }
        )["taskDefinition"]["taskDefinitionArn"]
        answer = self.ecs.run_task(
            cluster="test",
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=network or self.lab.network(),
        )
        assert answer["failures"] == []
        return answer["tasks"][0]["taskArn"]

    def run(self, *containers: dict, **changes) -> dict:
        """Start it and wait for STOPPED."""
        return self.wait(self.start(*containers, **changes))

    def task(self, arn: str) -> dict:
        return self.ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]

    def wait(self, arn: str, status: str = "STOPPED") -> dict:
        return wait_for(
            lambda: (t := self.task(arn))["lastStatus"] in (status, "STOPPED") and t, status, 90
        )

    def lines(self, task: dict, container: str = "main") -> list[str]:
        name = f"t/{container}/{task['taskArn'].rsplit('/', 1)[1]}"
        events = self.logs.get_log_events(
            logGroupName="/test", logStreamName=name, startFromHead=True
        )["events"]
        return [event["message"] for event in events]

    def secret(self, name: str, value: object) -> str:
        manager = self.client("secretsmanager")
        return manager.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]


def exit_codes(task: dict) -> dict[str, int | None]:
    return {container["name"]: container.get("exitCode") for container in task["containers"]}
