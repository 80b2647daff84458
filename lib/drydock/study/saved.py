"""A learner's work as JSON files: written whole or not at all, and never lost to a broken one."""

import json
import os
import tempfile
from pathlib import Path


def write(path: Path, data: dict) -> None:
    """Write `data` to `path` as JSON, so that a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> dict | None:
    """Return what `write` wrote; None if there is no file. ValueError if it is no JSON object."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object")
    return data


def put_aside(path: Path) -> Path:
    """Rename a file that cannot be used, and return its new name: nothing is deleted."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.broken-{number}{path.suffix}")).exists():
        number += 1
    path.rename(aside)
    return aside
