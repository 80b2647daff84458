"""Find and kill what a dead server, or a killed shim, has left running.

Three ways to know a process as ours: its control group, a record with process id and start time
(ids are used again), and the path of its scratch directory in its environment.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from localcloud.runtimes.cgroups import Group

RECORD = ".processes.json"
GIVE_UP_SECONDS = 10


def record(directory: Path, pids: list[int]) -> None:
    """Note the processes of a container in its scratch directory."""
    started = {}
    for pid in pids:
        with suppress(psutil.Error):
            started[pid] = psutil.Process(pid).create_time()
    (directory / RECORD).write_text(json.dumps(started))


def kill(directory: Path, group: Group | None = None) -> None:
    """SIGKILL every process of the group, and of containers whose scratch is below
    ``directory``, until none is left."""
    _until_none(lambda: _of_group(group) + _of_directory(directory))


def kill_group(group: Group) -> None:
    """SIGKILL every process of the group until none is left."""
    _until_none(lambda: _of_group(group))


def _until_none(find: Callable[[], list[psutil.Process]]) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.2)


def _of_group(group: Group | None) -> list[psutil.Process]:
    found = [_process(pid) for pid in group.pids()] if group else []
    return [process for process in found if process]


def _of_directory(directory: Path) -> list[psutil.Process]:
    marker, found = os.fsencode(str(directory)), []
    recorded = _recorded(directory)
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            mine = recorded.get(process.pid) == process.create_time()
            mine = mine or (process.pid != os.getpid() and _mentions(process.pid, marker))
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _process(pid: int) -> psutil.Process | None:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    return None


def _recorded(directory: Path) -> dict[int, float]:
    known: dict[int, float] = {}
    for file in [f for depth in ("", "*/", "*/*/") for f in directory.glob(depth + RECORD)]:
        with suppress(OSError, ValueError):
            known.update({int(pid): at for pid, at in json.loads(file.read_text()).items()})
    return known


def _mentions(pid: int, marker: bytes) -> bool:
    """Whether the process was started with the scratch directory as HOME or TMPDIR."""
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            name, _, value = entry.partition(b"=")
            if name in (b"HOME", b"TMPDIR") and (value + b"/").startswith(marker + b"/"):
                return True
    return False
