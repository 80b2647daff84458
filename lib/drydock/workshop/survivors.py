"""After the workshop: remove what the local cloud kept, and list whatever survives.

drydock clean-up            # exit code 1 if anything is left
"""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from drydock import cloud, rooms
from drydock.workshop import seats


def survivors(home: Path) -> list[str]:
    """Return one line for everything that is left of a home: processes, files, mounts, seats."""
    return [*_processes(home), *_files(home), *_mounts(home), *_seats()]


def clean_up(home: Path) -> list[str]:
    """Stop the local cloud, remove what it kept, and return the survivors."""
    cloud.remove(home)
    return survivors(home)


def _processes(home: Path) -> Iterator[str]:
    """Processes that were started for this home, or still use it."""
    mine = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    for one in psutil.process_iter():
        try:
            with one.oneshot():
                if one.pid in mine or one.status() == psutil.STATUS_ZOMBIE:
                    continue
                inside = one.environ().get("DRYDOCK_HOME") == str(home)
                # A shell in which the variable is set is the person's own.
                named = any(part.startswith(str(home)) for part in one.cmdline())
                if named or (inside and "localcloud" in " ".join(one.cmdline())):
                    yield f"process {one.pid}: {one.name()} of {one.username()}"
        except psutil.Error:
            continue


def _files(home: Path) -> Iterator[str]:
    for line in rooms.lines(home):
        yield f"files {line.strip()} in {home}"


def _mounts(home: Path) -> Iterator[str]:
    for one in psutil.disk_partitions(all=True):
        if Path(one.mountpoint).is_relative_to(home):
            yield f"mount {one.mountpoint}: type: umount {one.mountpoint}"


def _seats() -> Iterator[str]:
    for one in seats.taken():
        yield f"account {one.pw_name} with {one.pw_dir}: type: userdel --remove {one.pw_name}"
