"""The learner's own copies of the lessons: `make lab` opens these, and never the source.

folder = copies.ready()                  # makes what is missing, renews what was not touched
copies.reset("01_pipeline")              # a fresh one; the old one is kept beside it
"""

import hashlib
import os
from pathlib import Path

import nbformat

from drydock import notebooks
from drydock.errors import WrongInput
from drydock.study import books, saved

RECORD = ".copies.json"


def folder() -> Path:
    """Return the folder of the copies: my-lessons in the project, or what DRYDOCK_LESSONS says."""
    given = os.environ.get("DRYDOCK_LESSONS")
    return Path(given).expanduser().absolute() if given else notebooks.ROOT / "my-lessons"


def sources() -> dict[str, Path]:
    """Return the lessons by name, such as "01_pipeline"."""
    return {path.stem: path for path in sorted(notebooks.FOLDER.glob("[!.]*.ipynb"))}


def ready() -> list[str]:
    """Make the copies that are missing, renew those that nobody has changed; return messages.

    A copy that was changed stays as it is when its lesson has a newer version, and a message says
    how to get that one.
    """
    record, said = _record(), []
    for name, path in sources().items():
        copy, now = _copy(name), _digest(path)
        before = record.get(name, {})
        if not copy.exists():
            record[name] = _made(path, copy)
        elif before.get("source") != now:
            if _digest(copy) == before.get("copy"):
                record[name] = _made(path, copy)
            elif before.get("told") != now:
                said.append(
                    f"{name} has a newer version: `drydock reset {name}` takes it and keeps yours"
                )
                record[name] = {**before, "told": now}
    saved.write(folder() / RECORD, record)
    return said


def reset(lesson: str) -> tuple[Path, Path | None]:
    """Put one lesson back to its beginning; return its copy, and where the old one is now."""
    name = name_of(lesson)
    copy, kept = _copy(name), None
    if copy.exists():
        number = 1
        while (kept := copy.with_name(f"{name}.kept-{number}.ipynb")).exists():
            number += 1
        copy.rename(kept)
    record = _record()
    record[name] = _made(sources()[name], copy)
    saved.write(folder() / RECORD, record)
    return copy, kept


def name_of(lesson: str) -> str:
    """Return the whole name of a lesson given as a number, a name, a file or a path."""
    short = Path(lesson).name.removesuffix(".ipynb")
    fitting = [name for name in sources() if name == short] or [
        name for name in sources() if short and name.split("_")[0] in (short, short.zfill(2))
    ]
    if len(fitting) != 1:
        raise WrongInput(f"no lesson {lesson!r}: type one of {', '.join(sources())}")
    return fitting[0]


def _copy(name: str) -> Path:
    return folder() / f"{name}.ipynb"


def _made(source: Path, copy: Path) -> dict[str, str]:
    """Write the student's book of a lesson, and return what to remember of it."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    aside = copy.with_name(f".{copy.name}.new")
    nbformat.write(books.student(books.source(source)), aside)
    os.replace(aside, copy)
    return {"source": _digest(source), "copy": _digest(copy)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _record() -> dict:
    path = folder() / RECORD
    try:
        return saved.read(path) or {}
    except ValueError:
        saved.put_aside(path)
        return {}
