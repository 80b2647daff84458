"""The server is killed, or stopped, and started again."""

import json
import subprocess
import sys

import psutil
import pytest
from ecs_lab import Lab, until

TWO_PROCESSES = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "  os.setsid()\n"
    "os.write(1, b'%d\\n' % os.getpid())\n"
    "time.sleep(600)\n"
)


class Server:
    """`python -m localcloud serve` on a home that outlives it."""

    def __init__(self, home, port=0):
        self.home = home
        command = [sys.executable, "-m", "localcloud", "serve", "--home", str(home)]
        with open(home.parent / "log", "ab") as log:
            self.process = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=log)
        about = until(self._about)
        self.endpoint = about["endpoint"]
        self.port = about["port"]

    def _about(self):
        try:
            about = json.loads((self.home / "server.json").read_text())
        except (OSError, ValueError):
            return None
        return about if about["pid"] == self.process.pid else None

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(timeout=60)


@pytest.fixture
def start(tmp_path):
    """Starts servers on one home; the last one is stopped after the test."""
    servers = []

    def begin():
        (tmp_path / "home").mkdir(exist_ok=True)
        servers.append(Server(tmp_path / "home"))
        return Lab(servers[-1], tmp_path)

    yield begin
    if servers[-1].process.poll() is None:
        servers[-1].end(15)


def test_after_sigkill_nothing_runs_and_everything_is_known(start, tmp_path):
    lab = start().set_up()
    done = lab.result("print('done')", family="done")
    (arn,) = lab.run(lab.register(TWO_PROCESSES, family="long"), tags=[{"key": "a", "value": "b"}])
    lab.wait(arn, "RUNNING")
    pids = [
        int(line)
        for line in until(lambda: len(lab.lines(lab.task(arn))) == 2 and lab.lines(lab.task(arn)))
    ]
    waiting = lab.run(lab.register("pass", family="big", cpu="16384", memory="32768"))[0]
    lab.ecs.create_service(
        cluster="test",
        serviceName="web",
        taskDefinition=lab.register("import time; time.sleep(600)", family="web"),
        launchType="FARGATE",
        networkConfiguration=lab.network,
    )
    lab.server.end(9)
    until(lambda: not any(map(_alive, pids)), seconds=5)

    lab = start().set_up()
    assert {k: v for k, v in lab.task(done["taskArn"]).items() if k != "tags"} == {
        k: v for k, v in done.items() if k != "tags"
    }
    for lost in (arn, waiting):
        task = lab.task(lost)
        assert task["lastStatus"] == "STOPPED"
        assert task["stopCode"] == "InfrastructureHealth"
        assert "run the task again" in task["stoppedReason"]
    assert lab.task(arn)["tags"] == [{"key": "a", "value": "b"}]
    assert list((tmp_path / "home" / "tasks").iterdir()) == [] or until(
        lambda: lab.ecs.list_tasks(cluster="test", serviceName="web")["taskArns"]
    )
    until(
        lambda: (
            lab.ecs.describe_services(cluster="test", services=["web"])["services"][0][
                "runningCount"
            ]
            == 1
        )
    )
    assert lab.lines(lab.result("print('again')", family="done")) == ["again"]


def test_a_clean_stop_ends_tasks_and_keeps_their_last_lines(start):
    lab = start().set_up()
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n  print('bye'); sys.exit(0)\n"
        "signal.signal(15, end)\nprint('up')\ntime.sleep(600)\n"
    )
    (arn,) = lab.run(lab.register(code, family="polite"))
    until(lambda: lab.wait(arn, "RUNNING") and _lines(lab, arn) == ["up"])
    lab.server.end(15)
    lab = start()
    task = lab.task(arn)
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("TerminationNotice", 0)
    assert lab.lines(task) == ["up", "bye"]


def test_container_instances_outlive_the_server(start):
    lab = start().set_up()
    ec2 = lab.client("ec2")
    made = ec2.run_instances(
        ImageId="ami-12c6146b",
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        UserData="#!/bin/bash\necho ECS_CLUSTER=test >> /etc/ecs/ecs.config\n",
    )
    listed = lambda: lab.ecs.list_container_instances(cluster="test")  # noqa: E731
    (arn,) = until(lambda: listed()["containerInstanceArns"])
    request = lab.definition("import time; time.sleep(600)", family="machine", networkMode="host")
    request["containerDefinitions"][0]["memory"] = 200
    del request["requiresCompatibilities"], request["cpu"], request["memory"]
    lab.ecs.register_task_definition(**request)
    answer = lab.ecs.run_task(cluster="test", taskDefinition="machine", launchType="EC2")
    lab.wait(answer["tasks"][0]["taskArn"], "RUNNING")
    lab.server.end(15)

    lab = start()
    assert lab.task(answer["tasks"][0]["taskArn"])["stopCode"] == "TerminationNotice"
    assert listed()["containerInstanceArns"] == [arn]
    (found,) = lab.ecs.describe_container_instances(cluster="test", containerInstances=[arn])[
        "containerInstances"
    ]
    assert found["ec2InstanceId"] == made["Instances"][0]["InstanceId"]
    assert {r["name"]: r["integerValue"] for r in found["remainingResources"]}["MEMORY"] == 7577
    lab.client("ec2").terminate_instances(InstanceIds=[found["ec2InstanceId"]])
    until(lambda: listed()["containerInstanceArns"] == [])


def _lines(lab, arn):
    try:
        return lab.lines({"taskArn": arn})
    except lab.logs.exceptions.ResourceNotFoundException:
        return []


def _alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
