"""One container of the process runtime: a shim process, and two threads that follow it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from localcloud.runtimes import attached
from localcloud.runtimes.base import OUT_OF_MEMORY, CannotStart, ContainerSpec, ExitStatus
from localcloud.runtimes.lines import pump

KILL_SECONDS = 30.0
SHIM = Path(__file__).with_name("shim.py")


class ProcessContainer:
    """A command that runs in its own session below a shim (see ``shim.py``).

    ``procs_files`` are the control groups to join; ``out_of_memory`` is asked after the end, with
    the shim's process id, whether the memory limit killed something in it; ``kill_rest`` is called
    if the shim itself was killed and could not end its tree. Raises CannotStart.
    """

    def __init__(
        self,
        spec: ContainerSpec,
        procs_files: list[Path],
        out_of_memory: Callable[[int], bool],
        kill_rest: Callable[[], None],
    ):
        self.spec, self._kill_rest = spec, kill_rest
        self._procs_files = procs_files
        self.cpu_seconds, self.memory_peak_bytes = 0.0, 0
        self._out_of_memory = out_of_memory
        self._status: ExitStatus | None = None
        self._ended = threading.Event()
        self._shim, self._reports, output = _start_shim(spec, procs_files)
        self.shim_pid = self._shim.pid
        first = self._report()
        if "pid" not in first:
            self._shim.wait()
            self._reports.close()
            os.close(output)
            raise CannotStart(first.get("error", "the process supervisor was killed"))
        self.pid: int = first["pid"]
        self._lines = threading.Thread(target=pump, args=(output, spec.log), daemon=True)
        self._lines.start()
        threading.Thread(target=self._follow, daemon=True).start()

    def wait(self, timeout: float | None = None) -> ExitStatus | None:
        self._ended.wait(timeout)
        return self._status

    def execute(self, command: list[str], timeout: float) -> int | None:
        spec = dataclasses.replace(self.spec, command=command, log=lambda lines: None)
        try:
            beside = ProcessContainer(spec, self._procs_files, lambda _: False, lambda: None)
        except (CannotStart, OSError):
            return None
        status = beside.wait(timeout)
        if status is None:
            beside.kill()
        return status and status.code

    def attached(self, command: list[str], streams: list[int], tty: bool) -> ProcessContainer:
        def start(words: list[str]) -> ProcessContainer:
            spec = dataclasses.replace(self.spec, command=words, log=lambda lines: None)
            return ProcessContainer(spec, self._procs_files, lambda _: False, lambda: None)

        return attached.run(start, command, streams, tty)

    def stop(self) -> None:
        self._ask(b"T")
        if self.wait(self.spec.stop_timeout) is None:
            self.kill()

    def kill(self) -> None:
        self._ask(b"K")
        if not self._ended.wait(KILL_SECONDS):
            # The shim does not do as it is asked, as when somebody has stopped it.
            self._shim.kill()
            self._ended.wait(KILL_SECONDS)

    def _ask(self, request: bytes) -> None:
        with suppress(OSError, ValueError):
            self._shim.stdin.write(request)

    def _report(self) -> dict[str, Any]:
        line = self._reports.readline()
        return json.loads(line) if line else {}

    def _follow(self) -> None:
        last = self._report()
        self._shim.wait()
        self._shim.stdin.close()
        self._reports.close()
        if not last:
            self._kill_rest()
        # The tree is dead, so the pipe has an end; a stuck log service must not hold the task.
        self._lines.join(timeout=30)
        self.cpu_seconds = last.get("cpu_seconds", 0.0)
        self.memory_peak_bytes = last.get("max_rss", 0)
        code = last.get("code", 137)
        reason = OUT_OF_MEMORY if code and self._out_of_memory(self.shim_pid) else None
        self._status = ExitStatus(137 if reason else code, reason)
        self._ended.set()


def _start_shim(spec: ContainerSpec, procs_files: list[Path]):
    """The shim's process, its report stream, and the read end of the container's output."""
    read_output, write_output = os.pipe()
    read_status, write_status = os.pipe()
    try:
        shim = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SHIM), str(write_status)],
            stdin=subprocess.PIPE,
            stdout=write_output,
            stderr=write_output,
            bufsize=0,
            pass_fds=[write_status],
            start_new_session=True,
            cwd="/",
            env={},
        )
    finally:
        os.close(write_output)
        os.close(write_status)
    order = {
        "command": spec.command,
        "environment": spec.environment,
        "cwd": str(spec.working_directory),
        "cgroups": [str(path) for path in procs_files],
    }
    message = memoryview(json.dumps(order).encode() + b"\n")
    while message:
        message = message[shim.stdin.write(message) :]
    return shim, os.fdopen(read_status, "rb"), read_output
