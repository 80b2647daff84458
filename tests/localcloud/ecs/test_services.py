"""Services: the desired count, replacement, rolling deployments, back-off, deletion."""

import json
import time

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, TRUST, until

from localcloud.ecs import deployments, reconciler

SERVE = "import time\nprint('v{}')\nwhile True: time.sleep(1)"
FAST = {"Delay": 1, "MaxAttempts": 25}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(deployments, "STEADY_SECONDS", 0.6)
    monkeypatch.setattr(reconciler, "FIRST_DELAY_SECONDS", 0.3)


@pytest.fixture
def make(lab):
    """Creates services and deletes them after the test."""
    made = []

    def create(name, definition, **more):
        answer = lab.ecs.create_service(
            cluster="test",
            serviceName=name,
            taskDefinition=definition,
            **{"launchType": "FARGATE", "networkConfiguration": NETWORK, **more},
        )
        made.append(name)
        return answer["service"]

    yield create
    for name in made:
        state = describe(lab, name)
        if state["status"] == "ACTIVE":
            lab.ecs.delete_service(cluster="test", service=name, force=True)
    for name in made:
        until(lambda name=name: describe(lab, name)["status"] == "INACTIVE")


def describe(lab, name):
    return lab.ecs.describe_services(cluster="test", services=[name])["services"][0]


def running(lab, name):
    return lab.ecs.list_tasks(cluster="test", serviceName=name)["taskArns"]


def said(lab, name):
    return [event["message"] for event in describe(lab, name)["events"]]


def test_a_service_becomes_stable_and_replaces_a_dead_task(lab, make):
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    made = make("web", lab.register(code, family="web"), desiredCount=2)
    assert made["status"] == "ACTIVE"
    assert made["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    lab.ecs.get_waiter("services_stable").wait(cluster="test", services=["web"], WaiterConfig=FAST)
    until(lambda: describe(lab, "web")["deployments"][0]["rolloutState"] == "COMPLETED")
    service = describe(lab, "web")
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert said(lab, "web")[0] == "(service web) has reached a steady state."
    first = running(lab, "web")
    task = lab.task(first[0])
    assert task["group"] == "service:web"
    assert task["startedBy"] == service["deployments"][0]["id"]
    lab.ecs.stop_task(cluster="test", task=first[0], reason="killed by hand")
    until(lambda: len(set(running(lab, "web")) - set(first)) == 1)
    until(lambda: describe(lab, "web")["runningCount"] == 2)
    assert lab.wait(first[0])["stoppedReason"] == "killed by hand"


def test_scaling_out_and_in(lab, make):
    make("scaled", lab.register(SERVE, family="scaled"), desiredCount=1)
    lab.ecs.update_service(cluster="test", service="scaled", desiredCount=3)
    until(lambda: describe(lab, "scaled")["runningCount"] == 3)
    lab.ecs.update_service(cluster="test", service="scaled", desiredCount=0)
    until(lambda: describe(lab, "scaled")["runningCount"] == 0)
    stopped = lab.ecs.list_tasks(cluster="test", serviceName="scaled", desiredStatus="STOPPED")
    task = lab.wait(stopped["taskArns"][0])
    assert task["stopCode"] == "ServiceSchedulerInitiated"
    assert task["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")


def test_a_rolling_deployment_never_falls_below_the_minimum(lab, make):
    make("rolled", lab.register(SERVE.format(1), family="rolled"), desiredCount=1)
    until(lambda: describe(lab, "rolled")["deployments"][0]["rolloutState"] == "COMPLETED")
    (old,) = running(lab, "rolled")
    second = lab.register(SERVE.format(2), family="rolled")
    lab.ecs.update_service(cluster="test", service="rolled", taskDefinition=second)
    assert [d["status"] for d in describe(lab, "rolled")["deployments"]] == ["PRIMARY", "ACTIVE"]
    lowest = 9

    def done():
        nonlocal lowest
        found = running(lab, "rolled")
        tasks = lab.ecs.describe_tasks(cluster="test", tasks=found)["tasks"]
        lowest = min(lowest, sum(task["lastStatus"] == "RUNNING" for task in tasks))
        deployments = describe(lab, "rolled")["deployments"]
        return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    until(done)
    assert lowest == 1
    (new,) = running(lab, "rolled")
    assert new != old
    assert lab.task(new)["taskDefinitionArn"] == second


def test_a_crashing_deployment_keeps_the_old_tasks_and_backs_off(lab, make):
    make("crash", lab.register(SERVE, family="crash"), desiredCount=1)
    until(lambda: describe(lab, "crash")["deployments"][0]["rolloutState"] == "COMPLETED")
    (old,) = running(lab, "crash")
    bad = lab.register("raise SystemExit(1)", family="crash")
    lab.ecs.update_service(cluster="test", service="crash", taskDefinition=bad)
    time.sleep(2)
    service = describe(lab, "crash")
    assert 1 <= service["deployments"][0]["failedTasks"] <= 4
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert lab.task(old)["lastStatus"] == "RUNNING"


def test_the_circuit_breaker_rolls_back(lab, make):
    good = lab.register(SERVE, family="breaker")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    make("breaker", good, desiredCount=1, deploymentConfiguration=breaker)
    until(lambda: describe(lab, "breaker")["deployments"][0]["rolloutState"] == "COMPLETED")
    bad = lab.register("raise SystemExit(1)", family="breaker")
    lab.ecs.update_service(cluster="test", service="breaker", taskDefinition=bad)
    until(lambda: any("rolling back" in message for message in said(lab, "breaker")))
    until(lambda: len(describe(lab, "breaker")["deployments"]) == 1)
    assert describe(lab, "breaker")["taskDefinition"] == good
    assert lab.task(running(lab, "breaker")[0])["lastStatus"] == "RUNNING"


def test_force_new_deployment_replaces_tasks(lab, make):
    make("forced", lab.register(SERVE, family="forced"), desiredCount=1)
    until(lambda: describe(lab, "forced")["runningCount"] == 1)
    (old,) = running(lab, "forced")
    lab.ecs.update_service(cluster="test", service="forced", forceNewDeployment=True)
    until(lambda: old not in running(lab, "forced"))


def test_a_service_that_cannot_launch_says_why(lab, make):
    lab.client("iam").create_role(RoleName="short", AssumeRolePolicyDocument=json.dumps(TRUST))
    definition = lab.register(SERVE, family="launch", taskRoleArn=lab.role("short"))
    lab.client("iam").delete_role(RoleName="short")
    make("launch", definition)
    until(lambda: any("was unable to assume the role" in m for m in said(lab, "launch")))
    assert len(said(lab, "launch")) < 10


def test_delete(lab, make):
    make("deleted", lab.register(SERVE, family="deleted"))
    until(lambda: describe(lab, "deleted")["runningCount"] == 1)
    with pytest.raises(ClientError, match="cannot be stopped while it is scaled above 0"):
        lab.ecs.delete_service(cluster="test", service="deleted")
    answer = lab.ecs.delete_service(cluster="test", service="deleted", force=True)
    assert answer["service"]["status"] == "DRAINING"
    lab.ecs.get_waiter("services_inactive").wait(
        cluster="test", services=["deleted"], WaiterConfig=FAST
    )
    with pytest.raises(lab.ecs.exceptions.ServiceNotActiveException):
        lab.ecs.update_service(cluster="test", service="deleted", desiredCount=1)
    listed = lab.ecs.list_services(cluster="test")["serviceArns"]
    assert not any(arn.endswith("/deleted") for arn in listed)
    make("deleted", lab.register(SERVE, family="deleted"), desiredCount=0)


def test_tags_go_to_tasks_when_asked(lab, make):
    tags = [{"key": "team", "value": "data"}]
    make("tagged", lab.register(SERVE, family="tagged"), tags=tags, propagateTags="SERVICE")
    until(lambda: running(lab, "tagged"))
    assert lab.task(running(lab, "tagged")[0])["tags"] == tags


BAD = [
    ({"serviceName": "a b"}, "InvalidParameterException", "service name"),
    ({"taskDefinition": "no-such"}, "ClientException", "TaskDefinition not found."),
    ({"cluster": "no-such"}, "ClusterNotFoundException", "Cluster not found."),
    ({"desiredCount": -1}, "InvalidParameterException", "desiredCount"),
    ({"launchType": "EXTERNAL"}, "UnsupportedFeatureException", "launch type EXTERNAL"),
    ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be"),
    ({"schedulingStrategy": "DAEMON"}, "InvalidParameterException", "DAEMON"),
    (
        {"loadBalancers": [{"targetGroupArn": "x"}]},
        "InvalidParameterException",
        "target group does not exist",
    ),
    (
        {"deploymentController": {"type": "CODE_DEPLOY"}},
        "UnsupportedFeatureException",
        "deployment controllers",
    ),
    (
        {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}},
        "InvalidParameterException",
        "maximumPercent",
    ),
]


@pytest.mark.parametrize(("change", "code", "words"), BAD)
def test_bad_create_service(lab, change, code, words):
    request = {
        "cluster": "test",
        "serviceName": "bad",
        "taskDefinition": lab.register(family="bad-service"),
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        **change,
    }
    with pytest.raises(ClientError) as caught:
        lab.ecs.create_service(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]


def test_a_taken_name_and_unknown_services(lab, make):
    definition = lab.register(SERVE, family="taken")
    make("taken", definition, desiredCount=0)
    with pytest.raises(ClientError, match="Creation of service was not idempotent"):
        make("taken", definition)
    for call in (lab.ecs.update_service, lab.ecs.delete_service):
        with pytest.raises(lab.ecs.exceptions.ServiceNotFoundException):
            call(cluster="test", service="nothing")
    with pytest.raises(lab.ecs.exceptions.ServiceNotFoundException):
        lab.ecs.list_tasks(cluster="test", serviceName="nothing")
    answer = lab.ecs.describe_services(cluster="test", services=["nothing"])
    assert answer["failures"][0]["reason"] == "MISSING"
