"""The local cloud as a background process: started when needed, found again, stopped, repaired."""

import fcntl
import http.client
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from drydock import processes, rooms
from drydock.errors import DrydockError
from drydock.rooms import home_path

PORT = 5566
REGION = "us-east-1"
RUNTIMES = {"container": "in containers", "process": "as processes"}
OLDER = "The local cloud runs older code than this folder has: type `drydock down`, then go on"
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 60.0  # tasks and databases may take their time
LARGEST_LOG = 10_000_000  # bytes


class CloudError(DrydockError):
    """Why the local cloud cannot be used, in one line: what, where, the next command."""


@dataclass(frozen=True)
class CloudInfo:
    """A running local cloud. `started`: by this call; `messages`: what a person should know."""

    endpoint: str
    pid: int
    port: int
    home: Path
    started: bool = False
    messages: list[str] = field(default_factory=list)


def start(home: str | Path | None = None, port: int | None = None) -> CloudInfo:
    """Return the running local cloud of this home; start it when it does not run.

    Two calls at once start one. Raises CloudError.
    """
    folder = home_path(home)
    with _one_at_a_time(folder):
        if info := _status_once_ready(folder):
            return info
        messages = _clear_remains(folder)
        process = None
        try:
            with _interrupt_after():
                process = _launch(folder, *wanted_port(port))
            record = _wait_until_ready(folder, process)
        except BaseException:  # such as Ctrl-C: what was begun here is not left behind
            if process and process.poll() is None:
                processes.end([psutil.Process(process.pid)], processes.ANSWER_TIMEOUT)
            raise
    return _info(record, started=True, messages=messages + record.get("messages", []))


def status(home: str | Path | None = None) -> CloudInfo | None:
    """The local cloud of this home, or None when it does not run. Raises CloudError if it hangs."""
    folder = home_path(home)
    server = processes.server_of(folder)
    if not server:
        return None
    record = processes.read_record(folder)
    if not record or record["pid"] != server.pid or not processes.answers(record):
        raise CloudError(
            f"The local cloud of {folder} (pid {server.pid}) does not answer: "
            "type `drydock down`, then `drydock up`"
        )
    return _info(record, messages=[OLDER] if processes.is_older_than_its_code(record) else [])


def _status_once_ready(folder: Path) -> CloudInfo | None:
    """`status`, but wait for a server that is still starting: its starter may have been stopped."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return status(folder)
        except CloudError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def stop(home: str | Path | None = None) -> bool:
    """Stop it with its tasks and databases; whether it was running. What it keeps stays on disk."""
    folder = home_path(home)
    if not folder.exists():
        return False
    with _one_at_a_time(folder):
        server = processes.server_of(folder)
        if server:
            processes.end([server], STOP_TIMEOUT)
        processes.end_left_over(folder)
        (folder / "server.json").unlink(missing_ok=True)
    return server is not None


def remove(home: str | Path | None = None) -> Path:
    """Stop it and remove all that it keeps; return its home.

    Only what the local cloud itself has made goes: the home may be a folder with other files too.
    """
    folder = home_path(home)
    stop(folder)
    rooms.remove(folder)
    return folder


def runtime(endpoint: str) -> dict[str, str | None]:
    """What runs the tasks of the local cloud at this address.

    `kind` is "container" or "process", and `why` says why in one line; `engine` is the address of
    the container engine that was found, used or not. Raises CloudError.
    """
    try:
        return processes.health(int(endpoint.rpartition(":")[2]))["runtime"]
    except (OSError, ValueError, LookupError, http.client.HTTPException):
        raise CloudError(
            f"{endpoint} does not say what runs its tasks: type `drydock up`"
        ) from None


def environment(info: CloudInfo) -> dict[str, str]:
    """The variables that point the AWS CLI and every SDK at the local cloud."""
    return {
        "AWS_ENDPOINT_URL": info.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "drydock",
        "AWS_SECRET_ACCESS_KEY": "drydock",
    }


def shell_lines(info: CloudInfo) -> list[str]:
    """Lines for a POSIX shell to eval; what is set for a real account is unset."""
    exports = [f"export {name}={shlex.quote(v)}" for name, v in environment(info).items()]
    return [*exports, "unset AWS_PROFILE AWS_SESSION_TOKEN"]


def status_lines(home: str | Path | None = None) -> list[str]:
    """What `drydock status` prints: where it runs and what it keeps."""
    folder = home_path(home)
    info = status(folder)
    if info:
        used = runtime(info.endpoint)
        lines = [
            f"running at {info.endpoint} (pid {info.pid})",
            f"tasks      {RUNTIMES[used['kind']]} ({used['why']})",
            *info.messages,
        ]
    else:
        lines = ["not running: `drydock up` starts it"]
    lines.append(f"home       {folder}" + ("" if folder.exists() else " (not made yet)"))
    return lines + rooms.lines(folder)


# ------------------------------------------------------------------------------------ starting
@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711)
        lock = os.open(folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CloudError(
            f"Cannot use {folder} ({error.strerror}): set DRYDOCK_HOME to a folder of yours"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def wanted_port(port: int | None = None) -> tuple[int, bool]:
    """The port, as given or DRYDOCK_PORT, and whether any other will do. Raises CloudError."""
    given = os.environ.get("DRYDOCK_PORT")
    if port is None and not given:
        return PORT, True
    try:
        number = int(given) if port is None else port
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise CloudError(f"DRYDOCK_PORT={given} is not a port: set it to 1024..65535, or unset it")
    return number, False


def _clear_remains(folder: Path) -> list[str]:
    """Tidy up after a server that did not end properly; what there is to say about it."""
    record_file = folder / "server.json"
    if not record_file.exists():
        return []
    record = processes.read_record(folder)
    processes.end_left_over(folder)
    record_file.unlink()
    who = f"pid {record['pid']}" if record else "its server.json is unreadable"
    return [f"The last local cloud ({who}) was killed: started again from what it had saved"]


@contextmanager
def _interrupt_after() -> Iterator[None]:
    """Let Ctrl-C wait until this is through: in the middle a process would begin without a name."""
    if threading.current_thread() is not threading.main_thread():  # which no Ctrl-C reaches
        yield
        return
    came = []
    handler = signal.signal(signal.SIGINT, lambda *what: came.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came and callable(handler):
        handler(*came[0])


def _launch(folder: Path, port: int, or_free: bool) -> subprocess.Popen:
    command = [sys.executable, "-m", "localcloud", "serve", "--home", folder, "--port", str(port)]
    log_file = folder / "server.log"
    try:
        if log_file.exists() and log_file.stat().st_size > LARGEST_LOG:
            log_file.replace(folder / "server.log.1")
        log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise CloudError(f"Cannot write {log_file} ({error.strerror}): see `df {folder}`") from None
    try:
        return subprocess.Popen(
            command + (["--or-free"] if or_free else []),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(log)


def _wait_until_ready(folder: Path, process: subprocess.Popen) -> dict[str, Any]:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        record = processes.read_record(folder)
        if record and record["pid"] == process.pid and processes.answers(record):
            return record
        if process.poll() is not None:
            raise CloudError(_last_words(folder / "server.log"))
        time.sleep(0.05)
    raise CloudError(
        f"The local cloud was not ready within {START_TIMEOUT:.0f} s: see {folder / 'server.log'}"
    )


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    if last.startswith("localcloud: "):
        return last.removeprefix("localcloud: ")
    return f"The local cloud did not start ({last.strip()}): see {log}"


def _info(record: dict[str, Any], **more: Any) -> CloudInfo:
    return CloudInfo(
        record["endpoint"], record["pid"], record["port"], Path(record["home"]), **more
    )
