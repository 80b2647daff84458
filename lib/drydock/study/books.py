"""One source, three books: a lesson with its solutions becomes the student's and the instructor's.

    student(notebook)               # exercises to be done; everything else as stored
    instructor(notebook, notes)     # the solutions, and what to say, when, and how to catch up

A solution stands between nbgrader's marks, `### BEGIN SOLUTION` and `### END SOLUTION`, in a code
cell with the tag `exercise`. nbgrader itself is not used: it brings a server and a database.
"""

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from drydock.errors import WrongInput
from drydock.study import exercises
from drydock.study.questions import DATA

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "# Your code here."
TAG = "exercise"
REGION = re.compile(rf"^{BEGIN}\n(.*?)^{END}$", re.MULTILINE | re.DOTALL)
CHECK = re.compile(r'^exercises\.check\("([^"]+)"', re.MULTILINE)
HEADING = re.compile(r"^## (\d+\w?\.\d+ .*)$", re.MULTILINE)


def student(notebook: NotebookNode) -> NotebookNode:
    """Return the student's book: each solution is a stub, and its cell has not been run."""
    book = copy.deepcopy(notebook)
    for cell in book.cells:
        if is_exercise(cell):
            cell.source = REGION.sub(STUB, cell.source)
            cell.outputs, cell.execution_count = [], None
    return book


def instructor(notebook: NotebookNode, stem: str) -> NotebookNode:
    """Return the instructor's book of the lesson `stem`: notes and a catch-up cell at each section.

    The notes come from data/instructor; without any, there are the cells to catch up.
    """
    book = copy.deepcopy(notebook)
    notes = notes_of(stem)
    cells = [new_markdown_cell(_opening(notes))] if notes else []
    for cell in book.cells:
        title = section(cell)
        if title:
            cells.append(new_markdown_cell(_note(notes.get("sections", {}).get(title, {}), title)))
            cells.append(new_code_cell(catch_up_cell(stem, title)))
        cells.append(cell)
        if is_exercise(cell):
            cells.append(new_markdown_cell(_mistakes(exercises.by_id(checked(cell)))))
    book.cells = cells
    for number, cell in enumerate(book.cells, start=1):
        cell.id = f"cell-{number:02}"
    return book


def is_exercise(cell: NotebookNode) -> bool:
    """Whether a cell is one that the learner fills in."""
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])


def checked(cell: NotebookNode) -> str:
    """Return the id of the exercise that a cell checks."""
    found = CHECK.findall(cell.source)
    if len(found) != 1:
        raise WrongInput(f"an exercise's cell has {len(found)} exercises.check: it needs one")
    return found[0]


def section(cell: NotebookNode) -> str:
    """Return the title of the section that a cell opens, such as "1.5 Launch"; "" if none."""
    if cell.cell_type != "markdown":
        return ""
    found = HEADING.search(cell.source)
    return found.group(1) if found else ""


def notes_of(stem: str) -> dict:
    """Return the instructor's notes on a lesson; empty if there are none."""
    path = DATA / "instructor" / f"{stem}.yaml"
    return yaml.safe_load(path.read_text()) if path.is_file() else {}


def catch_up_cell(stem: str, title: str) -> str:
    """Return the source of the cell that brings somebody to the beginning of a section."""
    number = title.split(" ")[0]
    return f'from drydock.study.catch_up import catch_up\n\ncatch_up("{stem}", "{number}")'


def faults(notebook: NotebookNode) -> list[str]:
    """Return what is wrong with the exercises of a lesson, one line each."""
    return list(_faults(notebook))


def _faults(notebook: NotebookNode) -> Iterator[str]:
    seen: set[str] = set()
    inside: set[str] = set()
    for number, cell in enumerate(notebook.cells, start=1):
        where = f"cell {number}"
        if cell.cell_type != "code":
            continue
        marks = cell.source.count(BEGIN), cell.source.count(END)
        if not is_exercise(cell):
            if marks != (0, 0):
                yield f"{where} has a solution's mark, and not the tag {TAG}"
            if used := inside & _names(cell.source, ast.Load):
                yield f"{where} uses {', '.join(sorted(used))}, which only a solution makes"
            continue
        regions = REGION.findall(cell.source)
        if marks != (1, 1) or len(regions) != 1:
            yield f"{where} needs one region from {BEGIN} to {END}, not indented"
            continue
        ids = CHECK.findall(cell.source)
        if len(ids) != 1 or ids[0] not in exercises.everything():
            yield f"{where} needs one exercises.check of a known exercise, not {ids}"
        elif ids[0] in seen:
            yield f"{where} checks {ids[0]}, as an earlier cell does"
        seen.update(ids)
        stub = REGION.sub(STUB, cell.source)
        only = _names(regions[0], ast.Store) - _names(stub, ast.Store)
        if used := only & _names(stub, ast.Load):
            yield f"{where} uses {', '.join(sorted(used))} without the solution: give it a value"
        inside |= only


def _names(source: str, kind: type) -> set[str]:
    """The names that a piece of code stores or loads; as in IPython, lines may begin with !"""
    source = TransformerManager().transform_cell(source)
    tree = ast.walk(ast.parse(source))
    found = {one.id for one in tree if isinstance(one, ast.Name) and isinstance(one.ctx, kind)}
    if kind is ast.Store:
        tree = ast.walk(ast.parse(source))
        found |= {one.name for one in tree if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    return found


def _opening(notes: Mapping) -> str:
    skip = "".join(f"\n- {one}" for one in notes.get("skip_when_late", ()))
    return (
        f"> **For the instructor.** {notes['minutes']} minutes planned. {notes['goal']}\n\n"
        f"When late, skip:\n{skip}"
    )


def _note(note: Mapping, title: str) -> str:
    lines = [f"> **Instructor, {title}**" + (f" · {note['minutes']} min planned" if note else "")]
    for head, key in (("Say", "say"), ("Usual mistakes", "mistakes"), ("Ask", "ask")):
        lines += [f"> - {head}: {one}" for one in note.get(key, ())]
    lines.append(
        "> - Who has fallen behind runs the next cell, and is at the start of this section."
    )
    return "\n".join(lines)


def _mistakes(exercise: exercises.Exercise) -> str:
    rows = [f"> - {one.title} → fails at *{one.fails}*" for one in exercise.mistakes]
    hints = [f"> - Hint {number}: {one}" for number, one in enumerate(exercise.hints, start=1)]
    return "\n".join([f"> **Usual mistakes in {exercise.id}**", ">", *rows, *hints])


def source(path: Path) -> NotebookNode:
    """Return a lesson whose exercises are in order; WrongInput with the first fault."""
    from drydock.notebook_guard import read

    notebook = read(path)
    if found := faults(notebook):
        raise WrongInput(f"{path.name}: {found[0]}")
    return notebook
