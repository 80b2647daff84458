"""What is answered at the desk is kept: progress, reviews, the mock exam."""

from datetime import UTC, datetime, timedelta

import pytest

from drydock.study import desk, progress, questions
from drydock.study.reviews import Reviews


@pytest.fixture(autouse=True)
def own_study(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "folder", lambda: tmp_path / "study")


def tick(box, right):
    """Choose the right answer of a multiple choice on the screen, or a wrong one."""
    keys = [one.key for one in box.question.options]
    wrong = next(key for key in keys if key not in box.question.answer)
    box.choose(list(box.question.answer) if right else [wrong])


def test_an_answer_in_a_quiz_is_kept_and_comes_again(tmp_path):
    assert desk.review() == "nothing is due today: answer new questions with desk.quiz()"
    quiz = desk.quiz(2, seed=1, types=["multiple_choice"])
    first = quiz.box.question
    tick(quiz.box, right=False)
    quiz._answer.click()
    assert progress.read().answers()[first.id].last is False
    reviews = Reviews.load(tmp_path / "study" / "reviews.json")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert reviews.due(questions.load(), tomorrow) == [first]


def test_an_exam_goes_on_and_its_answers_are_kept_once():
    screen = desk.exam(3, seed=1)
    screen.box.choose(list(screen.box.question.answer))
    answered = screen.box.question.id
    screen._step(1)
    again = desk.exam()
    assert again.exam.answers.keys() == {answered}
    again._finish()
    assert progress.read().answers()[answered].tries == 1
    assert [one.details["scored"] for one in progress.read().of("exam")] == [2]
    again._finish()
    assert len(list(progress.read().of("exam"))) == 1
    assert desk.exam(3, seed=2).exam.answers == {}


def test_the_heat_map_is_a_chart():
    desk.quiz(1, seed=1)
    assert desk.standing()._repr_png_()[0].startswith(b"\x89PNG")
