"""The student's and the instructor's book differ from the lesson where they should, only there."""

import ast
import subprocess
import sys

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from drydock import notebooks
from drydock.errors import WrongInput
from drydock.notebook_guard import read
from drydock.study import books, catch_up

LESSONS = sorted(notebooks.FOLDER.glob("[!.]*.ipynb"))
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
GOOD = """\
answer = None
### BEGIN SOLUTION
answer = 1
### END SOLUTION
exercises.check("1.4", answer)"""


def lesson(*sources, tagged=(0,)):
    cells = [new_code_cell(one) for one in sources]
    for number in tagged:
        cells[number].metadata["tags"] = ["exercise"]
    return new_notebook(cells=cells)


@each_lesson
def test_the_lessons_exercises_are_in_order(path):
    assert books.faults(read(path)) == []


@each_lesson
def test_stub_and_solution_differ_only_inside_the_region(path):
    source = read(path)
    student = books.student(source)
    assert len(student.cells) == len(source.cells)
    for before, after in zip(source.cells, student.cells, strict=True):
        if not books.is_exercise(before):
            assert before == after
            continue
        region = books.REGION.search(before.source)
        head, tail = before.source[: region.start()], before.source[region.end() :]
        assert after.source == f"{head}{books.STUB}{tail}"
        ast.parse(after.source)
        assert books.BEGIN not in after.source and after.outputs == []
        assert {**before, "source": "", "outputs": [], "execution_count": None} == {
            **after,
            "source": "",
        }


@each_lesson
def test_the_instructors_book_has_notes_and_ways_to_catch_up(path):
    plain = TransformerManager()  # as IPython reads a line that begins with !
    book = books.instructor(read(path), path.stem)
    nbformat.validate(book)
    text = "\n".join(cell.source for cell in book.cells)
    for title in filter(None, map(books.section, read(path).cells)):
        assert f"**Instructor, {title}**" in text
        number = title.split(" ")[0]
        assert f'catch_up("{path.stem}", "{number}")' in text
        for source in catch_up.cells_before(path.stem, number):
            ast.parse(plain.transform_cell(source))


@pytest.mark.parametrize(
    "path", sorted((books.DATA / "instructor").glob("*.yaml")), ids=lambda path: path.stem
)
def test_the_instructors_notes_name_sections_that_exist(path):
    notes = yaml.safe_load(path.read_text())
    titles = list(
        filter(None, map(books.section, read(notebooks.FOLDER / f"{path.stem}.ipynb").cells))
    )
    assert set(notes["sections"]) <= set(titles)
    minutes = sum(one["minutes"] for one in notes["sections"].values())
    assert minutes <= notes["minutes"]


@pytest.mark.parametrize(
    ("sources", "fault"),
    [
        ((GOOD.replace("### END SOLUTION\n", ""),), "needs one region"),
        ((GOOD.replace("###", "    ###"),), "needs one region"),
        ((GOOD.replace("answer = None\n", ""),), "uses answer without the solution"),
        ((GOOD.replace("1.4", "77.4"),), "of a known exercise"),
        ((GOOD, GOOD.replace("answer", "other")), "has a solution's mark, and not the tag"),
        ((GOOD.replace("answer = 1", "answer = deep = 1"), "deep + 1"), "uses deep, which only"),
    ],
)
def test_a_badly_marked_exercise_is_named(sources, fault):
    assert any(fault in found for found in books.faults(lesson(*sources)))


def test_a_good_one_has_no_fault():
    assert books.faults(lesson(GOOD, "2 + 2")) == []


def test_catching_up_runs_what_is_before_a_section(tmp_path, monkeypatch):
    sections = [
        new_markdown_cell("## 9.1 Begin"),
        new_code_cell("first = 1\nprint('not shown')"),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
        new_markdown_cell("## 9.2 Go on"),
        new_code_cell("second = first + 1"),
    ]
    nbformat.write(new_notebook(cells=sections), tmp_path / "09_x.ipynb")
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    assert catch_up.cells_before("09_x", "9.2") == ["first = 1\nprint('not shown')"]
    for wrong, says in ((("09_x", "9.7"), "no section 9.7"), (("no", "1.1"), "no lesson 'no'")):
        with pytest.raises(WrongInput, match=says):
            catch_up.cells_before(*wrong)
    target = tmp_path / "mine.ipynb"
    mine = [
        "from drydock import notebooks\nfrom pathlib import Path\nnotebooks.FOLDER = Path()",
        'from drydock.study.catch_up import catch_up\ncatch_up("09_x", "9.2")',
        "print(first)",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(one) for one in mine]), target)
    ran = notebooks.execute(target)
    assert ran.cells[1].outputs[0].text == "ran 1 cells: you are at the beginning of 9.2\n"
    assert ran.cells[2].outputs[0].text == "1\n"


def test_the_command_writes_books_and_never_over_others(tmp_path):
    command = [
        sys.executable,
        "-m",
        "drydock.cli",
        "handout",
        "student",
        "--to",
        str(tmp_path / "a"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "a").glob("*.ipynb"))) == len(LESSONS)
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 2
    assert "type --to and another folder" in again.stderr
