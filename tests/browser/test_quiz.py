"""A quiz and a mock exam in a real browser: by keyboard, gone on with after it was closed, kept."""

import os
from pathlib import Path

import nbformat
import pytest
from lab_browser import served
from nbformat.v4 import new_code_cell, new_notebook

from drydock import notebooks

pytestmark = pytest.mark.browser

QUIZ = """\
from drydock.study import desk, questions
desk.quiz(1, seed=1, types=["multiple_choice"])"""
OTHERS = """\
from drydock.study.answer_box import AnswerBox
import ipywidgets
bank = questions.load()
some = [next(one for one in bank if one.type == kind) for kind in questions.TYPES[1:]]
ipywidgets.VBox([AnswerBox(one) for one in some])"""
EXAM = """\
from drydock.study import desk
desk.exam(5, seed=1)"""
STANDING = """\
from drydock.study import desk, progress
print(len(progress.read().answers()), "answers kept")
desk.standing()"""
SECONDS = 120


@pytest.fixture
def pictures(tmp_path):
    folder = Path(os.environ.get("DRYDOCK_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(folder, name, *cells):
    folder.mkdir(exist_ok=True)
    made = new_notebook(cells=[new_code_cell(one) for one in cells], metadata=notebooks.METADATA)
    nbformat.write(made, folder / name)


@pytest.mark.slow
def test_a_quiz_is_answered_by_keyboard_and_an_exam_outlives_its_window(tmp_path, pictures):
    folder = tmp_path / "notebooks"
    write(folder, "quiz.ipynb", QUIZ, OTHERS)
    write(folder, "exam.ipynb", EXAM)
    write(folder, "standing.ipynb", STANDING)
    with notebooks.fresh_lab() as variables, served(folder, variables, tmp_path) as lab:
        quiz = lab.open_notebook("quiz.ipynb")
        quiz.run_all(SECONDS)
        quiz.page.locator("input[type=checkbox]").first.focus()
        quiz.page.keyboard.press("Tab")
        quiz.page.keyboard.press("Space")
        for _ in range(3):
            quiz.page.keyboard.press("Tab")
        quiz.page.keyboard.press("Enter")
        quiz.page.get_by_text("Source: https://").wait_for(timeout=20_000)
        quiz.screenshot(pictures / "quiz.png")
        assert quiz.page.locator("input[type=checkbox]").nth(1).is_checked()
        assert quiz.tracebacks() == []

        exam = lab.open_notebook("exam.ipynb")
        exam.run_all(SECONDS)
        exam.page.locator(".jp-OutputArea-output input").nth(0).check()
        exam.page.get_by_role("button", name="Next").click()
        exam.page.get_by_text("Question 2 of 5").wait_for(timeout=20_000)
        exam.screenshot(pictures / "exam.png")
        exam.page.close()

        again = lab.open_notebook("exam.ipynb")
        again.run_all(SECONDS)
        again.page.get_by_text("Not answered: 2, 3, 4, 5").wait_for(timeout=20_000)
        assert again.page.locator(".jp-OutputArea-output input").nth(0).is_checked()
        again.page.get_by_role("button", name="Finish").click()
        again.page.get_by_text("our estimate").wait_for(timeout=20_000)
        assert again.tracebacks() == [] and lab.errors == []
        again.screenshot(pictures / "result.png")

        standing = lab.open_notebook("standing.ipynb")
        standing.run_all(SECONDS)
        assert "2 answers kept" in standing.outputs()[0]
        assert standing.page.locator(".jp-OutputArea-output img").count() == 1
        standing.screenshot(pictures / "standing.png")
