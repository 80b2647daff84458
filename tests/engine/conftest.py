"""A local cloud whose tasks run in containers."""

import contextlib

import pytest
from container_engine import BASE
from engine_lab import TasksLab
from live import temporary_home

from drydock import cloud
from drydock.lab import open_lab


@contextlib.contextmanager
def cloud_of(home, kind, patch):
    """A local cloud of this home whose runtime is ``kind``; its Lab."""
    patch.setenv("DRYDOCK_RUNTIME", kind)
    patch.setenv("DRYDOCK_HOME", str(home))
    patch.setenv("DRYDOCK_PORT", "0")
    cloud.start()
    try:
        yield open_lab()
    finally:
        cloud.stop(home)


@pytest.fixture(scope="module")
def surroundings(engine):
    """Variables that point at the tests' engine and base image, and at no other test's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", engine.address)
        patch.setenv("DRYDOCK_BASE", BASE)
        yield patch


@pytest.fixture(scope="module")
def tasks(surroundings, tmp_path_factory):
    with temporary_home() as home, cloud_of(home, "container", surroundings) as lab:
        yield TasksLab(lab, tmp_path_factory.mktemp("images")).set_up()


@pytest.fixture(scope="module")
def cloud_of_kind(surroundings):
    """``cloud_of_kind(home, kind)`` as a context."""
    return lambda home, kind: cloud_of(home, kind, surroundings)
