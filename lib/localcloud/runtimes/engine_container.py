"""One container of an engine, and the threads that follow it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psutil
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from localcloud.runtimes.base import OUT_OF_MEMORY, CannotStart, ContainerSpec, ExitStatus
from localcloud.runtimes.engine_client import one_line
from localcloud.runtimes.lines import LONGEST_LINE_BYTES, pump

LOST = "the container engine stopped answering, and its container was killed"
PATIENCE_SECONDS = 15.0
KILL_SECONDS = 60.0
LOOK_SECONDS = 0.05
ENDED = ("exited", "dead")
STARTING = re.compile(r'unable to start container process: (?P<why>.*?)(: OCI|: unknown|"?\)?$)')
EXEC = re.compile(r'(exec: "[^"]*": )stat [^:]*: ')


class EngineContainer:
    """``made`` has been created and is started here. ``ran_out`` is asked after an end by SIGKILL
    that nobody here sent: was it for memory? ``kill_rest`` ends its processes if the engine
    cannot. ``here``: the engine's process numbers are this machine's. Raises CannotStart.
    """

    def __init__(
        self,
        spec: ContainerSpec,
        made: Container,
        ran_out: Callable[[], bool],
        kill_rest: Callable[[int], None],
        here: bool,
    ):
        self.spec, self._made, self._api = spec, made, made.client.api
        self._ran_out, self._kill_rest, self._here = ran_out, kill_rest, here
        self._status: ExitStatus | None = None
        self._ended, self._concluding = threading.Event(), threading.Lock()
        self._killed = False
        self._measured = (0.0, 0)
        self._seen = {"stdout": 0, "stderr": 0}
        try:
            # Before the start, so that no line is missed.
            output = made.attach(stdout=True, stderr=True, stream=True, demux=True)
            made.start()
        except APIError as error:
            raise CannotStart(said(error)) from None
        self.pid = self._state().get("Pid") or 0
        self._born = _born(self.pid)
        read_end, self._write_end = os.pipe()
        self._lines = threading.Thread(target=pump, args=(read_end, spec.log), daemon=True)
        self._lines.start()
        threading.Thread(target=self._follow, args=(output,), daemon=True).start()

    def wait(self, timeout: float | None = None) -> ExitStatus | None:
        self._ended.wait(timeout)
        return self._status

    def execute(self, command: list[str], timeout: float) -> int | None:
        """An engine has no call that ends an execution: one that takes too long is killed."""
        try:
            run = self._api.exec_create(self._made.id, command)["Id"]
            waiting = threading.Thread(target=self._exhaust, args=(run,), daemon=True)
            waiting.start()
            waiting.join(timeout)
            now = self._api.exec_inspect(run)
            if waiting.is_alive():
                # 0 would be ourselves; another machine's process has a number of that machine.
                if now["Running"] and now["Pid"] > 0 and self._here:
                    os.kill(now["Pid"], signal.SIGKILL)
                return None
            return None if now["Running"] else now["ExitCode"]
        except (DockerException, OSError, LookupError):
            return None

    def _exhaust(self, run: str) -> None:
        with suppress(DockerException, OSError):
            for _ in self._api.exec_start(run, stream=True):
                pass

    def attached(self, command: list[str], streams: list[int], tty: bool) -> EngineContainer:
        raise CannotStart("a container of an engine is not attached to here: use docker exec")

    def stop(self) -> None:
        self._signal("SIGTERM")
        if self.wait(self.spec.stop_timeout) is None:
            self.kill()

    def kill(self) -> None:
        self._killed = True
        if not self._signal("SIGKILL") and not self._ended.is_set():
            self._end_by_itself()
        if not self._ended.wait(KILL_SECONDS):
            # The engine neither ends it nor says so: a task must not wait for that.
            self._end_by_itself()
            self._conclude(ExitStatus(137, LOST))

    def measure(self) -> tuple[float, int]:
        """CPU seconds so far and memory now, in bytes, as the engine says."""
        if self._status is None:
            with suppress(DockerException, OSError, LookupError):
                found = self._api.stats(self._made.id, stream=False, one_shot=True)
                memory = found["memory_stats"]
                cache = memory.get("stats", {}).get("inactive_file", 0)
                cpu = found["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
                self._measured = (cpu, max(0, memory.get("usage", 0) - cache))
        else:
            self._measured = (self._measured[0], 0)
        return self._measured

    def _signal(self, name: str) -> bool:
        """Whether the engine took it. Of one that has ended it says so, with an error."""
        try:
            self._made.kill(signal=name)
        except APIError:
            return self._ended.wait(1.0)
        except (DockerException, OSError):
            return False
        return True

    def _state(self) -> dict[str, Any]:
        return self._api.inspect_container(self._made.id)["State"]

    def _follow(self, output: Iterator[tuple[bytes | None, bytes | None]]) -> None:
        streams = {name: _Lines(self._write) for name in self._seen}
        try:
            status = self._follow_to_end(output, streams)
            for stream in streams.values():
                stream.finish()
        except Exception as error:
            status = ExitStatus(137, f"{LOST}: {error!r}")
        os.close(self._write_end)
        self._lines.join(timeout=30)  # a stuck log service must not hold the task
        self._conclude(status)

    def _conclude(self, status: ExitStatus) -> None:
        """What is said first holds."""
        with self._concluding:
            if not self._ended.is_set():
                self._status = status
                self._ended.set()

    def _follow_to_end(self, output: Iterator, streams: dict[str, _Lines]) -> ExitStatus:
        with suppress(DockerException, OSError):
            for pieces in output:
                for name, data in zip(streams, pieces, strict=True):
                    if data:
                        self._seen[name] += len(data)
                        streams[name].feed(data)
            return self._end()
        # The engine went away. Its containers may live on; what they said meanwhile is in its log.
        if not self._answers_again():
            self._end_by_itself()
            return ExitStatus(137, LOST)
        status = self._end()
        for name, stream in streams.items():
            which = {"stdout": name == "stdout", "stderr": name == "stderr"}
            stream.feed(self._api.logs(self._made.id, **which)[self._seen[name] :])
        return status

    def _end(self) -> ExitStatus:
        """Wait for it. Output mostly ends with the program, and a call that waits may itself look
        only a few times a second: so look often at first."""
        for _ in range(10):
            state = self._state()
            if state["Status"] in ENDED:
                return self._exit_status(state)
            time.sleep(LOOK_SECONDS)
        self._api.wait(self._made.id, timeout=None)
        return self._exit_status(self._state())

    def _answers_again(self) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not self._killed:
            try:
                self._state()
                return True
            except NotFound:
                return False
            except (DockerException, OSError):
                time.sleep(LOOK_SECONDS)
        return False

    def _end_by_itself(self) -> None:
        """Kill what is left of it without the engine."""
        if self._born and _born(self.pid) == self._born:
            self._kill_rest(self.pid)

    def _exit_status(self, state: dict[str, Any]) -> ExitStatus:
        code = state["ExitCode"]
        unasked = code == 137 and not self._killed
        if state.get("OOMKilled") or (unasked and self._ran_out()):
            return ExitStatus(137, OUT_OF_MEMORY)
        return ExitStatus(code)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._write_end, data) :]


class _Lines:
    """Passes on whole lines of one stream, so that two never mix within a line."""

    def __init__(self, write: Callable[[bytes], None]):
        self._write, self._rest = write, b""

    def feed(self, data: bytes) -> None:
        whole, end, rest = (self._rest + data).rpartition(b"\n")
        if len(rest) >= LONGEST_LINE_BYTES:
            whole, rest = whole + end + rest, b""
            end = b""
        self._rest = rest
        if whole or end:
            self._write(whole + end)

    def finish(self) -> None:
        if self._rest:
            self._write(self._rest + b"\n")


def said(error: APIError) -> str:
    """The engine's words, as runc's alone where they are about a command; in one line."""
    words = one_line(error.explanation or str(error))
    found = STARTING.search(words)
    return EXEC.sub(r"\1", found["why"]) if found else words


def _born(pid: int) -> float | None:
    with suppress(psutil.Error, ValueError):
        return psutil.Process(pid).create_time() if pid else None
    return None
