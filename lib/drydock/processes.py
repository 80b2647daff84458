"""The processes of a home: its server, and what a server that was killed left behind."""

import fcntl
import http.client
import json
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

ANSWER_TIMEOUT = 10.0  # seconds


def read_record(folder: Path) -> dict[str, Any] | None:
    """server.json, or None when there is none or it is not whole."""
    try:
        record = json.loads((folder / "server.json").read_text())
        return record if {"pid", "started", "port", "endpoint", "home"} <= set(record) else None
    except (OSError, ValueError, TypeError):
        return None


def server_of(folder: Path) -> psutil.Process | None:
    """The server of this home, or None when none runs.

    It holds server.lock for as long as it lives, however it ends; so neither a dead one's pid that
    a stranger got, nor a clock that was set, nor a server.json that is gone can deceive us.
    """
    deadline = time.monotonic() + ANSWER_TIMEOUT
    while time.monotonic() < deadline:
        try:
            with open(folder / "server.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            pass
        except OSError:
            return None
        if holder := _living(folder / "server.lock"):
            return holder
        # It has taken the lock and not signed yet, or was killed and its threads still end.
        time.sleep(0.05)
    return None


def _living(lock: Path) -> psutil.Process | None:
    try:
        holder = psutil.Process(int(lock.read_text()))
        return None if holder.status() == psutil.STATUS_ZOMBIE else holder
    except (ValueError, psutil.Error):
        return None


def answers(record: dict[str, Any]) -> bool:
    try:
        return health(record["port"]).get("pid") == record["pid"]
    except (OSError, ValueError, http.client.HTTPException):
        return False


def health(port: int) -> dict[str, Any]:
    """What the server on this port says of itself. Raises OSError, ValueError, HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT)
    try:
        connection.request("GET", "/_localcloud/health")
        return json.load(connection.getresponse())
    finally:
        connection.close()


def is_older_than_its_code(record: dict[str, Any]) -> bool:
    """Whether a file of the local cloud's own program has changed since its server started."""
    files = Path(__file__).parents[1].joinpath("localcloud").rglob("*.py")
    return any(file.stat().st_mtime > record["started"] for file in files)


def left_over(folder: Path) -> list[psutil.Process]:
    """Databases and tasks of this home that outlived their server."""
    databases, tasks = f"{folder}/rds/", f"{folder}/tasks/"
    found = []
    for process in psutil.process_iter():
        try:
            arguments = process.cmdline()
            is_database = "-D" in arguments and any(a.startswith(databases) for a in arguments)
            if is_database or process.environ().get("TMPDIR", "").startswith(tasks):
                found.append(process)
        except psutil.Error:
            continue
    return found


def end(processes: list[psutil.Process], patience: float, how: int = signal.SIGTERM) -> None:
    """End them this way, and those that are still there after so many seconds with SIGKILL."""
    for number in (how, signal.SIGKILL):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + patience
        while (processes := [p for p in processes if _alive(p)]) and time.monotonic() < deadline:
            time.sleep(0.05)


def _alive(process: psutil.Process) -> bool:
    """A zombie has ended: a notebook that started the server may not look at it for hours."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_left_over(folder: Path) -> None:
    """End what outlived its server; SIGINT lets PostgreSQL cut its connections."""
    end(left_over(folder), ANSWER_TIMEOUT, signal.SIGINT)
    # A task may have had a disk of its own, which a killed server could not take off.
    for partition in psutil.disk_partitions(all=True):
        if partition.mountpoint.startswith(f"{folder}/tasks/"):
            subprocess.run(["umount", "--lazy", partition.mountpoint], check=False)
