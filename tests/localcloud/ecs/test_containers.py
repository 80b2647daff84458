"""Tasks of several containers: dependencies and health checks."""

import sys

import pytest
from ecs_lab import NETWORK, until


def several(lab, family, *containers):
    """Registers a definition of containers given as (name, code, changes)."""
    definition = lab.definition(family=family)
    model = definition["containerDefinitions"][0]
    definition["containerDefinitions"] = [
        {**model, "name": name, "command": [code], **changes} for name, code, changes in containers
    ]
    return lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]


def after(name, condition):
    return {"dependsOn": [{"containerName": name, "condition": condition}]}


HELPER = {"essential": False}
SLEEP = "import time; time.sleep(600)"


def codes(task):
    return {container["name"]: container.get("exitCode") for container in task["containers"]}


@pytest.mark.parametrize("condition", ["SUCCESS", "COMPLETE"])
def test_a_container_waits_for_another_to_end(lab, condition):
    arn = several(
        lab,
        "order",
        ("main", "import time; print(time.time())", after("first", condition)),
        ("first", "import time; time.sleep(0.4); print(time.time())", HELPER),
    )
    task = lab.wait(lab.run(arn)[0])
    assert codes(task) == {"main": 0, "first": 0}
    assert float(lab.lines(task, "first")[0]) < float(lab.lines(task, "main")[0])


def test_complete_accepts_a_failure_and_success_does_not(lab):
    first = ("first", "raise SystemExit(4)", HELPER)
    arn = several(lab, "failing", ("main", "pass", after("first", "COMPLETE")), first)
    assert codes(lab.wait(lab.run(arn)[0])) == {"main": 0, "first": 4}
    arn = several(lab, "failing", ("main", "pass", after("first", "SUCCESS")), first)
    task = lab.wait(lab.run(arn)[0])
    assert task["stopCode"] == "TaskFailedToStart"
    assert "first exited with code 4" in task["stoppedReason"]
    assert codes(task) == {"main": None, "first": 4}


def test_a_task_is_pending_until_its_dependencies_are_met_and_can_be_stopped(lab):
    arn = several(
        lab, "stuck", ("main", "pass", after("first", "SUCCESS")), ("first", SLEEP, HELPER)
    )
    (task,) = lab.run(arn)
    until(lambda: lab.task(task)["containers"][1]["lastStatus"] == "RUNNING")
    assert lab.task(task)["lastStatus"] == "PENDING"
    lab.ecs.stop_task(cluster="test", task=task)
    assert codes(lab.wait(task)) == {"main": None, "first": 143}


@pytest.fixture
def quick_checks(monkeypatch):
    """ECS's shortest interval is 5 s."""
    from localcloud.ecs import health

    real = health.watch
    monkeypatch.setattr(
        health, "watch", lambda check, *rest: real({**check, "interval": 0.1}, *rest)
    )


def check(command, **more):
    return {"healthCheck": {"command": command, "interval": 5, "retries": 2, **more}}


def test_healthy(lab, quick_checks):
    command = ["CMD", sys.executable, "-c", "import os; os.environ['HOST']"]
    arn = several(
        lab,
        "healthy",
        ("main", "print('started')", after("server", "HEALTHY")),
        ("server", SLEEP, {**HELPER, **check(command)}),
    )
    task = lab.wait(lab.run(arn)[0])
    assert codes(task) == {"main": 0, "server": 143}
    assert task["containers"][1]["healthStatus"] == "HEALTHY"


def test_unhealthy_and_checks_that_hang(lab, quick_checks, monkeypatch):
    for command in (["CMD-SHELL", "exit 1"], ["CMD", "no-such"], ["CMD-SHELL", "sleep 60"]):
        arn = several(lab, "sick", ("main", SLEEP, check(command, timeout=2)))
        (task,) = lab.run(arn)
        until(lambda task=task: lab.task(task)["healthStatus"] == "UNHEALTHY")
        assert lab.task(task)["lastStatus"] == "RUNNING"
        lab.ecs.stop_task(cluster="test", task=task)


def test_a_start_period_forgives(lab, quick_checks):
    arn = several(lab, "slow", ("main", SLEEP, check(["CMD-SHELL", "exit 1"], startPeriod=300)))
    (task,) = lab.run(arn)
    lab.wait(task, "RUNNING")
    import time

    time.sleep(1)
    assert lab.task(task)["healthStatus"] == "UNKNOWN"
    lab.ecs.stop_task(cluster="test", task=task)


def test_a_service_replaces_an_unhealthy_task(lab, quick_checks, tmp_path):
    sick = tmp_path / "sick"
    arn = several(lab, "cured", ("main", SLEEP, check(["CMD-SHELL", f"! test -e {sick}"])))
    lab.ecs.create_service(
        cluster="test",
        serviceName="cured",
        taskDefinition=arn,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    service = lambda: lab.ecs.describe_services(cluster="test", services=["cured"])["services"][0]  # noqa: E731
    until(lambda: service()["deployments"][0]["rolloutState"] == "COMPLETED")
    (first,) = lab.ecs.list_tasks(cluster="test", serviceName="cured")["taskArns"]
    sick.touch()
    task = lab.wait(first)
    sick.unlink()
    assert task["stoppedReason"] == "Task failed container health checks"
    until(lambda: service()["runningCount"] == 1)
    lab.ecs.delete_service(cluster="test", service="cured", force=True)


def test_volumes_from_another_container_are_refused_when_the_task_starts(lab):
    definition = lab.definition(family="volume")
    borrowed = [{"sourceContainer": "main", "readOnly": True}]
    definition["containerDefinitions"][0]["volumesFrom"] = borrowed
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    task = lab.wait(lab.run(arn)[0])
    assert "volumesFrom cannot be honoured without a container engine" in task["stoppedReason"]
