"""Many tasks: the queue, and what it costs to ask about them."""

import copy
import json
import os
import threading
import time

import pytest
from botocore.exceptions import ClientError
from ecs_lab import Lab, serving, until
from moto.sts.models import sts_backends

from localcloud.ecs import responses
from localcloud.ecs.models import KEEP_STOPPED_SECONDS, State
from localcloud.ecs.plane import open_state
from localcloud.ecs.scheduler import host_vcpu
from localcloud.home import Home


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A server of its own on a machine of one vCPU."""
    monkeypatch.setenv("DRYDOCK_HOST_VCPU", "1")
    with serving(tmp_path / "home") as ecs:
        yield Lab(ecs, tmp_path).set_up()


def statuses(lab, arns):
    tasks = lab.ecs.describe_tasks(cluster="test", tasks=arns)["tasks"]
    return [task["lastStatus"] for task in tasks]


def test_tasks_wait_in_order_for_cpu(small):
    definition = small.register("import time; time.sleep(0.3)", cpu="512", memory="1024")
    arns = small.run(definition, count=6)
    most = 0
    while (seen := statuses(small, arns)) != ["STOPPED"] * 6:
        live = [status for status in seen if status not in ("STOPPED", "PROVISIONING")]
        most = max(most, len(live))
        assert len(live) <= 2
        time.sleep(0.01)
    assert most == 2
    started = [small.task(arn)["startedAt"] for arn in arns]
    assert all(later >= early for early, later in zip(started[:-2], started[2:], strict=True))


def test_a_task_larger_than_the_machine_runs_alone(small):
    long = small.register("import time; time.sleep(0.5)")
    (first,) = small.run(long)
    small.wait(first, "RUNNING")
    (big,) = small.run(small.register("print(1)", family="big", cpu="4096", memory="8192"))
    (last,) = small.run(long)
    time.sleep(0.2)
    assert statuses(small, [big, last]) == ["PROVISIONING", "PROVISIONING"]
    tasks = [small.wait(arn) for arn in (first, big, last)]
    assert tasks[0]["stoppedAt"] <= tasks[1]["startedAt"]
    assert tasks[1]["stoppedAt"] <= tasks[2]["startedAt"]


def test_a_waiting_task_can_be_stopped(small):
    definition = small.register("import time; time.sleep(30)", cpu="1024", memory="2048")
    first, second, third = small.run(definition, count=3)
    small.wait(first, "RUNNING")
    assert small.ecs.stop_task(cluster="test", task=second)["task"]["lastStatus"] == "STOPPED"
    assert "exitCode" not in small.task(second)["containers"][0]
    small.ecs.stop_task(cluster="test", task=first)
    small.wait(third, "RUNNING")


def test_two_hundred_tasks_drain_without_loss(lab):
    code = "import os; print(os.environ['N'])"
    definition = lab.register(code, family="many")
    container = {"name": "main", "environment": [{"name": "N", "value": "x"}]}
    arns = []
    for _ in range(20):
        arns += lab.run(definition, count=10, overrides={"containerOverrides": [container]})
    until(lambda: statuses(lab, arns[-100:]) == ["STOPPED"] * 100, seconds=60)
    assert statuses(lab, arns[:100]) == ["STOPPED"] * 100
    for start in (0, 100):
        tasks = lab.ecs.describe_tasks(cluster="test", tasks=arns[start : start + 100])["tasks"]
        assert [task["containers"][0]["exitCode"] for task in tasks] == [0] * 100
    assert lab.lines(lab.task(arns[0])) == lab.lines(lab.task(arns[-1])) == ["x"]
    listed = lab.ecs.get_paginator("list_tasks").paginate(
        cluster="test", family="many", desiredStatus="STOPPED"
    )
    assert [arn for page in listed for arn in page["taskArns"]] == arns


def test_nothing_is_left_of_a_task_but_its_record(small):
    """However many tasks have run: no thread, address, key or session of theirs remains."""
    server = small.server
    code = "import boto3; boto3.client('sts').get_caller_identity()"
    definition = small.register(code, family="left")
    small.wait(small.run(definition)[0])
    until(lambda: not server.scheduler.processes())
    before = set(threading.enumerate())
    sessions = len(sts_backends["123456789012"]["aws"].assumed_roles)
    for arn in small.run(definition, count=10):
        assert small.wait(arn)["containers"][0]["exitCode"] == 0
    until(lambda: not server.scheduler.processes())
    assert server.scheduler.usages() == {}
    assert server.endpoints._containers == {}
    assert server.addresses._used == set()
    assert set(server.clients._sessions.values()) <= {"ecs-agent"}
    assert len(sts_backends["123456789012"]["aws"].assumed_roles) <= sessions
    # A thread of the HTTP server ends with its client's connection.
    until(lambda: not [t for t in set(threading.enumerate()) - before if t.name[:5] == "task-"])
    assert set(os.listdir(server.runtime.root)) <= {".cgroup.json"}


def test_a_thousand_tasks_are_described_in_a_tenth_of_a_second(lab):
    """Of processor time: what else this machine does, and the client's parsing, do not count."""
    model = lab.server.state.get("task", lab.result("pass")["taskArn"].rsplit("/", 1)[1])
    keys = [f"copy{i}" for i in range(1000)]
    items = lab.server.state._items["task"]
    for key in keys:
        items[key] = copy.deepcopy(model)
    try:
        operation = responses.OF_SERVICE["DescribeTasks"]
        best = min(_timed(lab, operation, keys) for _ in range(3))
    finally:
        for key in keys:
            del items[key]
    assert best < 0.1


def _timed(lab, operation, keys):
    began = time.thread_time()
    for start in range(0, len(keys), 100):
        json.dumps(operation(lab.server, {"cluster": "test", "tasks": keys[start : start + 100]}))
    return time.thread_time() - began


def test_stopped_tasks_are_dropped_after_an_hour_but_not_before(tmp_path):
    state = State(tmp_path / "ecs.sqlite")
    age = KEEP_STOPPED_SECONDS
    for key, stopped in (("old", age + 10), ("recent", age - 60), ("live", None)):
        wire = {} if stopped is None else {"stoppedAt": time.time() - stopped}
        state.add("task", key, wire)
    state.drop_old_tasks()
    assert [task.key for task in state.all("task")] == ["recent", "live"]
    state.close()
    assert [task.key for task in State(tmp_path / "ecs.sqlite").all("task")] == ["recent", "live"]


def test_damaged_state_is_moved_aside_and_said(tmp_path):
    home = Home(tmp_path / "home")
    (home.state / "ecs.sqlite").write_bytes(b"not a database at all" * 100)
    state = open_state(home)
    assert state.all("cluster") == []
    assert "`make run` makes them again" in home.messages[0]
    assert (home.state / "ecs.sqlite.damaged").exists()
    state.close()


def test_a_full_disk_refuses_what_is_new_and_lets_tasks_end(small):
    (arn,) = small.run(small.register("import time; time.sleep(0.5)"))
    database = small.server.state._store._database
    pages = database.execute("pragma page_count").fetchone()[0]
    database.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(ClientError):
        for number in range(100):
            small.register("x" * 1000, family=f"full{number}")
    number = len(small.server.state.all("definition"))
    assert small.wait(arn)["containers"][0]["exitCode"] == 0
    database.execute("pragma max_page_count = 1000000")
    assert len(small.server.state.all("definition")) == number
    small.register(family="room")


def test_a_host_size_that_is_no_number(monkeypatch, capsys):
    monkeypatch.setenv("DRYDOCK_HOST_VCPU", "many")
    assert host_vcpu() > 0
    assert "DRYDOCK_HOST_VCPU=many is not a number" in capsys.readouterr().err
