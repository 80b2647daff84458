"""Lesson 3b shows the stored solutions: the same code that the tests of the labs hold to work."""

import ast
import importlib
import inspect
import re
import textwrap

import nbformat
import pytest

from drydock import notebooks
from drydock.study import repair

LESSON = notebooks.FOLDER / "03b_break_and_repair.ipynb"
NEEDS_ROOT = {"disk_full"}  # left to an exercise: the lesson runs everywhere


def sources():
    cells = nbformat.read(LESSON, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def labs_of_the_lesson():
    starts = [re.search(r'repair\.start\(lab, "(\w+)"\)', source) for source in sources()]
    return [found[1] for found in starts if found]


def test_every_lab_is_in_the_lesson_once():
    assert sorted(labs_of_the_lesson()) == sorted(set(repair.labs("3b").index) - NEEDS_ROOT)


@pytest.mark.parametrize("name", labs_of_the_lesson())
def test_the_lesson_mends_it_as_the_stored_solution_does(name):
    code = sources()
    start = next(n for n, source in enumerate(code) if f'start(lab, "{name}")' in source)
    mended = next(source for source in code[start:] if source.endswith("case.check()"))
    module = importlib.import_module(f"drydock.study.repair.solutions.{name}")
    [solve] = ast.parse(textwrap.dedent(inspect.getsource(module.solve))).body
    assert ast.dump(ast.parse(mended.removesuffix("case.check()"))) == ast.dump(
        ast.Module(body=solve.body, type_ignores=[])
    )
