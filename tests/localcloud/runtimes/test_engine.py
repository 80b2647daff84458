"""What only the container runtime has: volumes, settings, and an engine without groups of ours."""

import os
import signal
import subprocess

import pytest
from runs import BURN, TOUCH_MEMORY, Run, wait_until

from localcloud.runtimes import engine_client
from localcloud.runtimes.base import OUT_OF_MEMORY, CannotStart, Mount, Network
from localcloud.runtimes.engine import EngineRuntime


def test_a_volume_is_shared_and_ends_with_its_sandbox(container_runtime):
    def mounts(read_only):
        return {"mounts": (Mount("shared", "/srv/data", read_only),)}

    write = "open('/srv/data/x', 'w').write('hi')"
    first = Run(container_runtime, write, **mounts(False))
    assert first.container.wait(20).code == 0
    read = "print(open('/srv/data/x').read())\nopen('/srv/data/y', 'w')"
    second = Run(container_runtime, read, sandbox=first.sandbox, name="second", **mounts(True))
    assert second.container.wait(20).code == 1
    assert second.lines[0] == "hi"
    assert "Read-only file system" in second.lines[-1]
    first.sandbox.remove()
    assert container_runtime.client.volumes.list() == []


def test_settings_are_honoured(container_runtime, tmp_path):
    (tmp_path / "given").write_text("of this machine")
    code = (
        "import os, resource\n"
        "print(os.getuid(), open('/given').read(), resource.getrlimit(resource.RLIMIT_NOFILE))\n"
        "open('/etc/x', 'w')"
    )
    run = Run(
        container_runtime,
        code,
        mounts=(Mount(str(tmp_path / "given"), "/given", read_only=True),),
        settings={
            "user": "nobody",
            "read_only": True,
            "ulimits": [
                {"name": "nofile", "soft": 100, "hard": 200},
                {"name": "nproc", "soft": 500, "hard": 500},
            ],
        },
    )
    run.end()
    assert run.lines[0] == "65534 of this machine (100, 200)"
    assert "Read-only file system" in run.lines[-1]


def test_an_unknown_user_is_said(container_runtime):
    with pytest.raises(CannotStart, match="unable to find user ghost"):
        Run(container_runtime, "", settings={"user": "ghost"})


def test_process_one_is_deaf_to_sigterm_unless_it_listens(container_runtime):
    code = "import time; print('up'); time.sleep(60)"
    run = Run(container_runtime, code, stop_timeout=0.5)
    run.wait_for("up")
    run.container.stop()
    assert run.end().code == 137


def test_an_engine_whose_groups_we_cannot_make(engine, tmp_path):
    """Then each container has the limits for itself, and this machine's network."""
    found = engine_client.look(engine.address)
    far = engine_client.Engine(found.address, found.name, groups=False, here=False)
    runtime = EngineRuntime(tmp_path, far)
    own = Network("127.45.1.8", (), set)
    run = Run(runtime, TOUCH_MEMORY.format(300), memory=256, network=own)
    assert run.end().reason == OUT_OF_MEMORY
    code = "import time\nbegan = time.monotonic()\n" + BURN.format(0.5)
    run = Run(runtime, code + "print(time.monotonic() - began)", cpu=0.25)
    assert run.end().code == 0
    assert 0.5 / float(run.lines[0]) < 0.4
    run = Run(runtime, TOUCH_MEMORY.format(100) + "import time; time.sleep(5)", memory=256)
    wait_until(lambda: run.sandbox.usage().memory_peak_bytes > 100 << 20)
    assert run.end().code == 0
    runtime.close()


def test_the_program_that_holds_a_network_for_the_other_architecture(tmp_path):
    """Both programs wait until they are killed; the foreign one runs where its emulator is."""
    emulators = {"x86_64": None, "aarch64": "qemu-aarch64-static"}
    for machine, emulator in emulators.items():
        file = tmp_path / machine
        file.write_bytes(engine_client._elf(*engine_client.PAUSE_CODE[machine]))
        file.chmod(0o755)
        command = [str(file)] if machine == os.uname().machine else [emulator, str(file)]
        try:
            process = subprocess.Popen(command)
        except OSError:
            continue
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
