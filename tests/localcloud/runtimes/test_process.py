"""What only the process runtime has: a shim for each container, and this machine's own files."""

import psutil
import pytest
from runs import Run, specification, wait_until

from localcloud.runtimes.base import CannotStart
from localcloud.runtimes.process import ProcessRuntime


@pytest.fixture(scope="module", params=["auto", "watchdog"])
def runtime(request, tmp_path_factory):
    made = ProcessRuntime(tmp_path_factory.mktemp("tasks"), request.param)
    if request.param == "auto" and made.enforcement != "cgroup":
        made.close()
        pytest.skip("no control groups to write here")
    yield made
    made.close()


def test_environment_is_only_what_was_given(runtime):
    run = Run(runtime, "import os; print(sorted(os.environ))", environment={"A": "b"})
    run.end()
    assert run.lines == ["['A', 'LC_CTYPE']"] or run.lines == ["['A']"]


def test_stopped_in_time_is_143(runtime):
    """In a container its program is process 1, for which SIGTERM does nothing by itself."""
    run = Run(runtime, "import time; print('up'); time.sleep(60)", stop_timeout=10)
    run.wait_for("up")
    run.container.stop()
    assert run.end().code == 143


def test_grandchildren_die_with_the_main_process(runtime):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "  os.setsid()\n"
        "  if os.fork() == 0:\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
        "  os._exit(0)\n"
        "time.sleep(0.5)\n"
    )
    run = Run(runtime, code)
    assert run.end().code == 0
    assert not psutil.pid_exists(int(run.lines[0]))


def test_a_killed_shim_leaves_nothing(runtime):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "  os.setsid()\n"
        "os.write(1, b'%d\\n' % os.getpid())\n"
        "time.sleep(60)\n"
    )
    run = Run(runtime, code)
    wait_until(lambda: len(run.lines) == 2)
    psutil.Process(run.container.shim_pid).kill()
    wait_until(lambda: not psutil.pid_exists(run.container.pid))
    run.sandbox.remove()
    assert not any(psutil.pid_exists(int(line)) for line in run.lines)


def test_a_missing_working_directory_is_said(runtime):
    sandbox = runtime.sandbox("nowhere", 1, 64)
    with pytest.raises(CannotStart, match="working directory"):
        sandbox.start(specification(runtime, sandbox, "", working_directory="/no/such"))
    sandbox.remove()


def test_no_file_descriptor_of_the_server_is_inherited(runtime):
    run = Run(runtime, "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])")
    run.end()
    assert run.lines == ["[0, 1, 2]"]


def test_a_shim_that_is_stopped_holds_up_no_kill(runtime, monkeypatch):
    monkeypatch.setattr("localcloud.runtimes.container.KILL_SECONDS", 0.5)
    run = Run(runtime, "import time; print('up'); time.sleep(60)")
    run.wait_for("up")
    psutil.Process(run.container.shim_pid).suspend()
    run.container.kill()
    wait_until(lambda: run.container.wait(0))
    assert run.end().code == 137
    wait_until(lambda: not psutil.pid_exists(run.container.pid))
