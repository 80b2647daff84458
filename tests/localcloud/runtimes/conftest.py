"""Every runtime that this machine can have."""

import pytest

from localcloud.runtimes import engine_client
from localcloud.runtimes.engine import EngineRuntime
from localcloud.runtimes.process import ProcessRuntime


@pytest.fixture(scope="module", params=["process", "watchdog", "container"])
def runtime(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("tasks")
    if request.param == "container":
        found = engine_client.look(request.getfixturevalue("engine").address)
        made = EngineRuntime(root, found)
    else:
        made = ProcessRuntime(root, "auto" if request.param == "process" else "watchdog")
        if request.param == "process" and made.enforcement != "cgroup":
            made.close()
            pytest.skip("no control groups to write here: the watchdog is tested by itself")
    yield made
    made.close()


@pytest.fixture
def container_runtime(engine, tmp_path):
    made = EngineRuntime(tmp_path, engine_client.look(engine.address))
    yield made
    made.close()
