"""ecs-deploy (PyPI): a new revision, a failed one that it takes back, scaling, one-off tasks."""

import json

import pytest
from ecs_lab import until

SERVE = "import time; time.sleep(600)"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ecs(install, run):
    program = install("ecs-deploy", "ecs-deploy") / "ecs"
    return lambda *words, **options: run(program, *words, **options)


@pytest.fixture(scope="module")
def service(lab):
    lab.ecs.create_service(
        cluster="test",
        serviceName="deployed",
        taskDefinition=lab.register(SERVE, family="deployed"),
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=lab.network,
    )
    lab.ecs.get_waiter("services_stable").wait(
        cluster="test", services=["deployed"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    yield "deployed"
    lab.ecs.delete_service(cluster="test", service="deployed", force=True)


def definition_of(lab, service):
    described = lab.ecs.describe_services(cluster="test", services=[service])["services"][0]
    found = lab.ecs.describe_task_definition(taskDefinition=described["taskDefinition"])
    return found["taskDefinition"]


def test_deploy_a_new_revision(ecs, lab, service):
    before = definition_of(lab, service)
    said = ecs("deploy", "test", service, "-e", "main", "COLOUR", "blue", "--timeout", "60")
    assert "Deployment successful" in said
    after = definition_of(lab, service)
    assert after["revision"] == before["revision"] + 1
    environment = after["containerDefinitions"][0]["environment"]
    assert environment == [{"name": "COLOUR", "value": "blue"}]
    tasks = lab.ecs.list_tasks(cluster="test", serviceName=service)["taskArns"]
    running = lab.ecs.describe_tasks(cluster="test", tasks=tasks)["tasks"]
    assert {task["taskDefinitionArn"] for task in running} == {after["taskDefinitionArn"]}


def test_a_failed_deployment_is_taken_back(ecs, lab, service):
    good = definition_of(lab, service)
    wrong = json.dumps(["raise SystemExit(1)"])
    said = ecs(
        *("deploy", "test", service, "-c", "main", wrong, "--rollback", "--timeout", "8"),
        fails=True,
    )
    assert "Rolling back to task definition" in said
    until(
        lambda: (
            definition_of(lab, service)["containerDefinitions"][0]["command"]
            == good["containerDefinitions"][0]["command"]
        )
    )
    tasks = lab.ecs.list_tasks(cluster="test", serviceName=service)["taskArns"]
    assert any(lab.task(arn)["lastStatus"] == "RUNNING" for arn in tasks)


def test_scale_and_run(ecs, lab, service):
    said = ecs("scale", "test", service, "2", "--timeout", "60")
    assert "Scaling successful" in said
    lab.register("print('once')", family="once")
    wanted = lab.network["awsvpcConfiguration"]
    group = lab.client("ec2").describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    said = ecs(
        *("run", "test", "once", "--launchtype", "FARGATE", "--subnet", wanted["subnets"][0]),
        *("--securitygroup", group[0]["GroupId"], "--public-ip"),
    )
    assert "Successfully started 1 instances" in said
