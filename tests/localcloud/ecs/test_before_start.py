"""What goes wrong before a task's first container starts, and what an image gives it."""

import json

import pytest
from ecs_lab import ACCOUNT, REGION

REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def failed(task, words):
    assert task["stopCode"] == "TaskFailedToStart"
    assert words in task["stoppedReason"]
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0] or task["containers"][0]["exitCode"] == 127
    return True


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (f"{REGISTRY}/test/app:9", f"{REGISTRY}/test/app:9: not found"),
        (f"{REGISTRY}/test/nothing:1", "not found"),
        (f"{REGISTRY}/test/app@sha256:{'0' * 64}", "not found"),
        ("nginx:latest", "no container engine"),
        ("public.ecr.aws/docker/library/python:3.12", "no container engine"),
    ],
)
def test_an_image_that_is_not_there(lab, image, words):
    task = lab.result("pass", family="pull", container={"image": image})
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest")
    assert failed(task, words)
    assert "pullStartedAt" in task
    assert task["containers"][0].get("reason", "").startswith("CannotPullContainerError")


def test_an_image_of_another_client(lab):
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="test/foreign")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {},
        "layers": [],
    }
    ecr.put_image(repositoryName="test/foreign", imageTag="1", imageManifest=json.dumps(manifest))
    image = f"{REGISTRY}/test/foreign:1"
    task = lab.result("pass", family="pull", container={"image": image})
    assert failed(task, "was not built by `drydock build`")


def test_a_folder_that_has_gone(lab):
    image = lab.build("gone", "FROM x\n")
    (lab.folder / "images" / "gone" / "Dockerfile").unlink()
    task = lab.result("pass", family="pull", container={"image": image})
    assert failed(task, "run `drydock build` again")


def test_a_pinned_digest_runs(lab):
    found = lab.client("ecr").batch_get_image(
        repositoryName="test/app", imageIds=[{"imageTag": "1"}]
    )["images"][0]["imageId"]
    image = f"{REGISTRY}/test/app@{found['imageDigest']}"
    task = lab.result("print(2)", family="pinned", container={"image": image})
    assert lab.lines(task) == ["2"]
    assert task["containers"][0]["imageDigest"] == found["imageDigest"]


def test_the_dockerfile_is_honoured(lab):
    image = lab.build(
        "file",
        'FROM a AS first\nENTRYPOINT ["false"]\nENV GONE=1\n'
        'FROM b\n# a comment\nENV GREETING="good day" PATH=/nowhere\nWORKDIR /app\nRUN false\n'
        'ENTRYPOINT ["python", "-c", "import os, sys;'
        ' print(os.environ[\'GREETING\'], os.getcwd(), sys.argv[1:])"]\nCMD ["from", "cmd"]\n',
    )
    definition = lab.definition(family="file", container={"image": image})
    definition["containerDefinitions"][0].pop("command")
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    task = lab.wait(lab.run(arn)[0])
    folder = lab.folder / "images" / "file"
    assert lab.lines(task) == [f"good day {folder} ['from', 'cmd']"]


def test_shell_form_and_entry_point_of_the_definition(lab):
    image = lab.build("shell", "FROM x\nCMD echo $((6 * 7)) from $HOME_TOWN\nENV HOME_TOWN=here\n")
    definition = lab.definition(family="shell", container={"image": image})
    definition["containerDefinitions"][0].pop("command")
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    assert lab.lines(lab.wait(lab.run(arn)[0])) == ["42 from here"]
    changes = {"entryPoint": ["sh", "-c"], "command": ["echo mine"], "image": image}
    assert lab.lines(lab.result("", family="shell", container=changes)) == ["mine"]


def test_a_command_that_does_not_exist(lab):
    changes = {"entryPoint": ["no-such-program"], "command": []}
    task = lab.result("", family="nocommand", container=changes)
    assert failed(task, 'exec: "no-such-program": executable file not found in $PATH')
    assert task["stoppedReason"].startswith("CannotStartContainerError")


def secret_task(lab, source, code="import os; print(os.environ['IT'])", family="secret"):
    return lab.result(
        code, family=family, container={"secrets": [{"name": "IT", "valueFrom": source}]}
    )


def test_secrets_arrive(lab):
    manager = lab.client("secretsmanager")
    arn = manager.create_secret(Name="s/one", SecretString='{"user": "u", "port": 5}')["ARN"]
    version = manager.put_secret_value(
        SecretId=arn, SecretString='{"user": "new"}', VersionStages=["AWSPENDING"]
    )["VersionId"]
    assert lab.lines(secret_task(lab, arn)) == ['{"user": "u", "port": 5}']
    assert lab.lines(secret_task(lab, f"{arn}:user::")) == ["u"]
    assert lab.lines(secret_task(lab, f"{arn}:port::")) == ["5"]
    assert lab.lines(secret_task(lab, f"{arn}:user:AWSPENDING:")) == ["new"]
    assert lab.lines(secret_task(lab, f"{arn}:user::{version}")) == ["new"]


def test_parameters_arrive(lab):
    ssm = lab.client("ssm")
    ssm.put_parameter(Name="plain", Value="1", Type="String")
    ssm.put_parameter(Name="/deep/one", Value="2", Type="SecureString")
    prefix = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
    for source, value in [
        ("plain", "1"),
        ("/deep/one", "2"),
        (f"{prefix}/plain", "1"),
        (f"{prefix}/deep/one", "2"),
    ]:
        assert lab.lines(secret_task(lab, source)) == [value]


def test_missing_secrets(lab):
    arn = lab.client("secretsmanager").create_secret(Name="s/two", SecretString="plain")["ARN"]
    prefix = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
    start = "ResourceInitializationError: unable to pull secrets or registry auth"
    for source, words in [
        (f"{prefix}:s/none-AbCdEf", "ResourceNotFoundException"),
        (f"{arn}:key::", "did not contain json key key"),
        (f"{arn}::NO-STAGE:", "from secrets manager"),
        ("no-parameter", "invalid parameters: no-parameter"),
    ]:
        task = secret_task(lab, source)
        assert task["stoppedReason"].startswith(start)
        assert failed(task, words)
        assert "pullStartedAt" not in task


def test_no_value_of_a_secret_is_stored_or_shown(lab):
    arn = lab.client("secretsmanager").create_secret(Name="s/three", SecretString="tell-nobody")
    task = secret_task(lab, arn["ARN"], code="pass")
    assert "tell-nobody" not in json.dumps(task, default=str)
    state = (lab.folder / "home" / "state").glob("ecs.sqlite*")
    assert not any(b"tell-nobody" in file.read_bytes() for file in state)


def logging_to(group, **options):
    settings = {"awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": "t"}
    return {"logConfiguration": {"logDriver": "awslogs", "options": {**settings, **options}}}


def test_a_missing_log_group(lab):
    task = lab.result("print(1)", family="nogroup", container=logging_to("/no/such"))
    assert task["stoppedReason"].startswith(
        "ResourceInitializationError: failed to validate logger args"
    )
    assert failed(task, "The specified log group does not exist")


def test_a_log_group_that_the_driver_creates(lab):
    options = logging_to("/made/here", **{"awslogs-create-group": "true"})
    assert (
        lab.result("print(1)", family="group", container=options)["containers"][0]["exitCode"] == 0
    )
    found = lab.logs.describe_log_groups(logGroupNamePrefix="/made/here")["logGroups"]
    assert len(found) == 1


def test_a_log_group_deleted_meanwhile_does_not_hold_the_task(lab):
    lab.logs.create_log_group(logGroupName="/short")
    code = (
        "import time\ntime.sleep(0.5)\nfor i in range(20000): print('x' * 100)\nraise SystemExit(4)"
    )
    (arn,) = lab.run(lab.register(code, family="short", container=logging_to("/short")))
    lab.wait(arn, "RUNNING")
    lab.logs.delete_log_group(logGroupName="/short")
    assert lab.wait(arn)["containers"][0]["exitCode"] == 4


def test_logs_are_complete_and_in_order_when_the_task_is_stopped(lab):
    code = "import sys\nfor i in range(15_000): print(i, 'x' * 90)\nprint('last', file=sys.stderr)"
    task = lab.result(code, family="wordy", cpu="1024", memory="2048")
    lines = lab.lines(task)
    assert [int(line.split()[0]) for line in lines[:-1]] == list(range(15_000))
    assert lines[-1] == "last"


def test_without_log_configuration_output_is_dropped(lab):
    definition = lab.definition("print(1)", family="silent")
    del definition["containerDefinitions"][0]["logConfiguration"]
    arn = lab.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    assert lab.wait(lab.run(arn)[0])["containers"][0]["exitCode"] == 0
