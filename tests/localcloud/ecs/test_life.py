"""A task from run_task to STOPPED, seen through boto3."""

import time
import urllib.request

import psutil
from botocore.exceptions import ClientError
from ecs_lab import SUBNETS, until

ORDER = [
    "createdAt",
    "connectivityAt",
    "pullStartedAt",
    "pullStoppedAt",
    "startedAt",
    "stoppingAt",
    "executionStoppedAt",
    "stoppedAt",
]


def test_a_task_runs_and_stops(lab):
    task = lab.result("print('hello'); raise SystemExit(3)")
    assert task["lastStatus"] == task["desiredStatus"] == "STOPPED"
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    (container,) = task["containers"]
    assert container["exitCode"] == 3
    assert container["lastStatus"] == "STOPPED"
    assert container["imageDigest"].startswith("sha256:")
    assert [task[name] for name in ORDER] == sorted(task[name] for name in ORDER)
    assert lab.lines(task) == ["hello"]


def test_a_no_op_task_costs_little_beyond_its_process(lab):
    definition = lab.register("pass", family="noop")
    lab.wait(lab.run(definition)[0])
    began = time.monotonic()
    for _ in range(5):
        lab.wait(lab.run(definition)[0])
    assert (time.monotonic() - began) / 5 < 0.5


def test_each_task_has_an_address_of_its_own(lab):
    arns = lab.run(lab.register("import time; time.sleep(30)", family="net"), count=2)
    tasks = [lab.wait(arn, "RUNNING") for arn in arns]
    addresses = []
    for task in tasks:
        details = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}
        assert task["attachments"][0]["status"] == "ATTACHED"
        assert details["subnetId"] == SUBNETS[0]
        interface = task["containers"][0]["networkInterfaces"][0]
        assert interface["privateIpv4Address"] == details["privateIPv4Address"]
        addresses.append(details["privateIPv4Address"])
    assert len(set(addresses)) == 2
    assert all(address.startswith("127.") for address in addresses)
    for arn in arns:
        lab.ecs.stop_task(cluster="test", task=arn)
    assert lab.wait(arns[0])["attachments"][0]["status"] == "DELETED"


def test_a_server_in_a_task_answers_at_its_address(lab):
    code = (
        "import http.server, os\n"
        "http.server.HTTPServer((os.environ['HOST'], 18099),"
        " http.server.SimpleHTTPRequestHandler).serve_forever()"
    )
    arns = lab.run(lab.register(code, family="serve"), count=2)
    for arn in arns:
        task = lab.wait(arn, "RUNNING")
        host = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
        assert until(lambda host=host: _answers(f"http://{host}:18099/"))
        lab.ecs.stop_task(cluster="test", task=arn)


def test_stop_task_in_time_is_143(lab):
    (arn,) = lab.run(lab.register("import time; print('up'); time.sleep(60)"))
    lab.wait(arn, "RUNNING")
    stopping = lab.ecs.stop_task(cluster="test", task=arn, reason="enough")["task"]
    assert stopping["desiredStatus"] == "STOPPED"
    task = lab.wait(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] in (143, 0)


def test_stop_task_after_stop_timeout_is_137(lab):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    (arn,) = lab.run(lab.register(code, container={"stopTimeout": 1}))
    until(lambda: lab.wait(arn, "RUNNING") and _has_line(lab, arn, "up"))
    lab.ecs.stop_task(cluster="test", task=arn)
    task = lab.wait(arn)
    assert task["containers"][0]["exitCode"] == 137
    assert "reason" not in task["containers"][0]
    assert (task["stoppedAt"] - task["stoppingAt"]).total_seconds() >= 1


def test_out_of_memory(lab):
    task = lab.result("x = bytearray(900 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1")
    (container,) = task["containers"]
    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert task["stopCode"] == "EssentialContainerExited"


def test_overrides(lab):
    code = "import os; print(os.environ['A'], os.environ['B'])"
    definition = lab.register(
        "raise SystemExit(9)",
        family="overridden",
        container={"environment": [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]},
    )
    overrides = {
        "containerOverrides": [
            {"name": "main", "command": [code], "environment": [{"name": "B", "value": "new"}]}
        ],
        "cpu": "512",
        "memory": "1024",
    }
    task = lab.wait(lab.run(definition, overrides=overrides)[0])
    assert task["containers"][0]["exitCode"] == 0
    assert lab.lines(task) == ["a new"]
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    assert task["overrides"]["containerOverrides"][0]["command"] == [code]


def test_what_a_task_used_is_in_container_insights(lab):
    code = "import time\nx = b'1' * (150 << 20)\nwhile time.process_time() < 0.4: pass"
    task = lab.result(code, family="used", cpu="1024", memory="2048")
    seconds = (task["executionStoppedAt"] - task["startedAt"]).total_seconds()
    task_id = task["taskArn"].rsplit("/", 1)[1]
    names = {"ClusterName": "test", "TaskDefinitionFamily": "used", "TaskId": task_id}

    def metric(name):
        points = lab.client("cloudwatch").get_metric_statistics(
            Namespace="ECS/ContainerInsights",
            MetricName=name,
            Dimensions=[{"Name": n, "Value": v} for n, v in names.items()],
            StartTime=task["createdAt"].timestamp() - 120,
            EndTime=task["stoppedAt"].timestamp() + 120,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return points[0]["Maximum"]

    assert 150 <= metric("MemoryUtilized") < 300
    assert 0.4 <= metric("CpuUtilized") / 1024 * seconds < 0.8


def test_the_environment_is_not_the_servers(lab, monkeypatch):
    monkeypatch.setenv("SERVER_ONLY", "secret")
    task = lab.result("import os; print(*sorted(os.environ))", family="env")
    names = lab.lines(task)[0].split()
    assert "SERVER_ONLY" not in names
    assert {"HOST", "AWS_ENDPOINT_URL", "HOME", "TMPDIR", "PATH", "AWS_REGION"} <= set(names)
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & set(names)


def test_a_task_has_its_roles_credentials_and_its_metadata(lab):
    code = (
        "import boto3, json, os, urllib.request\n"
        "print(boto3.client('sts').get_caller_identity()['Arn'])\n"
        "base = os.environ['ECS_CONTAINER_METADATA_URI_V4']\n"
        "get = lambda u: json.load(urllib.request.urlopen(u))\n"
        "print(get(base)['Name'], get(base + '/task')['TaskARN'])\n"
    )
    task = lab.result(code, family="identity", cpu="1024", memory="2048")
    task_id = task["taskArn"].rsplit("/", 1)[1]
    who, what = lab.lines(task)
    assert who == f"arn:aws:sts::123456789012:assumed-role/task/{task_id}"
    assert what == f"main {task['taskArn']}"


def test_credentials_need_the_right_address(lab):
    for path in ("credentials/guess", "metadata/guess", "credentials/"):
        assert not _answers(f"{lab.server.endpoint}/_localcloud/{path}")


def test_scratch_is_removed(lab):
    code = "import os, tempfile; print(tempfile.mkstemp()[1], os.environ['HOME'])"
    task = lab.result(code, family="scratch")
    paths = lab.lines(task)[0].split()
    home = str(lab.server.runtime.root)
    assert all(path.startswith(home) for path in paths)
    assert not (lab.server.runtime.root / task["taskArn"].rsplit("/", 1)[1]).exists()


def test_a_daemonised_grandchild_dies_with_its_task(lab):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "  os.setsid()\n"
        "  if os.fork() == 0:\n"
        "    print(os.getpid(), flush=True); time.sleep(60)\n"
        "  os._exit(0)\n"
        "time.sleep(0.5)\n"
    )
    task = lab.result(code, family="daemon")
    assert not psutil.pid_exists(int(lab.lines(task)[0]))


def test_two_containers(lab):
    definition = lab.definition("import time; time.sleep(0.5); print('main ends')", family="two")
    side = {**definition["containerDefinitions"][0], "name": "side", "essential": False}
    side["command"] = ["import time; print('side'); time.sleep(60)"]
    definition["containerDefinitions"].append(side)
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    task = lab.wait(lab.run(arn)[0])
    codes = {c["name"]: c["exitCode"] for c in task["containers"]}
    assert codes == {"main": 0, "side": 143}
    assert lab.lines(task, "side") == ["side"]


def test_a_container_that_is_not_essential_may_end(lab):
    definition = lab.definition("import time; time.sleep(0.8)", family="side-ends")
    side = {**definition["containerDefinitions"][0], "name": "side", "essential": False}
    side["command"] = ["raise SystemExit(5)"]
    definition["containerDefinitions"].append(side)
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    task = lab.wait(lab.run(arn)[0])
    assert {c["name"]: c["exitCode"] for c in task["containers"]} == {"main": 0, "side": 5}


def _answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False


def _has_line(lab, arn, text):
    try:
        return text in lab.lines({"taskArn": arn})
    except ClientError:
        return False
