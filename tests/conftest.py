"""What many tests need: an empty home, and a local cloud that really runs."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from container_engine import Podman, missing, podman
from live import shared_cloud, temporary_home

from drydock import cloud as local_cloud

# A shell starts its background jobs with SIGINT ignored, and everything started by them inherits
# that. The tests of Ctrl-C have to work there too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Messages spell commands as they can be typed: for all tests, as in an active environment.
os.environ["PATH"] = os.pathsep.join([f"{sys.prefix}/bin", os.environ["PATH"]])
os.environ.pop("DRYDOCK_TYPED_PATH", None)

# What takes long once: the base image of an engine; every lab from its start to its repair.
FIXTURE_SECONDS = {"engine": 1200, "lives": 1800}
LONGEST = {"browser/test_lessons.py", "engine", "lives"}
HERE = Path(__file__).parent


# xdist reads the groups in the same hook, and has been registered later, so it would go first.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what stays together when several workers share the tests: a file, or what takes long."""
    for item in items:
        shared = [name for name in FIXTURE_SECONDS if name in item.fixturenames]
        group = shared[0] if shared else item.path.relative_to(HERE).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
        for name in FIXTURE_SECONDS.keys() & set(item.fixturenames):
            item.add_marker(pytest.mark.timeout(FIXTURE_SECONDS[name]))
    # The longest groups begin first, so that no worker ends long after the others.
    items.sort(key=lambda item: next(item.iter_markers("xdist_group")).args[0] not in LONGEST)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder for a local cloud of the test's own, which is stopped in the end."""
    with temporary_home() as folder:
        yield folder


@pytest.fixture(scope="session")
def cloud() -> Iterator[local_cloud.CloudInfo]:
    """One local cloud for all tests that leave nothing in it which others would stumble over."""
    with shared_cloud() as info:
        yield info


@pytest.fixture(scope="session")
def engine() -> Iterator[Podman]:
    """A container engine of the tests' own; tests that need one are skipped where none can be."""
    why = missing()
    if why:
        pytest.skip(why)
    with podman() as service:
        yield service
