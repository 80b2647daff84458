"""Whose connection is it? From a local TCP port to the process that holds the socket."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")


def owner(peer_port: int, port: int, roots: Mapping[int, str]) -> str | None:
    """The name in ``roots`` (by process id) whose process tree holds the connection from
    ``peer_port`` to ``port`` of this machine; None if none does, or where there is no /proc."""
    socket = _socket_of(peer_port, port)
    if socket is None:
        return None
    wanted = f"socket:[{socket}]"
    for root, name in roots.items():
        if any(_holds(pid, wanted) for pid in _tree(root)):
            return name
    return None


def _socket_of(peer_port: int, port: int) -> str | None:
    """The inode of the peer's end."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, remote, *rest = line.split()
            ends = [int(end.rpartition(":")[2], 16) for end in (local, remote)]
            if ends == [peer_port, port]:
                return rest[6]
    return None


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        try:
            for thread in os.listdir(PROC / str(pid) / "task"):
                below = (PROC / str(pid) / "task" / thread / "children").read_text()
                found += [int(word) for word in below.split()]
        except OSError:
            continue
    return found


def _holds(pid: int, wanted: str) -> bool:
    folder = PROC / str(pid) / "fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(folder / name) == wanted:
                return True
        except OSError:
            continue
    return False
