"""The quiz of a lesson: what is answered is kept, and the paper in the lesson is the bank's."""

import re
import shutil

import pytest

from drydock import notebook_guard, notebooks
from drydock.errors import WrongInput
from drydock.study import progress, questions, quiz

LESSONS = sorted(notebooks.FOLDER.glob("[!.]*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize("lesson", quiz._quizzes())
def test_each_quiz_asks_at_least_four_different_questions(lesson):
    asked = [one.id for one in quiz.of(lesson)]
    assert len(set(asked)) == len(asked) >= 4


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_lesson_shows_its_own_quiz_as_the_bank_has_it(path):
    found = list(quiz.stored(notebook_guard.read(path)))
    own = [about for _, kind, about in found if kind == "quiz"]
    assert own == [path.stem.split("_")[0]]
    for data, kind, about in found:
        assert data == quiz.current(kind, about), "type: python -m drydock.study.quiz"


def test_a_paper_that_is_out_of_date_is_written_anew(tmp_path, monkeypatch):
    copy = tmp_path / "03_launch_ecs.ipynb"
    shutil.copy(notebooks.FOLDER / copy.name, copy)
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    before = copy.read_bytes()
    assert quiz.write_papers() == []
    assert copy.read_bytes() == before
    copy.write_bytes(before.replace(b"<li><p>", b"<li><p>Stale: ", 1))
    assert quiz.write_papers() == ["03_launch_ecs"]
    assert copy.read_bytes() == before


@pytest.mark.parametrize("kind", questions.TYPES)
def test_on_paper_is_every_option_with_its_reason_and_the_answer_folded(kind):
    one = next(one for one in questions.load() if one.type == kind)
    folded = re.search(r"<details>(.*)</details>", quiz.paper((one,)), re.DOTALL).group(1)
    text = quiz.paper((one,)).replace(folded, "")
    for option in one.options:
        shown = quiz.escape(option.text)
        assert shown in text and shown in folded and quiz.escape(option.why) in folded
        assert quiz.escape(option.why) not in text
    assert f"<b>{quiz.escape(quiz.feedback(one, None).answer())}</b>" in folded


def test_a_front_end_gets_the_widget_and_the_paper():
    bundle = quiz.show("01")._repr_mimebundle_()
    assert set(bundle) == {WIDGET, "text/plain", "text/html"}
    assert bundle["text/plain"] == "Quiz of 6 questions"


def test_answers_are_kept_and_come_in_the_order_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("DRYDOCK_HOME", str(tmp_path))
    shown = quiz.show("01")
    first, second = quiz.of("01")[:2]
    assert shown.box.question == first
    shown.box.choose(first.answer)
    shown._answer.click()
    shown._next.click()
    assert shown.box.question == second
    kept = progress.read().answers()
    assert set(kept) == {first.id} and kept[first.id].last


def test_an_unknown_lesson_and_an_unknown_question_are_named(monkeypatch):
    with pytest.raises(WrongInput, match="no quiz '77': type one of 00, 01"):
        quiz.show("77")
    monkeypatch.setattr(quiz, "_quizzes", lambda: {"01": ["no-such"]})
    with pytest.raises(WrongInput, match="no question is called no-such"):
        quiz.show("01")
