"""Volumes that the containers of a task share."""

import pytest
from botocore.exceptions import ClientError

from localcloud.ecs.volumes import engine_mounts
from localcloud.failures import TaskFailed
from localcloud.runtimes.base import Mount


def shared(lab, volume, writer, reader, family="volumes"):
    """Two containers: "main" reads what "writer", that mounts the volume elsewhere, has written."""
    definition = lab.definition(reader, family=family, volumes=[volume])
    main = definition["containerDefinitions"][0]
    mount = {"sourceVolume": volume["name"], "containerPath": "/data"}
    other = {
        **main,
        "name": "writer",
        "command": [writer],
        "essential": False,
        "mountPoints": [{**mount, "containerPath": "/srv/out/"}],
        "environment": [{"name": "OUT", "value": "/srv/out/file"}],
    }
    main["mountPoints"] = [mount]
    main["environment"] = [
        {"name": "IN", "value": "/data/file"},
        {"name": "OTHER", "value": "/database:/old/data"},
    ]
    main["dependsOn"] = [{"containerName": "writer", "condition": "SUCCESS"}]
    definition["containerDefinitions"].append(other)
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    return lab.wait(lab.run(arn)[0])


@pytest.mark.parametrize("volume", [{"name": "pipe"}, {"name": "pipe", "host": {}}])
def test_a_volume_is_shared_and_ends_with_its_task(lab, volume):
    reader = (
        "import os\n"
        "print(open(os.environ['IN']).read(), os.path.exists('/data/file'), os.environ['OTHER'])\n"
        "print(os.environ['IN'])\n"
    )
    task = shared(lab, volume, "import os; open(os.environ['OUT'], 'w').write('hi')", reader)
    said, path = lab.lines(task)
    assert said == "hi True /database:/old/data"
    assert path.startswith(str(lab.server.runtime.root))
    assert not (lab.server.runtime.root / task["taskArn"].rsplit("/", 1)[1]).exists()


def test_one_volume_at_two_paths_of_a_container(lab):
    code = "open('/srv/in/file', 'w').write('hi'); print(open('/srv/out/file').read())"
    mounts = [{"sourceVolume": "both", "containerPath": path} for path in ("/srv/in", "/srv/out")]
    definition = lab.definition(
        "import sys; exec(sys.argv[1])",
        family="two-paths",
        volumes=[{"name": "both"}],
        container={"mountPoints": mounts},
    )
    definition["containerDefinitions"][0]["command"].append(code)
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    assert lab.lines(lab.wait(lab.run(arn)[0])) == ["hi"]
    [container] = definition["containerDefinitions"]
    one, two = engine_mounts(definition["volumes"], container, {})
    assert one.source == two.source
    assert [one.target, two.target] == ["/srv/in", "/srv/out"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"scope": "shared", "autoprovision": True}, "the shared Docker volume kept"),
        ({"driver": "rexray/ebs"}, "the Docker rexray/ebs volume kept"),
        ({"driverOpts": {"type": "nfs"}}, "the Docker driverOpts volume kept"),
    ],
)
def test_an_engine_is_asked_for_no_volume_that_outlives_its_task(wanted, words):
    volume = {"name": "kept", "dockerVolumeConfiguration": wanted}
    container = {"name": "a", "mountPoints": [{"sourceVolume": "kept", "containerPath": "/k"}]}
    with pytest.raises(TaskFailed, match=f"CannotCreateContainerError.*{words} cannot be honoured"):
        engine_mounts([volume], container, {})


def test_an_engine_gives_a_task_a_docker_volume_of_its_own():
    volume = {"name": "own", "dockerVolumeConfiguration": {"scope": "task", "driver": "local"}}
    container = {"name": "a", "mountPoints": [{"sourceVolume": "own", "containerPath": "/k"}]}
    assert engine_mounts([volume], container, {}) == [Mount("volume-0", "/k")]


def test_a_volume_that_is_not_here(lab):
    kind = {"efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
    task = shared(lab, {"name": "far", **kind}, "pass", "pass", family="far")
    assert task["stopCode"] == "TaskFailedToStart"
    assert "the EFS volume" in task["stoppedReason"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ({"host": {"sourcePath": "/etc"}}, "sourcePath"),
        ({"dockerVolumeConfiguration": {"scope": "shared"}}, "dockerVolumeConfiguration"),
    ],
)
def test_fargate_gives_no_path_of_its_host(lab, kind, word):
    definition = lab.definition(family="host-path", volumes=[{"name": "far", **kind}])
    with pytest.raises(ClientError, match=f"do not support {word}"):
        lab.ecs.register_task_definition(**definition)


@pytest.mark.parametrize(
    ("volumes", "mounts", "words"),
    [
        (["a"], [("b", "/b")], "Unknown volume 'b'"),
        (["a", "a"], [], "Volume names must be unique"),
        ([""], [], "Volume name should not be"),
        (["a"], [("a", "data")], "absolute path"),
        (["a"], [("a", "/")], "containerPath of its own"),
        (["a", "b"], [("a", "/x"), ("b", "/x/")], "containerPath of its own"),
    ],
)
def test_bad_volumes(lab, volumes, mounts, words):
    points = [{"sourceVolume": name, "containerPath": path} for name, path in mounts]
    definition = lab.definition(
        family="bad-volume",
        volumes=[{"name": name} for name in volumes],
        container={"mountPoints": points},
    )
    with pytest.raises(ClientError, match=words) as caught:
        lab.ecs.register_task_definition(**definition)
    assert caught.value.response["Error"]["Code"] == "ClientException"
