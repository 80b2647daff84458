"""What a stored notebook must hold so that comparing it proves something.

nbval compares only cells that have an execution count, never looks at pictures, and cannot know an
output that will differ tomorrow. Each rule here closes one such gap.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from drydock.errors import WrongInput

IGNORED_CELLS = 3  # in one notebook
SKIPPING = {"nbval-skip", "nbval-ignore-output", "pytest-validate-ignore-output"}
KNOWN_TAGS = SKIPPING | {"nbval-check-output", "nbval-raises-exception", "raises-exception"}
NOT_COMPARED = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
# The data is of 2013, so a time of this decade is the machine's clock.
# A Dockerfile's own paths are the image's, not this machine's.
CHANGING = {
    "an absolute path": (
        r"(?<![\w./:-])/(?!var/lib/apt/lists)"
        r"(?:home|root|tmp|usr|var|opt|mnt|private|Users|etc)/\S+"
    ),
    "a memory address": r"\b0x[0-9a-fA-F]{6,}\b",
    "a uuid": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "a clock time": r"\b20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d|\bWall time:",
}


def read(path: Path) -> NotebookNode:
    """Return a stored notebook (format 4). Raises WrongInput with the reason when it is none."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("nbformat") != 4:
            raise ValueError("it is not in notebook format 4")
        nbformat.validate(content)
        return nbformat.reads(text, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise WrongInput(f"{path.name} is not a notebook that can be read: {reason}") from None


def guard(path: Path) -> list[str]:
    """Return one line for each fault of a stored notebook; none means that nbval can prove it."""
    try:
        notebook = read(path)
    except WrongInput as error:
        return [str(error)]
    return list(_faults(notebook))


def _faults(notebook: NotebookNode) -> Iterator[str]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    expected = 0
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        if not cell.source.strip():
            yield f"cell {number} is an empty code cell"
            continue
        expected += 1
        for fault in _cell_faults(cell, expected):
            yield f"cell {number} {fault}"
    if cells and not any(cell.outputs for cell in cells):
        yield "no cell has an output: they were stripped"
    ignored = sum(bool(_markers(cell) & SKIPPING) for cell in cells)
    if ignored > IGNORED_CELLS:
        yield f"{ignored} cells are skipped or ignored, at most {IGNORED_CELLS} may be"


def _cell_faults(cell: NotebookNode, expected: int) -> Iterator[str]:
    markers = _markers(cell)
    for tag in cell.metadata.get("tags", []):
        if "nbval" in tag.lower() and tag not in KNOWN_TAGS:
            yield f"has the tag {tag}, which nbval does not know; tags are like nbval-skip"
    if cell.execution_count is None:
        yield "has no execution count, so its output would not be compared"
    elif cell.execution_count != expected:
        yield f"has execution count {cell.execution_count} where {expected} is due"
    if _ends_with_semicolon(cell.source):
        yield "ends with ';', which hides a result in the browser and not in the comparison"
    raises = {"raises-exception", "nbval-raises-exception"} & markers
    if not raises and any(output.output_type == "error" for output in cell.outputs):
        yield "stores an error without the raises-exception tag"
    if markers & SKIPPING:
        if not _reason(cell):
            yield "is skipped or ignored without a written reason"
        return
    text = "\n".join(_compared(cell))
    for what, pattern in CHANGING.items():
        found = re.search(pattern, text)
        if found:
            yield f"shows {what}, which differs from run to run: {found.group()[:60]}"


def _markers(cell: NotebookNode) -> set[str]:
    """Return a cell's tags, and its marker comments spelled as the tags are."""
    markers = {str(tag).lower() for tag in cell.metadata.get("tags", [])}
    return markers | {
        comment.lower().replace("_", "-") for comment in _comments(cell) if _is_marker(comment)
    }


def _reason(cell: NotebookNode) -> str:
    written = [comment for comment in _comments(cell) if not _is_marker(comment)]
    return str(cell.metadata.get("reason", "")).strip() or " ".join(written).strip()


def _comments(cell: NotebookNode) -> list[str]:
    lines = (line.strip() for line in cell.source.splitlines())
    return [line.lstrip("#").strip() for line in lines if line.startswith("#")]


def _is_marker(comment: str) -> bool:
    return re.fullmatch(r"(NBVAL|PYTEST_VALIDATE)_[A-Z_]+", comment) is not None


def _ends_with_semicolon(source: str) -> bool:
    lines = [line for line in source.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    return bool(lines) and re.search(r";\s*(#.*)?$", lines[-1]) is not None


def _compared(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield f"{output.ename}: {output.evalue}"
        else:
            yield from (str(v) for mime, v in output.data.items() if mime not in NOT_COMPARED)
