"""Real processes under real limits, with control groups where this machine has them, and with
the watchdog everywhere."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from localcloud.runtimes.base import OUT_OF_MEMORY, CannotStart, ContainerSpec
from localcloud.runtimes.process import ProcessRuntime

TOUCH_MEMORY = "x = bytearray({} << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\n"
BURN = "import time\nwhile time.process_time() < {}: pass\n"


@pytest.fixture(scope="module", params=["auto", "watchdog"])
def runtime(request, tmp_path_factory):
    made = ProcessRuntime(tmp_path_factory.mktemp("tasks"), request.param)
    if request.param == "auto" and made.enforcement != "cgroup":
        made.close()
        pytest.skip("no control groups to write here")
    yield made
    made.close()


class Run:
    """Starts Python code in a sandbox of its own and keeps what it printed."""

    def __init__(self, runtime, code, cpu=2.0, memory=256, **spec):
        self.lines = []
        self.sandbox = runtime.sandbox(f"t{time.monotonic_ns()}", cpu, memory)
        self.container = self.sandbox.start(specification(self.sandbox, code, self.log, **spec))

    def log(self, batch):
        self.lines += [line for _, line in batch]

    def end(self, timeout=20):
        status = self.container.wait(timeout)
        self.usage = self.sandbox.usage()
        self.sandbox.remove()
        return status


def specification(sandbox, code, log=lambda batch: None, **more):
    environment = {
        "PATH": os.defpath,
        "HOME": str(sandbox.directory / "main" / "home"),
        "PYTHONUNBUFFERED": "1",
    }
    return ContainerSpec(
        **{
            "name": "main",
            "command": [sys.executable, "-c", code],
            "environment": environment,
            "working_directory": Path("/"),
            "log": log,
            **more,
        }
    )


def test_exit_code_lines_and_scratch(runtime):
    run = Run(runtime, "print('one'); print('two'); print(); print('end', end=''); exit(3)")
    status = run.end()
    assert (status.code, status.reason) == (3, None)
    assert run.lines == ["one", "two", "end"] or run.lines == ["one", "two", "", "end"]
    assert not run.sandbox.directory.exists()


def test_environment_is_only_what_was_given(runtime):
    run = Run(runtime, "import os; print(sorted(os.environ))", environment={"A": "b"})
    run.end()
    assert run.lines == ["['A', 'LC_CTYPE']"] or run.lines == ["['A']"]


def test_memory_above_the_limit_is_137_with_the_reason(runtime):
    run = Run(runtime, TOUCH_MEMORY.format(700) + "import time; time.sleep(5)", memory=256)
    status = run.end()
    assert (status.code, status.reason) == (137, OUT_OF_MEMORY)


def test_memory_below_the_limit_passes_and_the_peak_is_seen(runtime):
    run = Run(runtime, TOUCH_MEMORY.format(120) + "del x", memory=256)
    assert run.end().code == 0
    assert 120 <= run.usage.memory_peak_bytes / 2**20 <= 256


def test_a_container_has_its_own_memory_limit(runtime):
    code = TOUCH_MEMORY.format(300) + "import time; time.sleep(5)"
    run = Run(runtime, code, memory=1024, memory_mib=100)
    assert run.end().reason == OUT_OF_MEMORY


def test_a_killed_child_of_a_program_that_goes_on_is_no_failure(runtime):
    code = "import os, signal\np = os.fork()\nif p == 0: os.kill(os.getpid(), 9)\nos.wait()"
    assert Run(runtime, code).end().code == 0


def test_cpu_is_held_to_its_share(runtime):
    began = time.monotonic()
    run = Run(runtime, BURN.format(0.5), cpu=0.25)
    assert run.end().code == 0
    assert 0.5 <= run.usage.cpu_seconds < 0.8
    assert run.usage.cpu_seconds / (time.monotonic() - began) < 0.45


def test_cpu_of_several_processes_is_held_together(runtime):
    code = "import os\np = os.fork()\n" + BURN.format(0.3) + "\nif p: os.wait()"
    began = time.monotonic()
    run = Run(runtime, code, cpu=0.4)
    run.end()
    assert 0.6 <= run.usage.cpu_seconds < 1.0
    assert run.usage.cpu_seconds / (time.monotonic() - began) < 0.65


def test_stopped_in_time_is_143(runtime):
    run = Run(runtime, "import time; print('up'); time.sleep(60)", stop_timeout=10)
    wait_for_line(run, "up")
    run.container.stop()
    assert run.end().code == 143


def test_own_handler_of_sigterm_gives_its_own_code(runtime):
    code = (
        "import signal, sys, time\nsignal.signal(15, lambda *a: sys.exit(7))\n"
        "print('up'); time.sleep(60)"
    )
    run = Run(runtime, code)
    wait_for_line(run, "up")
    run.container.stop()
    assert run.end().code == 7


def test_deaf_to_sigterm_is_137_after_stop_timeout(runtime):
    code = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up'); time.sleep(60)"
    run = Run(runtime, code, stop_timeout=0.5)
    wait_for_line(run, "up")
    began = time.monotonic()
    run.container.stop()
    assert time.monotonic() - began >= 0.5
    status = run.end()
    assert (status.code, status.reason) == (137, None)


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


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["no-such-program"], "executable file not found in $PATH"),
        (["/no/such/program"], "no such file or directory"),
        (["/etc/passwd"], "permission denied"),
    ],
)
def test_a_command_that_cannot_be_executed(runtime, command, said):
    sandbox = runtime.sandbox("broken", 1, 64)
    with pytest.raises(CannotStart, match="exec: ") as caught:
        sandbox.start(specification(sandbox, "", command=command))
    assert said in str(caught.value)
    sandbox.remove()


def test_a_missing_working_directory_is_said(runtime):
    sandbox = runtime.sandbox("nowhere", 1, 64)
    with pytest.raises(CannotStart, match="working directory"):
        sandbox.start(specification(sandbox, "", working_directory=Path("/no/such")))
    sandbox.remove()


def test_no_file_descriptor_of_the_server_is_inherited(runtime):
    run = Run(runtime, "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])")
    run.end()
    assert run.lines == ["[0, 1, 2]"]


def test_many_lines_arrive_complete_and_in_order(runtime):
    run = Run(runtime, "for i in range(50_000): print(i)")
    run.end()
    assert run.lines == [str(i) for i in range(50_000)]


def test_long_lines_are_cut_and_bad_bytes_replaced(runtime):
    code = "import os; os.write(1, b'a' * 300_000 + b'\\n\\xff\\xfe ok\\r\\n')"
    run = Run(runtime, code)
    run.end()
    assert "".join(run.lines[:-1]) == "a" * 300_000
    assert run.lines[-1] == "\ufffd\ufffd ok"


def wait_for_line(run, text):
    wait_until(lambda: text in run.lines)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
