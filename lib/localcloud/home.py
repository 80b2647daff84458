"""The one folder that holds everything the local cloud keeps."""

import fcntl
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any


class HomeInUse(Exception):
    """Another server holds this home; its message is one line."""


class Home:
    """Where the local cloud's state lives.

    The folder itself and ``rds`` may be entered by everybody (mode 0711), because PostgreSQL
    refuses to run as root and so runs as another user; what is inside them is private.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path).absolute()
        self.state = self.path / "state"
        self.objects = self.path / "objects"
        self.rds = self.path / "rds"
        self.tasks = self.path / "tasks"
        self.messages: list[str] = []
        make_enterable(self.path)
        self._make_rooms()

    def _make_rooms(self) -> None:
        for folder in (self.state, self.objects, self.tasks):
            folder.mkdir(mode=0o700, exist_ok=True)
        make_enterable(self.rds)

    def lock(self) -> int:
        """Hold this home until the process ends, however it ends. Raises HomeInUse."""
        held = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(held):
            holder = os.read(held, 20).decode() or "not known"
            os.close(held)
            raise HomeInUse(
                f"Another local cloud (pid {holder}) already serves {self.path}: "
                "`drydock down` stops it"
            )
        os.truncate(held, 0)
        os.write(held, str(os.getpid()).encode())
        return held

    def say(self, message: str) -> None:
        """Tell the person who starts the server: into the log and into server.json."""
        self.messages.append(message)
        print(message, file=sys.stderr, flush=True)

    def write_json(self, path: Path, content: Any) -> None:
        write_json(path, content)

    def set_aside(self, why: str) -> None:
        """Move state, objects and databases out of the way, so that the server starts empty."""
        aside = self.path / "set-aside" / time.strftime("%Y%m%dT%H%M%S")
        aside.mkdir(mode=0o700, parents=True)
        for folder in (self.state, self.objects, self.rds):
            shutil.move(folder, aside / folder.name)
        self._make_rooms()
        self.say(
            f"{why}: moved what was there to {aside} and started empty; `make run` fills it again"
        )


def _locked(file: int) -> bool:
    """Try for a moment: `drydock status` looks whether the lock is held by taking it briefly."""
    for _ in range(20):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.05)
    return False


def make_enterable(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711)


def write_json(path: Path, content: Any) -> None:
    """Replace a private file in one step: a reader sees the old content or the new, never half."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
