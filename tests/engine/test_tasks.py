"""ECS tasks in containers, through boto3, on a server started with DRYDOCK_RUNTIME=container."""

import urllib.request

import pytest
from engine_lab import REGISTRY, exit_codes
from live import wait_for

from drydock import cloud


def test_status_says_what_runs_tasks_and_why(tasks):
    runtime = cloud.runtime(tasks.lab.endpoint)
    assert runtime["kind"] == "container"
    assert "DRYDOCK_RUNTIME=container, Podman" in runtime["why"]
    assert f"tasks      in containers ({runtime['why']})" in cloud.status_lines()


def test_the_image_gives_command_environment_user_and_folder(tasks):
    code = "import os; print(os.environ['GREETING'], os.environ['KEPT'], os.getuid(), os.getcwd())"
    told = {"environment": [{"name": "GREETING", "value": "good day"}]}
    first = tasks.run(tasks.container(code, **told))
    greeting, kept, user, folder = tasks.lines(first)[0].rsplit(" ", 3)
    assert (greeting, kept, folder) == ("good day", "yes", "/work")
    assert int(user) not in (0, 65534)
    assert tasks.lines(tasks.run(tasks.container(None))) == ["from CMD"]
    assert first["containers"][0]["imageDigest"] == tasks.image.partition("@")[2]
    assert first["stopCode"] == "EssentialContainerExited"


def test_the_definition_replaces_what_the_image_gives(tasks):
    changes = {
        "entryPoint": ["sh", "-c"],
        "command": ["pwd; id -u; touch /etc/x"],
        "user": "0",
        "workingDirectory": "/usr",
        "readonlyRootFilesystem": True,
    }
    task = tasks.run(tasks.container(None, **changes))
    folder, user, refused = tasks.lines(task)
    assert (folder, user) == ("/usr", "0")
    assert "Read-only file system" in refused
    assert exit_codes(task) == {"main": 1}


def test_nothing_of_this_machine_is_seen(tasks, tmp_path):
    code = (
        "import os\n"
        f"print(os.path.exists({str(tmp_path)!r}), os.getpid(), os.listdir('/sys/class/net'))\n"
        "print(sorted(name for name in os.environ if not name.startswith(('AWS_', 'ECS_'))))"
    )
    seen, names = tasks.lines(tasks.run(tasks.container(code)))
    assert seen == "False 1 ['lo']"
    for name in ("DRYDOCK_HOME", "DOCKER_HOST", "VIRTUAL_ENV"):
        assert name not in names


def test_credentials_and_metadata_answer_inside(tasks):
    code = (
        "import json, os, urllib.request\n"
        "def get(name): return json.load(urllib.request.urlopen(os.environ[name], timeout=9))\n"
        "print(get('AWS_CONTAINER_CREDENTIALS_FULL_URI')['RoleArn'])\n"
        "print(get('ECS_CONTAINER_METADATA_URI_V4')['Name'])\n"
    )
    assert tasks.lines(tasks.run(tasks.container(code))) == [tasks.task_role, "main"]


def test_secret_memory_and_missing_command(tasks):
    arn = tasks.secret("one", {"user": "u"})
    code = "import os; print(os.environ['IT']); x = bytearray(900 << 20)"
    secrets = [{"name": "IT", "valueFrom": f"{arn}:user::"}]
    task = tasks.run(tasks.container(code, secrets=secrets))
    assert tasks.lines(task) == ["u"]
    assert exit_codes(task) == {"main": 137}
    assert task["containers"][0]["reason"].startswith("OutOfMemoryError: Container killed")
    task = tasks.run(tasks.container("", entryPoint=["no-such-program"]))
    assert task["stoppedReason"].startswith("CannotStartContainerError")
    assert 'exec: "no-such-program": executable file not found in $PATH' in task["stoppedReason"]


def test_a_sidecar_is_reached_at_localhost_and_shares_a_volume_without_being_root(tasks):
    mount = {"mountPoints": [{"sourceVolume": "shared", "containerPath": "/data"}]}
    first = tasks.container("open('/data/x', 'w').write('by the first')", "first", **mount)
    serve = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8080)"
    sidecar = tasks.container(
        serve,
        "sidecar",
        workingDirectory="/data",
        healthCheck={
            "command": ["CMD-SHELL", "python3 -c 'import socket as s; s.create_connection"
            "((\"127.0.0.1\", 8080))'"],
            "interval": 5,
        },
        dependsOn=[{"containerName": "first", "condition": "SUCCESS"}],
        **mount,
    )  # fmt: skip
    fetch = "import urllib.request as u; print(u.urlopen('http://localhost:8080/x').read())"
    main = tasks.container(fetch, dependsOn=[{"containerName": "sidecar", "condition": "HEALTHY"}])
    for one in (first, sidecar):
        one["essential"] = False
    task = tasks.run(main, sidecar, first, volumes=[{"name": "shared"}])
    assert tasks.lines(task) == ["b'by the first'"]
    assert exit_codes(task)["first"] == exit_codes(task)["main"] == 0


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (f"{REGISTRY}/test/app:9", f"{REGISTRY}/test/app:9: not found"),
        (f"{REGISTRY}/test/nothing:1", "not found"),
        ("localhost:1/no/such:image", "failed to resolve ref localhost:1/no/such:image"),
    ],
)
def test_an_image_that_is_not_there(tasks, image, words):
    task = tasks.run(tasks.container("", image=image))
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest")
    assert words in task["stoppedReason"]


def test_an_image_that_the_engine_no_longer_has(tasks, engine):
    from drydock import images

    (tasks.folder / "gone").mkdir()
    (tasks.folder / "gone" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN touch /gone\n")
    uri = images.build(tasks.lab, "test/gone", tasks.folder / "gone")
    with engine.client() as client:
        client.images.remove(f"{REGISTRY}/test/gone:1", force=True)
    task = tasks.run(tasks.container("", image=uri))
    assert (
        "its layers are no longer in the engine's image store: run `drydock build` again"
        in (task["stoppedReason"])
    )


def test_an_image_that_was_only_registered(tasks):
    from drydock import images

    uri = images.build_image(tasks.lab, "test/folder", tasks.folder).uri
    task = tasks.run(tasks.container("", image=uri))
    assert "was registered without a container engine" in task["stoppedReason"]


def test_another_task_is_reached_only_as_its_security_group_allows(tasks):
    ec2 = tasks.client("ec2")
    network = tasks.lab.network()
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    closed = ec2.create_security_group(GroupName="closed", Description="no", VpcId=vpc)["GroupId"]
    serve = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8000)"
    ports = [{"containerPort": 8000, "protocol": "tcp"}]

    def fetch_from(server):
        details = {d["name"]: d["value"] for d in server["attachments"][0]["details"]}
        at = f"http://{details['privateIPv4Address']}:8000/"
        wait_for(lambda: _answers(at), f"{at} from this machine")
        code = f"import urllib.request as u; print(u.urlopen('{at}', timeout=3).status)"
        return exit_codes(tasks.run(tasks.container(code)))["main"]

    opened = tasks.wait(tasks.start(tasks.container(serve, portMappings=ports)), "RUNNING")
    assert fetch_from(opened) == 0
    inside = {**network["awsvpcConfiguration"], "securityGroups": [closed]}
    shut = tasks.wait(
        tasks.start(
            tasks.container(serve, portMappings=ports), network={"awsvpcConfiguration": inside}
        ),
        "RUNNING",
    )
    assert fetch_from(shut) == 1
    for task in (opened, shut):
        tasks.ecs.stop_task(cluster="test", task=task["taskArn"])


def _answers(address):
    try:
        return urllib.request.urlopen(address, timeout=2).status
    except OSError:
        return None


def test_stopped_by_a_caller(tasks):
    code = (
        "import signal, sys, time\nsignal.signal(15, lambda *a: sys.exit(143))\n"
        "print('up')\ntime.sleep(300)"
    )
    arn = tasks.start(tasks.container(code, stopTimeout=10))
    wait_for(lambda: tasks.lines(tasks.wait(arn, "RUNNING")) == ["up"], "its first line")
    tasks.ecs.stop_task(cluster="test", task=arn, reason="enough")
    task = tasks.wait(arn)
    assert exit_codes(task) == {"main": 143}
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")


def test_nothing_is_left_of_finished_tasks(tasks, engine):
    tasks.run(tasks.container("print(1)"))
    with engine.client() as client:
        left = {one.name.split("-")[1] for one in client.containers.list(all=True)}
    assert [task for task in left if tasks.task(task)["lastStatus"] == "STOPPED"] == []


def test_an_http_api_is_asked_from_inside(tasks):
    gateway = tasks.client("apigatewayv2")
    made = gateway.create_api(Name="asked-from-inside", ProtocolType="HTTP")
    code = (
        "import urllib.error, urllib.request\n"
        "try:\n"
        f"    urllib.request.urlopen({made['ApiEndpoint']!r}, timeout=30)\n"
        "except urllib.error.HTTPError as refusal:\n"
        "    print(refusal.code, refusal.read().decode())"
    )
    try:
        said = tasks.lines(tasks.run(tasks.container(code)))
        assert said == ['404 {"message":"Not Found"}']
    finally:
        gateway.delete_api(ApiId=made["ApiId"])
