"""What a server that died leaves: nothing at once, and nothing after the next start."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from localcloud.runtimes.process import ProcessRuntime

SERVER = """
import sys, time
from pathlib import Path
from localcloud.runtimes.base import ContainerSpec
from localcloud.runtimes.process import ProcessRuntime
runtime = ProcessRuntime(Path(sys.argv[1]), sys.argv[2])
runtime.sweep()
sandbox = runtime.sandbox("one", 1, 256)
code = '''
import os, time
if os.fork() == 0:
    os.setsid()
print(os.getpid(), flush=True)
time.sleep(100)
'''
def log(batch):
    for _, line in batch:
        print(line, flush=True)
home = {"HOME": str(sandbox.directory / "main" / "home")}
c = sandbox.start(ContainerSpec("main", [sys.executable, "-c", code], home, Path("/"), log))
print(c.shim_pid, flush=True)
time.sleep(100)
"""


def start(root, enforcement):
    """A server with one task of two processes; its process, and the three below it."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(root), enforcement], stdout=subprocess.PIPE, text=True
    )
    pids = [int(server.stdout.readline()) for _ in range(3)]
    return server, pids


def gone(pids, seconds=5):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(alive(pid) for pid in pids)


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("enforcement", ["auto", "watchdog"])
def test_tasks_die_with_a_killed_server(tmp_path, enforcement):
    server, pids = start(tmp_path, enforcement)
    server.kill()
    server.wait()
    assert gone(pids)
    ProcessRuntime(tmp_path, enforcement).close()


@pytest.mark.parametrize("enforcement", ["auto", "watchdog"])
def test_the_next_start_clears_what_a_killed_server_and_shim_left(tmp_path, enforcement):
    server, pids = start(tmp_path, enforcement)
    shim = max(pids, key=lambda pid: "shim.py" in " ".join(psutil.Process(pid).cmdline()))
    os.kill(server.pid, signal.SIGSTOP)
    os.kill(shim, signal.SIGKILL)
    server.kill()
    server.wait()
    runtime = ProcessRuntime(tmp_path, enforcement)
    runtime.sweep()
    assert gone(pids, seconds=0)
    assert not (tmp_path / "one").exists()
    runtime.close()
    assert list(tmp_path.iterdir()) == []


def test_a_reused_process_id_is_left_alone(tmp_path):
    stranger = subprocess.Popen(["sleep", "100"])
    (tmp_path / "one" / "main").mkdir(parents=True)
    (tmp_path / "one" / "main" / ".processes.json").write_text(f'{{"{stranger.pid}": 1.0}}')
    runtime = ProcessRuntime(tmp_path, "watchdog")
    runtime.sweep()
    runtime.close()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
