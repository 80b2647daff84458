"""Another command in a container, with the caller's own standard streams."""

from __future__ import annotations

import array
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from localcloud.runtimes.base import CannotStart

PROGRAM = Path(__file__).with_name("attach.py")
START_SECONDS = 30.0


def run(
    start: Callable[[list[str]], Any], command: list[str], streams: list[int], tty: bool
) -> Any:
    """What ``start`` gives for the command, which then has these three file descriptors.

    Raises CannotStart with the reason when the command cannot be executed.
    """
    folder = Path(tempfile.mkdtemp(prefix="attach-"))
    place = folder / "s"
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(place))
            door.listen(1)
            door.settimeout(START_SECONDS)
            words = [sys.executable, "-I", "-S", str(PROGRAM), str(place), "tty" if tty else "no"]
            made = start([*words, *command])
            try:
                _hand_over(door, streams)
            except (OSError, CannotStart):
                made.kill()
                raise
    except OSError as error:
        raise CannotStart(str(error)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made


def _hand_over(door: socket.socket, streams: list[int]) -> None:
    connection, _ = door.accept()
    with connection:
        connection.settimeout(START_SECONDS)
        passed = array.array("i", streams)
        connection.sendmsg([b"-"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        why = connection.recv(4096)
    if why:
        raise CannotStart(why.decode())


def close(descriptors: list[int]) -> None:
    for one in set(descriptors):
        with suppress(OSError):
            os.close(one)
