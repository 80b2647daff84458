"""A local cloud in this process: moto's application with our ECS, on a free loopback port."""

import contextlib
import hashlib
import json
import socket
import threading
import time
from pathlib import Path

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localcloud.ecs import Ecs
from localcloud.home import Home
from localcloud.http import make_server

ACCOUNT, REGION = "123456789012", "us-east-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
EVERYTHING_AN_AGENT_NEEDS = [
    "ecr:*",
    "logs:*",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameters",
]
# The default VPC's subnets, filled in by Lab.set_up: all labs of this process share moto's EC2.
SUBNETS: list[str] = []
NETWORK = {"awsvpcConfiguration": {"subnets": SUBNETS, "assignPublicIp": "ENABLED"}}
PRIVATE = {"awsvpcConfiguration": {"subnets": SUBNETS}}
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def client(service: str, endpoint: str):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="drydock",
        aws_secret_access_key="drydock",
        config=Config(proxies={}, retries={"max_attempts": 0}),
    )


@contextlib.contextmanager
def serving(path: Path):
    """Yields the Ecs object while its server answers."""
    app = DomainDispatcherApplication(create_backend_app)
    holder = {}
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = make_server(listening, lambda environ, start: holder["app"](environ, start))
    ecs = Ecs(Home(path), f"http://127.0.0.1:{server.port}")
    ecs.register()
    holder["app"] = ecs.wsgi(app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    ecs.start()
    try:
        yield ecs
    finally:
        ecs.stop()
        server.shutdown()
        server.server_close()
        thread.join()


class Lab:
    """What tests do again and again, in boto3."""

    def __init__(self, ecs: Ecs, folder: Path):
        self.server, self.folder = ecs, folder
        self.ecs = client("ecs", ecs.endpoint)
        self.logs = client("logs", ecs.endpoint)
        self.client = lambda service: client(service, ecs.endpoint)

    def set_up(self):
        found = self.client("ec2").describe_subnets()["Subnets"]
        subnets = sorted(s["SubnetId"] for s in found if s["DefaultForAz"])[:1]
        self.network = {
            "awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"},
        }
        if isinstance(self.server, Ecs):
            SUBNETS[:] = subnets
        self.make_role("execution", EVERYTHING_AN_AGENT_NEEDS)
        self.make_role("task")
        with contextlib.suppress(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_group(logGroupName="/test")
        self.ecs.create_cluster(clusterName="test")
        self.image = self.build("app", 'FROM x\nENTRYPOINT ["python", "-c"]\nCMD ["print(1)"]\n')
        return self

    def role(self, name: str) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def make_role(self, name: str, actions: list[str] = (), resource: str | list = "*") -> str:
        """A role for tasks that may do these actions; its ARN. One that exists is changed."""
        iam = self.client("iam")
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        if actions:
            allow = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
            document = {"Version": "2012-10-17", "Statement": [allow]}
            iam.put_role_policy(
                RoleName=name, PolicyName="may", PolicyDocument=json.dumps(document)
            )
        return self.role(name)

    def build(self, name: str, dockerfile: str) -> str:
        """Put an image of a folder with this Dockerfile into ECR; its URI."""
        context = self.folder / "images" / name
        context.mkdir(parents=True, exist_ok=True)
        (context / "Dockerfile").write_text(dockerfile)
        ecr = self.client("ecr")
        with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=f"test/{name}")
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": "sha256:" + hashlib.sha256(dockerfile.encode()).hexdigest(),
                "size": 2,
            },
            "layers": [],
            "annotations": {"dev.drydock.context": str(context)},
        }
        with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(
                repositoryName=f"test/{name}",
                imageTag="1",
                imageManifest=json.dumps(manifest),
                imageManifestMediaType=MANIFEST_TYPE,
            )
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/test/{name}:1"

    def definition(self, code: str = "print('hello')", family: str = "app", **changes) -> dict:
        """A request for RegisterTaskDefinition that runs Python ``code``."""
        container = {
            "name": "main",
            "image": self.image,
            "command": [code],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/test",
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": "t",
                },
            },
            **changes.pop("container", {}),
        }
        return {
            "family": family,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": self.role("execution"),
            "taskRoleArn": self.role("task"),
            "containerDefinitions": [container],
            **changes,
        }

    def register(self, code: str = "print('hello')", **changes) -> str:
        answer = self.ecs.register_task_definition(**self.definition(code, **changes))
        return answer["taskDefinition"]["taskDefinitionArn"]

    def run(self, definition: str, **more) -> list[str]:
        answer = self.ecs.run_task(
            cluster="test",
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **more,
        )
        assert answer["failures"] == []
        return [task["taskArn"] for task in answer["tasks"]]

    def task(self, arn: str) -> dict:
        found = self.ecs.describe_tasks(cluster="test", tasks=[arn], include=["TAGS"])
        return found["tasks"][0]

    def wait(self, arn: str, status: str = "STOPPED", seconds: float = 20) -> dict:
        return until(
            lambda: (t := self.task(arn))["lastStatus"] in (status, "STOPPED") and t, seconds
        )

    def result(self, code: str, family: str = "app", run=None, **changes) -> dict:
        """Register, run and wait for STOPPED."""
        (arn,) = self.run(self.register(code, family=family, **changes), **(run or {}))
        return self.wait(arn)

    def lines(self, task: dict, container: str = "main") -> list[str]:
        name = f"t/{container}/{task['taskArn'].rsplit('/', 1)[1]}"
        found, token = [], {}
        while True:
            page = self.logs.get_log_events(
                logGroupName="/test", logStreamName=name, startFromHead=True, **token
            )
            if not page["events"]:
                return found
            found += [event["message"] for event in page["events"]]
            token = {"nextToken": page["nextForwardToken"]}


def until(condition, seconds: float = 20):
    """Poll until the condition is true; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")
