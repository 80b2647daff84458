"""Starting Python code in a sandbox of either runtime, for tests."""

import itertools
import os
import sys
import time
from pathlib import Path

from container_engine import BASE

from localcloud.runtimes.base import ContainerSpec, Network
from localcloud.runtimes.engine import EngineRuntime

TOUCH_MEMORY = "x = bytearray({} << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\n"
BURN = "import time\nwhile time.process_time() < {}: pass\n"
NAMES = itertools.count(1)


def specification(runtime, sandbox, code, log=lambda batch: None, **more):
    """What runs Python ``code`` there. An engine's image has its own environment and folder."""
    if isinstance(runtime, EngineRuntime):
        given = {
            "command": ["python3", "-u", "-c", code],
            "environment": {},
            "working_directory": None,
            "image": runtime.find_image(BASE),
        }
    else:
        home = str(sandbox.directory / "main" / "home")
        given = {
            "command": [sys.executable, "-c", code],
            "environment": {"PATH": os.defpath, "HOME": home, "PYTHONUNBUFFERED": "1"},
            "working_directory": Path("/"),
        }
    return ContainerSpec(**{"name": "main", "log": log, **given, **more})


class Run:
    """Starts Python code in a sandbox of its own and keeps what it printed."""

    def __init__(self, runtime, code, cpu=2.0, memory=256, network=None, sandbox=None, **spec):
        self.lines = []
        self.runtime = runtime
        name = f"t{os.getpid()}-{next(NAMES)}"
        self.sandbox = sandbox or runtime.sandbox(name, cpu, memory, network=network)
        try:
            wanted = specification(runtime, self.sandbox, code, self.log, **spec)
            self.container = self.sandbox.start(wanted)
        except BaseException:
            self.sandbox.remove()
            raise

    def log(self, batch):
        self.lines += [line for _, line in batch]

    def end(self, timeout=30):
        status = self.container.wait(timeout)
        self.usage = self.sandbox.usage()
        self.sandbox.remove()
        return status

    def wait_for(self, text):
        wait_until(lambda: text in self.lines)


def network(address, *ports, reach=frozenset()):
    return Network(address, ports, lambda: set(reach))


def wait_until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
