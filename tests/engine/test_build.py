"""`drydock build`: with an engine really, without one by registering the folder."""

import json
import os
import subprocess
import sys

import pytest
from container_engine import BASE
from live import temporary_home

from drydock import build_steps, image_builds, images
from drydock.errors import WrongInput


@pytest.fixture(scope="module")
def lab(cloud_of_kind):
    with temporary_home() as home, cloud_of_kind(home, "container") as lab:
        yield lab


@pytest.fixture
def processes(cloud_of_kind):
    with temporary_home() as home, cloud_of_kind(home, "process") as lab:
        yield lab


@pytest.fixture
def context(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nRUN echo layer > /layer\nCOPY Dockerfile /\nUSER nobody\n"
    )
    return tmp_path / "app"


def drydock(lab, *words):
    return subprocess.run(
        [sys.executable, "-m", "drydock.cli", *words],
        env={**os.environ, "DRYDOCK_HOME": str(lab.home)},
        capture_output=True,
        text=True,
    )


def test_an_image_is_built_tagged_and_put_into_ecr(lab, context, engine):
    done = drydock(lab, "build", str(context), "--repository", "some/app", "--tag", "7")
    assert done.returncode == 0, done.stderr
    *steps, uri, told = done.stdout.splitlines()
    assert steps[1].endswith("RUN echo layer > /layer")
    assert "layers" in told
    ecr = lab.client("ecr")
    (found,) = ecr.batch_get_image(
        repositoryName="some/app", imageIds=[{"imageTag": "7"}]
    )["images"]  # fmt: skip
    assert uri == (
        f"123456789012.dkr.ecr.us-east-1.amazonaws.com/some/app@{found['imageId']['imageDigest']}"
    )
    manifest = json.loads(found["imageManifest"])
    with engine.client() as client:
        built = client.images.get("123456789012.dkr.ecr.us-east-1.amazonaws.com/some/app:7")
    assert manifest["config"]["digest"] == built.id
    layers = [layer["digest"] for layer in manifest["layers"]]
    assert layers == built.attrs["RootFS"]["Layers"]
    assert all(layer["size"] >= 1024 for layer in manifest["layers"])
    assert drydock(lab, "build", str(context), "--repository", "some/app", "--tag", "7").stdout == (
        done.stdout.replace("reading its manifest for ECR\n", "")
    )
    details = ecr.describe_images(repositoryName="some/app")["imageDetails"]
    assert len(details) == 1


def test_a_step_that_fails_is_named_with_its_last_lines(lab, context):
    (context / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nRUN echo one && echo the cause >&2 && exit 3\n"
    )
    done = drydock(lab, "build", str(context))
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "step 2 of " in line
    assert "RUN echo one" in line
    assert "the cause" in line
    assert line.endswith(f"mend it, then type: drydock build {context}")


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FRM x\n", "FRM"),
        ("FROM localhost:1/not/there\n", "localhost:1/not/there"),
        (f"FROM {BASE}\nCOPY nothing /\n", "nothing"),
        ("", "Dockerfile"),
    ],
)
def test_a_bad_dockerfile(lab, context, dockerfile, words):
    (context / "Dockerfile").write_text(dockerfile)
    done = drydock(lab, "build", str(context))
    assert done.returncode == 3, done.stdout
    (line,) = done.stderr.splitlines()
    assert words in line
    assert line.endswith(f"type: drydock build {context}")


def test_an_engine_that_is_gone(lab, context, engine):
    engine.kill()
    try:
        done = drydock(lab, "build", str(context))
    finally:
        engine.start()
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "stopped answering; start it again" in line


def test_without_an_engine_the_folder_is_registered(processes, context):
    done = drydock(processes, "build", str(context))
    assert done.returncode == 0, done.stderr
    uri, told = done.stdout.splitlines()
    assert told == "registered, not built: DRYDOCK_RUNTIME=process"
    assert uri == images.build(processes, "drydock/app", context)
    with pytest.raises(WrongInput, match="has no Dockerfile; name a folder that has one"):
        images.build(processes, "drydock/app", context.parent)


def test_a_folder_that_is_not_there(processes, tmp_path):
    done = drydock(processes, "build", str(tmp_path / "no"))
    assert done.returncode == 2
    assert f"{tmp_path / 'no'} has no Dockerfile" in done.stderr


def test_what_went_wrong_is_one_line(tmp_path):
    error = image_builds._failed(tmp_path, "step 1 of 2, RUN x", ["a\n\tb", "", "a b", "c"])
    assert str(error) == (
        f"{tmp_path}/Dockerfile: step 1 of 2, RUN x: a b | c; mend it, then type: drydock build "
        f"{tmp_path}"
    )


def test_what_measuring_has_built_is_removed_when_it_fails(engine, tmp_path, monkeypatch):
    good = "ARG BASE\nFROM ${BASE}\nRUN echo layer > /layer\nCOPY etl/curate.py /\n"
    (tmp_path / "1-good.Dockerfile").write_text(good)
    (tmp_path / "2-bad.Dockerfile").write_text(good + "RUN exit 3\n")
    monkeypatch.setattr(build_steps, "FOLDER", tmp_path)
    said = []
    with pytest.raises(image_builds.BuildFailed, match=r"2-bad.*RUN exit 3"):
        build_steps.measure(engine.address, base=BASE, say=said.append)
    assert said == ["building 1-good", "building 2-bad"]
    with engine.client() as client:
        assert client.images.list(name=build_steps.REPOSITORY) == []
        tags = [tag for image in client.images.list() for tag in image.tags]
        assert not [tag for tag in tags if tag.startswith(build_steps.REPOSITORY)]
    (tmp_path / "2-bad.Dockerfile").unlink()
    [step] = build_steps.measure(engine.address, base=BASE)
    assert (step.name, step.reused > 0) == ("1-good", True)
    assert step.size > 1e6
