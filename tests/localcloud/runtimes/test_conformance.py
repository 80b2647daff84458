"""What every runtime does alike: processes with control groups, with the watchdog, containers."""

import os
import time

import psutil
import pytest
from runs import BURN, TOUCH_MEMORY, Run, wait_until

from localcloud.runtimes.base import OUT_OF_MEMORY, CannotStart
from localcloud.runtimes.engine import EngineRuntime

ON_SIGTERM = (
    "import signal, sys, time\nsignal.signal(15, lambda *a: sys.exit(7))\n"
    "print('up'); time.sleep(60)"
)
DEAF = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up'); time.sleep(60)"


def test_exit_code_lines_and_scratch(runtime):
    run = Run(runtime, "print('one'); print('two'); print(); print('end', end=''); exit(3)")
    status = run.end()
    assert (status.code, status.reason) == (3, None)
    assert [line for line in run.lines if line] == ["one", "two", "end"]
    assert not run.sandbox.directory.exists()


def test_environment_is_what_was_given_and_nothing_of_ours(runtime, monkeypatch):
    monkeypatch.setenv("OF_THE_SERVER", "1")
    value = "a b'\"$x\\n=ü"
    code = "import os; print(os.environ['A']); print('OF_THE_SERVER' in os.environ)"
    run = Run(runtime, code, environment={"A": value, "PYTHONUTF8": "1"})
    assert run.end().code == 0
    assert run.lines == [value, "False"]


def test_memory_above_the_limit_is_137_with_the_reason(runtime):
    run = Run(runtime, TOUCH_MEMORY.format(700) + "import time; time.sleep(5)", memory=256)
    status = run.end()
    assert (status.code, status.reason) == (137, OUT_OF_MEMORY)
    assert run.usage.memory_peak_bytes >= 200 << 20


def test_memory_below_the_limit_passes_and_the_peak_is_seen(runtime):
    code = TOUCH_MEMORY.format(120) + "import time; time.sleep(0.6); del x"
    run = Run(runtime, code, memory=256)
    assert run.end().code == 0
    assert 120 <= run.usage.memory_peak_bytes / 2**20 <= 256


def test_a_container_has_its_own_memory_limit(runtime):
    code = TOUCH_MEMORY.format(300) + "import time; time.sleep(5)"
    run = Run(runtime, code, memory=1024, memory_mib=100)
    assert run.end().reason == OUT_OF_MEMORY


def test_containers_share_memory(runtime):
    code = TOUCH_MEMORY.format(150) + "print('up')\nimport time; time.sleep(60)"
    first = Run(runtime, code, memory=256)
    first.wait_for("up")
    second = Run(runtime, code, sandbox=first.sandbox, name="second")
    wait_until(lambda: first.container.wait(0) or second.container.wait(0))
    ended = [status for run in (first, second) if (status := run.container.wait(0))]
    first.sandbox.remove()
    assert [status.reason for status in ended] == [OUT_OF_MEMORY]


def test_killed_from_outside_is_137_without_a_reason(runtime):
    run = Run(runtime, "import time; print('up'); time.sleep(60)")
    run.wait_for("up")
    psutil.Process(run.container.pid).kill()
    status = run.end()
    assert (status.code, status.reason) == (137, None)


def test_a_killed_child_of_a_program_that_goes_on_is_no_failure(runtime):
    code = "import os, signal\np = os.fork()\nif p == 0: os.kill(os.getpid(), 9)\nos.wait()"
    assert Run(runtime, code).end().code == 0


def test_cpu_is_held_to_its_share(runtime):
    """By the program's own clocks, so that the time to start it plays no part."""
    code = "import time\nbegan = time.monotonic()\n" + BURN.format(0.5)
    run = Run(runtime, code + "print(time.monotonic() - began)", cpu=0.25)
    assert run.end().code == 0
    assert 0.5 <= run.usage.cpu_seconds < 1.0
    assert 0.5 / float(run.lines[0]) < 0.4


def test_cpu_of_several_processes_is_held_together(runtime):
    code = "import os, time\nbegan = time.monotonic()\np = os.fork()\n" + BURN.format(0.3)
    run = Run(runtime, code + "if p: os.wait(); print(time.monotonic() - began)", cpu=0.4)
    assert run.end().code == 0
    assert 0.6 <= run.usage.cpu_seconds < 1.2
    assert 0.6 / float(run.lines[-1]) < 0.65


def test_own_handler_of_sigterm_gives_its_own_code(runtime):
    run = Run(runtime, ON_SIGTERM)
    run.wait_for("up")
    run.container.stop()
    assert run.end().code == 7


def test_deaf_to_sigterm_is_137_after_stop_timeout(runtime):
    run = Run(runtime, DEAF, stop_timeout=0.5)
    run.wait_for("up")
    began = time.monotonic()
    run.container.stop()
    assert time.monotonic() - began >= 0.5
    status = run.end()
    assert (status.code, status.reason) == (137, None)


def test_stopping_what_has_ended_keeps_its_code(runtime):
    run = Run(runtime, "exit(5)")
    assert run.container.wait(20).code == 5
    run.container.stop()
    run.container.kill()
    assert run.end().code == 5


def test_grandchildren_die_with_the_main_process(runtime):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "  os.setsid()\n"
        "  if os.fork() == 0:\n"
        "    time.sleep(4321)\n"
        "  os._exit(0)\n"
        "time.sleep(0.5)\n"
    )
    run = Run(runtime, code + f"#{os.getpid()}\n")
    assert run.end().code == 0
    assert not [p for p in psutil.process_iter() if _says(p, f"#{os.getpid()}\n")]


def _says(process, words):
    try:
        return any(words in word for word in process.cmdline()) and "-c" in process.cmdline()
    except psutil.Error:
        return False


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["no-such-program"], 'exec: "no-such-program": executable file not found in $PATH'),
        (["/no/such/program"], 'exec: "/no/such/program": no such file or directory'),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
    ],
)
def test_a_command_that_cannot_be_executed(runtime, command, said):
    with pytest.raises(CannotStart) as caught:
        Run(runtime, "", command=command)
    assert str(caught.value) == said


def test_working_directory(runtime):
    run = Run(runtime, "import os; print(os.getcwd())", working_directory="/usr/lib")
    run.end()
    assert run.lines == ["/usr/lib"]


def test_a_command_beside_it(runtime):
    run = Run(runtime, "import time; print('up'); time.sleep(60)")
    run.wait_for("up")
    assert run.container.execute(["sh", "-c", "exit 0"], 10) == 0
    assert run.container.execute(["sh", "-c", "exit 4"], 10) == 4
    assert run.container.execute(["no-such-program"], 10) != 0
    began = time.monotonic()
    assert run.container.execute(["sleep", "30"], 0.5) is None
    assert time.monotonic() - began < 10
    run.container.kill()
    run.end()


def test_many_lines_arrive_complete_and_in_order(runtime):
    run = Run(runtime, "for i in range(50_000): print(i)")
    run.end()
    assert run.lines == [str(i) for i in range(50_000)]


def test_lines_of_both_outputs_stay_whole(runtime):
    code = (
        "import os, threading\n"
        "def say(fd):\n"
        "  for i in range(300): os.write(fd, b'%d ' % fd * 500 + b'\\n')\n"
        "threads = [threading.Thread(target=say, args=[fd]) for fd in (1, 2)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
    )
    run = Run(runtime, code)
    run.end()
    assert sorted(run.lines) == ["1 " * 500] * 300 + ["2 " * 500] * 300


def test_long_lines_are_cut_and_bad_bytes_replaced(runtime):
    code = "import os; os.write(1, b'a' * 300_000 + b'\\n\\xff\\xfe ok\\r\\n')"
    run = Run(runtime, code)
    run.end()
    assert "".join(run.lines[:-1]) == "a" * 300_000
    assert run.lines[-1] == "\ufffd\ufffd ok"


def test_removing_a_sandbox_ends_what_runs_in_it(runtime):
    run = Run(runtime, DEAF)
    run.wait_for("up")
    run.sandbox.remove()
    assert run.container.wait(0).code == 137
    wait_until(lambda: not psutil.pid_exists(run.container.pid))


def test_twenty_sandboxes_at_once(runtime):
    runs = [Run(runtime, f"print({number}); exit({number})") for number in range(20)]
    assert [run.end(60).code for run in runs] == list(range(20))
    assert [run.lines for run in runs] == [[str(number)] for number in range(20)]


def test_nothing_is_left_of_a_sandbox(runtime):
    run = Run(runtime, "print(1)")
    run.end()
    assert list(runtime.root.glob(f"{run.sandbox.directory.name}*")) == []
    if isinstance(runtime, EngineRuntime):
        names = {one.name for one in runtime.client.containers.list(all=True)}
        assert not [name for name in names if run.sandbox.name in name]
