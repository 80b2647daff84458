"""DRYDOCK_RUNTIME: which runtime is taken, and what is said about it."""

import socket
import time

import pytest

from localcloud.runtimes.choice import PATIENCE_SECONDS, Choice, NoSuchRuntime, choose


@pytest.fixture
def nowhere(tmp_path):
    """An environment in which no engine can be."""
    return {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}


def test_without_an_engine_tasks_are_processes(nowhere):
    choice = choose(nowhere)
    assert (choice.kind, choice.engine) == ("process", None)
    assert choice.why == "no container engine answers"


def test_containers_without_an_engine_is_said_in_one_line(nowhere):
    with pytest.raises(NoSuchRuntime) as caught:
        choose({**nowhere, "DRYDOCK_RUNTIME": "container"})
    assert "none.sock" in str(caught.value)
    assert "DOCKER_HOST, or unset DRYDOCK_RUNTIME" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_word_is_refused(nowhere):
    with pytest.raises(NoSuchRuntime, match="DRYDOCK_RUNTIME=docker is not a runtime: set it to"):
        choose({**nowhere, "DRYDOCK_RUNTIME": "docker"})


def test_what_answers_nothing_is_not_waited_for_long(tmp_path):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "s"))
        deaf.listen()
        began = time.monotonic()
        assert choose({"DOCKER_HOST": f"unix://{tmp_path}/s"}).kind == "process"
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1", "unix:///etc/passwd"])
def test_an_address_of_no_engine(address):
    assert choose({"DOCKER_HOST": address}).kind == "process"


def test_an_engine_is_used_once_it_has_built_an_image(engine, tmp_path, monkeypatch):
    environment = {"DOCKER_HOST": engine.address}
    monkeypatch.setitem(PATIENCE_SECONDS, "auto", 60)  # this machine may have much else to do
    before = choose(environment)
    with engine.client() as client:
        built = bool(client.images.list(filters={"label": "dev.drydock.context"}))
        assert before.kind == ("container" if built else "process")
        assert "Podman" in before.why
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile .\n")
        labels = {"dev.drydock.context": str(tmp_path)}
        image, _ = client.images.build(path=str(tmp_path), labels=labels)
        assert choose(environment).kind == "container"
        assert choose({**environment, "DRYDOCK_RUNTIME": "process"}).engine is None
        client.images.remove(image.id, force=True)
    forced = choose({**environment, "DRYDOCK_RUNTIME": "container"})
    assert forced.kind == "container"
    assert forced.shown()["engine"] == engine.address


def test_what_is_shown():
    shown = Choice("process", "because").shown()
    assert shown == {"kind": "process", "why": "because", "engine": None}
