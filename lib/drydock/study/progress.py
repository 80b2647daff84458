"""What a learner has done, in one file: JSON lines that are only ever added to.

    progress.note("exercise", "1.2", right=True)
    progress.read().exercises()["1.2"].done

A line that a crash cut short is set aside at the next reading, and nothing else is lost. The file
is the learner's own: `drydock reset --all` leaves it.
"""

import fcntl
import json
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from drydock import cloud
from drydock.errors import WrongInput

VERSION = 1
KINDS = ("learner", "answer", "exercise", "hint", "exam", "lesson")


@dataclass(frozen=True)
class Event:
    """One thing that happened: its kind, what it was about (an id), when (UTC), and details."""

    kind: str
    about: str
    when: str
    details: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """What was done with one exercise or question."""

    tries: int = 0
    right: int = 0
    hints: int = 0
    last: bool = False
    failed: str | None = None

    @property
    def done(self) -> bool:
        """Whether it was right once."""
        return self.right > 0


@dataclass(frozen=True)
class Progress:
    """All events of a file, in their order."""

    events: tuple[Event, ...] = ()

    @property
    def learner(self) -> str:
        """The learner's id: letters without a meaning, or what DRYDOCK_LEARNER says."""
        return next((one.about for one in self.events if one.kind == "learner"), "")

    def of(self, kind: str) -> Iterator[Event]:
        """Return the events of a kind."""
        return (one for one in self.events if one.kind == kind)

    def exercises(self) -> dict[str, Tally]:
        """Return what was done with each exercise."""
        return self._tallies("exercise")

    def answers(self) -> dict[str, Tally]:
        """Return what was done with each question, in quizzes, practice, reviews and exams."""
        return self._tallies("answer")

    def hints(self, exercise: str) -> int:
        """Return how many hints of an exercise were taken, at most three."""
        return max((one.details["level"] for one in self.of("hint") if one.about == exercise),
                   default=0)  # fmt: skip

    def _tallies(self, kind: str) -> dict[str, Tally]:
        found: dict[str, Tally] = {}
        for one in self.of(kind):
            before, right = found.get(one.about, Tally()), bool(one.details["right"])
            found[one.about] = Tally(
                before.tries + 1,
                before.right + right,
                self.hints(one.about) if kind == "exercise" else 0,
                right,
                one.details.get("failed"),
            )
        return found


def folder() -> Path:
    """Return where a learner's study files are: progress, reviews, the mock exam under way."""
    return cloud.home_path() / "study"


def file() -> Path:
    """Return the learner's progress file."""
    return folder() / "progress.jsonl"


def learner() -> str:
    """Return the learner's id; the first call makes one. DRYDOCK_LEARNER takes its place."""
    if name := os.environ.get("DRYDOCK_LEARNER"):
        return name
    if not (name := read().learner):
        name = secrets.token_hex(4)
        note("learner", name)
    return name


def note(kind: str, about: str, **details) -> None:
    """Add one event to the file, whole or not at all."""
    if kind not in KINDS:
        raise ValueError(f"no kind of event: {kind}")
    when = datetime.now(UTC).isoformat(timespec="seconds")
    _add([{"v": VERSION, "kind": kind, "about": about, "when": when, **details}])


def read(path: Path | None = None) -> Progress:
    """Return what a file holds (the learner's own when left out); nothing if there is none.

    Lines that cannot be read are left out; in the learner's own file they are moved to a file
    beside it, and a line says so.
    """
    path = path or file()
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return Progress()
    events = [_event(line) for line in lines]
    if None in events and path == file():
        _set_aside()
    return Progress(tuple(one for one in events if one))


def take_in(path: Path) -> int:
    """Add the events of an exported file that are not there yet, and return how many.

    WrongInput if the file holds none.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}") from None
    wanted = [json.loads(line) for line in lines if _event(line)]
    if not wanted:
        raise WrongInput(f"{path} holds no progress: export one with `drydock progress --export`")
    known = {json.dumps(one, sort_keys=True) for one in _raw()}
    # A second id would be a second learner: the file's own stays.
    mine = any(json.loads(one)["kind"] == "learner" for one in known)
    new = [
        one
        for one in wanted
        if json.dumps(one, sort_keys=True) not in known and not (mine and one["kind"] == "learner")
    ]
    _add(new)
    return len(new)


def _raw() -> list[dict]:
    try:
        lines = file().read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if _event(line)]


def _event(line: bytes) -> Event | None:
    """The event of a line; None if it is none."""
    try:
        entry = json.loads(line)
        version, kind, about = entry.pop("v"), entry.pop("kind"), entry.pop("about")
        when = datetime.fromisoformat(entry.pop("when")).isoformat()
        fits = version == VERSION and kind in KINDS and isinstance(about, str)
        fits = fits and (kind not in ("answer", "exercise") or isinstance(entry["right"], bool))
        fits = fits and (kind != "hint" or entry["level"] in (1, 2, 3))
        return Event(kind, about, when, entry) if fits else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _add(entries: Iterable[dict]) -> None:
    text = "".join(f"{json.dumps(one)}\n" for one in entries)
    with _alone(), file().open("a+b") as stream:
        # After a line that a crash cut short a new one begins, or both would be lost.
        if stream.seek(0, os.SEEK_END):
            stream.seek(-1, os.SEEK_END)
            text = text if stream.read(1) == b"\n" else f"\n{text}"
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time change the file: a notebook and a terminal may both be at it."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "progress.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _set_aside() -> None:
    """Move what cannot be read out of the learner's file, to one beside it."""
    path = file()
    aside, new = (path.with_name(f"{path.stem}.{word}{path.suffix}") for word in ("broken", "new"))
    with _alone():
        lines = path.read_bytes().splitlines()
        bad = [line for line in lines if not _event(line)]
        with aside.open("ab") as kept:
            kept.writelines(line + b"\n" for line in bad)
            kept.flush()
            os.fsync(kept.fileno())
        new.write_bytes(b"".join(line + b"\n" for line in lines if _event(line)))
        os.replace(new, path)
    many = f"{len(bad)} line{'' if len(bad) == 1 else 's'}"
    said = f"{many} of {path.name} could not be read: moved to {aside.name}; the rest is kept"
    print(said, file=sys.stderr)
