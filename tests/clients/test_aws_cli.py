"""The AWS CLI, as its users type it."""

import json

import pytest

SERVE = "import time; time.sleep(600)"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def aws(install, run):
    program = install("aws-cli", "awscli") / "aws"

    def call(*words, **options):
        said = run(program, *words, "--output", "json", **options)
        return said if options.get("fails") or not said.strip() else json.loads(said)

    return call


def test_a_task_from_its_definition_to_its_log(aws, lab, tmp_path):
    document = tmp_path / "task.json"
    document.write_text(json.dumps(lab.definition("print('hello from the CLI')", family="by-cli")))
    made = aws("ecs", "register-task-definition", "--cli-input-json", f"file://{document}")
    assert made["taskDefinition"]["revision"] == 1
    aws("ecs", "create-cluster", "--cluster-name", "by-cli", "--tags", "key=a,value=b")
    network = json.dumps(lab.network)
    started = aws(
        *("ecs", "run-task", "--cluster", "by-cli", "--task-definition", "by-cli"),
        *("--launch-type", "FARGATE", "--network-configuration", network),
    )
    arn = started["tasks"][0]["taskArn"]
    aws("ecs", "wait", "tasks-stopped", "--cluster", "by-cli", "--tasks", arn)
    query = "tasks[0].containers[0].exitCode"
    described = ("ecs", "describe-tasks", "--cluster", "by-cli", "--tasks", arn)
    assert aws(*described, "--query", query) == 0
    stream = f"t/main/{arn.rsplit('/', 1)[1]}"
    log = ("logs", "get-log-events", "--log-group-name", "/test", "--log-stream-name", stream)
    assert aws(*log, "--query", "events[].message") == ["hello from the CLI"]


def test_a_service_from_its_creation_to_its_end(aws, lab):
    lab.register(SERVE, family="cli-service")
    here = ("--cluster", "test")
    aws(
        *("ecs", "create-service", *here, "--service-name", "cli-service"),
        *("--task-definition", "cli-service", "--desired-count", "1"),
        *("--launch-type", "FARGATE", "--network-configuration", json.dumps(lab.network)),
    )
    aws("ecs", "wait", "services-stable", *here, "--services", "cli-service")
    aws("ecs", "update-service", *here, "--service", "cli-service", "--desired-count", "2")
    aws("ecs", "wait", "services-stable", *here, "--services", "cli-service")
    listed = aws("ecs", "list-tasks", *here, "--service-name", "cli-service")["taskArns"]
    assert len(listed) == 2
    found = aws("ecs", "list-service-deployments", *here, "--service", "cli-service")
    assert len(found["serviceDeployments"]) == 1
    aws("ecs", "delete-service", *here, "--service", "cli-service", "--force")
    aws("ecs", "wait", "services-inactive", *here, "--services", "cli-service")


def test_errors_read_as_on_aws(aws):
    said = aws("ecs", "describe-services", "--cluster", "nothing", "--services", "x", fails=True)
    assert "(ClusterNotFoundException) when calling the DescribeServices operation" in said
    assert "Cluster not found." in said


def test_pages_are_put_together(aws, lab):
    for _ in range(5):
        lab.register(family="cli-pages")
    listed = aws(
        *("ecs", "list-task-definitions", "--family-prefix", "cli-pages", "--page-size", "2")
    )
    assert len(listed["taskDefinitionArns"]) == 5
