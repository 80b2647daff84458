"""One execution environment: a process that initialises once and then answers events in turn."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import queue
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localcloud.ecs.awslogs import LogStream
from localcloud.failures import TaskFailed
from localcloud.functions.runtime_api import RuntimeApi
from localcloud.glue.work import Tail, stamped
from localcloud.runtimes.base import OUT_OF_MEMORY, ContainerSpec, ExitStatus

if TYPE_CHECKING:
    from localcloud.functions import Functions

INIT_SECONDS = 10.0
# AWS gives a function one vCPU for each 1,769 MB; here it never gets less than one.
MIB_PER_VCPU = 1769
CONTAINER = "function"
# Output goes to a file: what was printed before an answer is then there when the answer is.
START = 'exec "$0" -m awslambdaric "$1" >>"$2" 2>&1'


@dataclass(frozen=True)
class Outcome:
    """What an invocation gives: ``failed`` as X-Amz-Function-Error, ``log`` its lines."""

    body: bytes
    failed: bool
    log: str
    request_id: str


class Environment:
    """``invoke`` is called by one thread at a time. ``alive`` is False after a failure that AWS
    ends an environment for: a timeout, a process that has ended, an init error."""

    def __init__(self, functions: Functions, function: Any):
        self.function = function
        self.made_for = revision(function)
        self.alive, self.idle_since = True, time.monotonic()
        self._fresh, self._started = True, time.monotonic()
        self._keys = functions.clients.credentials(function.role, function.function_name)
        self._log = _stream(functions, function)
        self._api = RuntimeApi()
        memory = int(function.memory_size)
        self._sandbox = functions.runtime.sandbox(
            uuid.uuid4().hex, max(memory / MIB_PER_VCPU, 1.0), memory
        )
        home = self._sandbox.directory / CONTAINER
        for name in ("task", "tmp"):
            (home / name).mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as code:
            code.extractall(home / "task")
        output = home / "output"
        output.touch()
        self._output = Tail(output)
        self._command = ["/bin/sh", "-c", START, sys.executable, function.handler, str(output)]
        self._environment = self._variables(functions.endpoint, home)
        self._task = home / "task"
        self._start(CONTAINER)

    def _start(self, name: str) -> None:
        """A process that initialises."""
        self._container = self._sandbox.start(
            ContainerSpec(
                name=name,
                command=self._command,
                environment=self._environment,
                working_directory=self._task,
                log=lambda lines: None,
            )
        )
        threading.Thread(target=self._watch, args=[self._container], daemon=True).start()

    def lasts(self, seconds: float) -> bool:
        """Whether its credentials are good for that long."""
        return self._keys["Expiration"].timestamp() - time.time() > seconds

    def close(self) -> None:
        self.alive = False
        self._api.close()
        self._sandbox.remove()

    def invoke(self, payload: bytes, request_id: str) -> Outcome:
        seconds = float(self.function.timeout)
        kind, body, init, lines = self._initialised()
        lines.append(f"START RequestId: {request_id} Version: {self.function.version}")
        started = time.monotonic()
        if kind != "ready":
            kind, body = self._initialised_again(seconds)
            init = None
        left = seconds - (time.monotonic() - started)
        if kind == "ready":
            deadline = time.time() + left
            headers = {
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self.function.function_arn,
            }
            self._api.invocations.put((headers, payload))
            kind, body = self._next(left)
        spent = (time.monotonic() - started) * 1000
        answer, note = self._judged(kind, body, request_id, seconds)
        said = [text for _, text in self._output.read(to_end=True)]
        lines += said + ([note] if note else [])
        lines.append(f"END RequestId: {request_id}")
        lines.append(self._report(request_id, spent, init))
        self._log(stamped(lines))
        self.idle_since = time.monotonic()
        return Outcome(answer, kind != "response", "\n".join(lines) + "\n", request_id)

    def _initialised(self) -> tuple[str, Any, float | None, list[str]]:
        """Wait for a new process to ask for its first event: ready, or what went wrong; the
        milliseconds that took; and the log's lines of a failure."""
        if not self._fresh:
            return "ready", None, None, []
        self._fresh = False
        kind, body = self._next(INIT_SECONDS, "ready")
        spent = (time.monotonic() - self._started) * 1000
        if kind == "ready":
            return kind, body, spent, []
        failure = "timeout" if kind == "timeout" else f"error\tError Type: {_kind(kind, body)}"
        said = [text for _, text in self._output.read(to_end=True)]
        line = f"INIT_REPORT Init Duration: {spent:.2f} ms\tPhase: init\tStatus: {failure}"
        return kind, body, spent, [*said, line]

    def _initialised_again(self, seconds: float) -> tuple[str, Any]:
        """AWS tries a failed init phase once more, in the first invocation and its time.

        https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
        """
        self._container.kill()
        self._start(f"{CONTAINER}-again")
        return self._next(seconds, "ready")

    def _next(self, seconds: float, *more: str) -> tuple[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                kind, body = self._api.said.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                return "timeout", None
            if kind == "exit":
                container, body = body
                if container is not self._container:
                    continue
            if kind != "ready" or more:
                return kind, body

    def _judged(self, kind: str, body: Any, request_id: str, seconds: float) -> tuple[bytes, str]:
        """The answer, and a line for the log."""
        if kind in ("response", "error"):
            return body, ""
        self.alive = False
        if kind == "init_error":
            return body, ""
        if kind == "timeout":
            self._container.kill()
            text = f"Task timed out after {seconds:.2f} seconds"
            now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            return _error("Sandbox.Timedout", request_id, text), f"{now}Z {request_id} {text}"
        text = _ending(body)
        return (
            _error("Runtime.ExitError", request_id, text),
            f"RequestId: {request_id} Error: {text}",
        )

    def _report(self, request_id: str, spent: float, init: float | None) -> str:
        # Since August 2025 AWS bills the init phase of every function.
        billed = math.ceil(spent + (init or 0))
        used = math.ceil(self._sandbox.usage().memory_peak_bytes / 2**20)
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {spent:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {self.function.memory_size} MB",
            f"Max Memory Used: {min(used, int(self.function.memory_size))} MB",
        ]
        return "\t".join(parts + ([f"Init Duration: {init:.2f} ms"] if init else []))

    def _watch(self, container: Any) -> None:
        self._api.said.put(("exit", (container, container.wait())))

    def _variables(self, endpoint: str, home: Any) -> dict[str, str]:
        function, keys = self.function, self._keys
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            **function.environment_vars,
            "TMPDIR": str(home / "tmp"),
            "PYTHONPATH": str(home / "task"),
            "LAMBDA_TASK_ROOT": str(home / "task"),
            "_HANDLER": function.handler,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }


def revision(function: Any) -> tuple:
    """What a new environment is needed for when it changes."""
    return (
        function.code_sha_256,
        function.handler,
        function.role,
        function.memory_size,
        function.timeout,
        tuple(sorted(function.environment_vars.items())),
    )


def _kind(kind: str, body: Any) -> str:
    """The type of an error in the init phase."""
    if kind != "init_error":
        return "Runtime.ExitError"
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"


def _ending(status: ExitStatus) -> str:
    if status.reason == OUT_OF_MEMORY or status.code == 137:
        return "Runtime exited with error: signal: killed"
    if status.code == 0:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: exit status {status.code}"


def _error(kind: str, request_id: str, text: str) -> bytes:
    message = f"RequestId: {request_id} Error: {text}"
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _stream(functions: Functions, function: Any) -> Callable:
    """Where lines go: the role makes the log group, and must be allowed to."""
    group = f"/aws/lambda/{function.function_name}"
    options = {"awslogs-group": group, "awslogs-create-group": "true"}
    definition = {"name": CONTAINER, "logConfiguration": {"options": options}}
    day = dt.datetime.now(dt.UTC).strftime("%Y/%m/%d")
    name = f"{day}/[{function.version}]{uuid.uuid4().hex}"
    try:
        return LogStream(functions.clients, function.role, definition, name).write
    except TaskFailed as error:
        print(f"Log lines of function {function.function_name} are lost: {error}", file=sys.stderr)
        return lambda lines: None
