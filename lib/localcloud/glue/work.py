"""One run's life, from STARTING to its end, in a thread."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.ecs.awslogs import LogStream
from localcloud.failures import TaskFailed
from localcloud.glue import capacity, pace, rules, script
from localcloud.glue.job_runs import RUNNING, JobRun
from localcloud.runtimes.base import CannotStart, Container, ContainerSpec, ExitStatus, LogBatch

if TYPE_CHECKING:
    from localcloud.glue import Glue

LOOK_SECONDS = 0.2
CONTAINER = "worker"
NO_FILE_SYSTEM = 'No FileSystem for scheme "s3'
READ_S3 = (
    "The local cloud's Spark has no file system for s3:// (its jars are not there): read and write "
    "objects with boto3 or pyarrow, as containers/spark/flights.py does."
)


class Work:
    """``thread`` runs it; ``request_stop`` may come from any other."""

    def __init__(self, glue: Glue, run: JobRun):
        self._glue, self._run = glue, run
        self._stop = threading.Event()
        self._lost = ""
        self.thread = threading.Thread(target=self._work, name=run.job_run_id[:11], daemon=True)

    def request_stop(self, lost: str = "") -> None:
        """``lost`` says why, when it was not a caller who wanted it."""
        self._lost = lost
        self._stop.set()

    def _work(self) -> None:
        try:
            state, error = self._attempt()
        except script.LaunchError as failure:
            state, error = "FAILED", str(failure)
        except (CannotStart, OSError) as failure:
            state, error = "FAILED", f"LAUNCH ERROR | {failure}"
        except Exception as failure:
            traceback.print_exc()
            state, error = "FAILED", f"Internal service error: {failure!r}: see the server's log"
        if self._stop.is_set():
            state, error = ("FAILED", self._lost) if self._lost else ("STOPPED", "")
        self._glue.conclude(self._run, state, error)

    def _attempt(self) -> tuple[str, str]:
        run, glue = self._run, self._glue
        role = self._role()
        logs = {kind: self._stream(kind, role) for kind in ("output", "error")}
        room = capacity.of(run.settings)
        address = glue.credentials.register(role)
        sandbox = glue.runtime.sandbox(run.job_run_id, room.vcpu_here, room.memory_mib_here)
        try:
            s3 = glue.clients.get("s3", role)
            ready = script.prepare(run, s3, sandbox.directory / CONTAINER, address, glue.endpoint)
            if self._stop.is_set():
                return "STOPPED", ""
            ready.error_lines.touch()
            logs["error"](stamped([room.notice()]))
            errors = Tail(ready.error_lines)
            container = sandbox.start(self._spec(ready, logs["output"]))
            with glue.lock:
                if not self._stop.is_set():
                    glue.note(run, RUNNING)
            state, status = self._follow(container, lambda: logs["error"](errors.read()))
            logs["error"](errors.read(to_end=True))
            if state:
                return state, ""
            return self._judged(status, ready.error_message, logs["error"])
        finally:
            glue.credentials.forget(address)
            sandbox.remove()

    def _role(self) -> str:
        run = self._run
        try:
            return rules.role_arn(run.settings["Role"])
        except rules.InvalidInput as error:
            raise script.LaunchError(
                f"JobName:{run.job_name} and JobRunId:{run.job_run_id} failed to execute with "
                f"exception {error.message}"
            ) from None

    def _spec(self, ready: script.Script, log) -> ContainerSpec:
        return ContainerSpec(
            name=CONTAINER,
            command=ready.command,
            environment=ready.environment,
            working_directory=ready.directory,
            log=log,
        )

    def _follow(self, container: Container, collect) -> tuple[str, ExitStatus | None]:
        """TIMEOUT or STOPPED if it had to be killed, else how it ended."""
        seconds = self._run.settings["Timeout"] * 60 / pace.factor()
        deadline = time.monotonic() + seconds
        while (status := container.wait(LOOK_SECONDS)) is None:
            collect()
            if self._stop.is_set() or time.monotonic() >= deadline:
                container.kill()
                return ("STOPPED" if self._stop.is_set() else "TIMEOUT"), None
        return "", status

    def _judged(self, status: ExitStatus, message: Path, log) -> tuple[str, str]:
        if status.code == 0:
            return "SUCCEEDED", ""
        if status.reason:
            return "FAILED", f"Command failed with exit code {status.code}: {status.reason}"
        try:
            said = message.read_text()
        except OSError:
            return "FAILED", f"Command failed with exit code {status.code}"
        if NO_FILE_SYSTEM in said:
            log(stamped([READ_S3]))
        return "FAILED", said

    def _stream(self, kind: str, role: str):
        """Where lines go: the group is made by the role, which must be allowed to."""
        options = {"awslogs-group": f"{self._run.log_group}/{kind}", "awslogs-create-group": "true"}
        definition = {"name": CONTAINER, "logConfiguration": {"options": options}}
        try:
            stream = LogStream(self._glue.clients, role, definition, self._run.job_run_id)
        except TaskFailed as error:
            print(f"Log lines of job run {self._run.job_run_id} are lost: {error}", file=sys.stderr)
            return lambda lines: None
        return lambda lines: stream.write(lines) if lines else None


class Tail:
    """A growing file, read by whole lines."""

    def __init__(self, path: Path):
        self._path, self._offset = path, 0

    def read(self, to_end: bool = False) -> LogBatch:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        if not to_end:
            data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        return stamped(data.decode(errors="replace").splitlines())


def stamped(lines: list[str]) -> LogBatch:
    now = time.time_ns() // 1_000_000
    return [(now, line) for line in lines]
