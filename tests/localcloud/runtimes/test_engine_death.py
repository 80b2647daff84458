"""A server that was killed with containers running, and an engine that is killed or stuck."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from container_engine import BASE
from runs import Run, wait_until

from localcloud.runtimes import engine_client
from localcloud.runtimes.engine import EngineRuntime
from localcloud.runtimes.process import ProcessRuntime

STARTER = """
import dataclasses, sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from localcloud.runtimes import engine_client
from localcloud.runtimes.base import Mount, Network
from localcloud.runtimes.engine import EngineRuntime
from localcloud.runtimes.process import ProcessRuntime
from runs import Run
engine = dataclasses.replace(engine_client.look({address!r}), groups={groups})
runtime = EngineRuntime(Path({root!r}), engine)
runtime.sweep()
run = Run(runtime, "import time; print('up'); time.sleep(600)",
          network=Network("127.45.1.9", (), set), mounts=(Mount("shared", "/data"),))
run.wait_for("up")
print(run.container.pid, flush=True)
time.sleep(600)
"""


def killed_server(engine, root, groups=True):
    """The process of a container whose server was killed."""
    code = STARTER.format(path=sys.path, root=str(root), address=engine.address, groups=groups)
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with server.stdout:
        pid = int(server.stdout.readline())
    server.kill()
    server.wait()
    assert not _has_ended(pid)
    return pid


def test_what_a_killed_server_left_is_swept(engine, tmp_path):
    pid = killed_server(engine, tmp_path)
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    runtime.sweep()
    assert _has_ended(pid)
    assert runtime.client.containers.list(all=True) == []
    assert runtime.client.volumes.list() == []
    assert [entry for entry in tmp_path.iterdir() if entry.is_dir()] == []
    runtime.close()
    assert list(tmp_path.iterdir()) == []
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{runtime.home}"))


@pytest.mark.parametrize("groups", [True, False], ids=["our_groups", "groups_of_the_engine"])
def test_a_server_that_goes_on_with_processes_ends_them_too(engine, tmp_path, groups):
    pid = killed_server(engine, tmp_path, groups)
    processes = ProcessRuntime(tmp_path)
    processes.sweep()
    wait_until(lambda: _has_ended(pid))
    with engine.client() as client:
        assert client.containers.list(all=True) == []
        assert client.volumes.list() == []
    processes.close()
    assert list(tmp_path.iterdir()) == []


def test_what_an_engine_that_is_away_still_holds_is_swept_when_it_is_back(engine, tmp_path, capfd):
    pid = killed_server(engine, tmp_path)
    engine.kill()
    try:
        processes = ProcessRuntime(tmp_path)
        processes.sweep()
        wait_until(lambda: _has_ended(pid))
        assert f"{engine.address} may still hold containers" in capfd.readouterr().err
    finally:
        engine.start()
    processes.sweep()
    processes.close()
    with engine.client() as client:
        assert client.containers.list(all=True) == []


def test_a_stuck_engine_holds_up_no_kill(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("localcloud.runtimes.engine_container.KILL_SECONDS", 1.0)
    monkeypatch.setattr(engine_client, "CALL_SECONDS", 2)
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    run = Run(runtime, "import time; print('up'); time.sleep(600)")
    run.wait_for("up")
    engine.process.send_signal(signal.SIGSTOP)
    try:
        run.container.kill()
        assert run.container.wait(0).code == 137
        wait_until(lambda: _has_ended(run.container.pid))
    finally:
        engine.process.send_signal(signal.SIGCONT)
    run.sandbox.remove()
    runtime.sweep()
    assert runtime.client.containers.list(all=True) == []
    runtime.close()


def _has_ended(pid):
    """Also as a zombie that nobody has asked about yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_engine_that_comes_back_loses_no_line(engine, tmp_path):
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    code = "import time\nfor i in range(40): print(i); time.sleep(0.1)\nexit(6)"
    run = Run(runtime, code)
    run.wait_for("5")
    engine.kill()
    time.sleep(0.5)
    engine.start()
    assert run.end(60).code == 6
    assert run.lines == [str(number) for number in range(40)]
    runtime.close()


def test_an_engine_that_stays_away_takes_its_containers_along(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("localcloud.runtimes.engine_container.PATIENCE_SECONDS", 1.0)
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    run = Run(runtime, "import time; print('up'); time.sleep(600)")
    run.wait_for("up")
    engine.kill()
    try:
        status = run.container.wait(30)
        assert status.code == 137
        assert "engine stopped answering" in status.reason
        wait_until(lambda: _has_ended(run.container.pid))
        run.sandbox.remove()
        with pytest.raises(OSError, match="does not answer: start it again"):
            runtime.find_image(BASE)
    finally:
        engine.start()
    runtime.sweep()
    assert runtime.client.containers.list(all=True) == []
    runtime.close()
