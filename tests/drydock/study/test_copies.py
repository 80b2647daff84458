"""The learner's copies: never over the learner's work, never the source."""

import json

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from drydock import notebooks
from drydock.cli import main
from drydock.errors import WrongInput
from drydock.study import copies

CELL = """\
answer = None
### BEGIN SOLUTION
answer = {}
### END SOLUTION
exercises.check("1.4", answer)"""


def write_lesson(path, answer):
    cell = new_code_cell(CELL.format(answer), metadata={"tags": ["exercise"]}, id="one")
    nbformat.write(new_notebook(cells=[cell]), path)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    source = tmp_path / "notebooks"
    source.mkdir()
    write_lesson(source / "01_pipeline.ipynb", 1)
    monkeypatch.setattr(notebooks, "FOLDER", source)
    monkeypatch.setenv("DRYDOCK_LESSONS", str(tmp_path / "mine"))
    assert copies.ready() == []
    return tmp_path / "mine" / "01_pipeline.ipynb"


def test_a_copy_has_no_solution_and_the_source_keeps_it(mine, tmp_path):
    assert "SOLUTION" not in mine.read_text() and "Your code here" in mine.read_text()
    assert "SOLUTION" in (tmp_path / "notebooks" / "01_pipeline.ipynb").read_text()


def test_a_copy_that_was_worked_on_stays_and_one_that_was_not_is_renewed(mine, tmp_path):
    source = tmp_path / "notebooks" / "01_pipeline.ipynb"
    source.write_text(source.read_text().replace("answer = None", "answer = ..."))
    assert copies.ready() == []
    assert "answer = ..." in mine.read_text()
    mine.write_text(mine.read_text().replace("# Your code", "answer = 5 # Your code"))
    source.write_text(source.read_text().replace("answer = ...", "answer = None"))
    [said] = copies.ready()
    assert "`drydock reset 01_pipeline` takes it and keeps yours" in said
    assert "answer = 5" in mine.read_text()
    assert copies.ready() == []  # said once


def test_reset_keeps_every_older_one(mine):
    for number in (1, 2):
        mine.write_text(mine.read_text().replace("# Your code", f"x = {number} # Your code"))
        copy, kept = copies.reset("01")
        assert copy == mine and kept.name == f"01_pipeline.kept-{number}.ipynb"
        assert f"x = {number}" in kept.read_text() and "x =" not in mine.read_text()


def test_a_record_that_is_broken_costs_no_copy(mine):
    record = mine.with_name(copies.RECORD)
    json.loads(record.read_text())
    record.write_text("{")
    mine.write_text(mine.read_text().replace("# Your code", "x = 1 # Your code"))
    copies.ready()
    assert "x = 1" in mine.read_text()
    assert record.with_name(".copies.broken-1.json").exists()


@pytest.mark.parametrize(
    "name", ["1", "01", "01_pipeline", "01_pipeline.ipynb", "a/01_pipeline.ipynb"]
)
def test_a_lesson_is_found_by_what_people_type(name, mine):
    assert copies.name_of(name) == "01_pipeline"


def test_the_command_names_the_lessons_there_are(mine):
    with pytest.raises(WrongInput, match="type one of 01_pipeline"):
        copies.reset("no")
    done = CliRunner().invoke(main, ["reset", "no"])
    assert done.exit_code == 2
    assert "no lesson 'no': type one of 01_pipeline" in done.output
    assert CliRunner().invoke(main, ["reset"]).exit_code == 2
    assert CliRunner().invoke(main, ["reset", "01", "--all"]).exit_code == 2
    done = CliRunner().invoke(main, ["reset", "01"])
    assert done.exit_code == 0 and "kept-1" in done.output
