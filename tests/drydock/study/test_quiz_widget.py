"""The screens: what is clicked reaches Python, and nothing of an exam is lost."""

import pytest

from drydock.study import questions
from drydock.study.answer_box import AnswerBox
from drydock.study.exam import Exam
from drydock.study.quiz_widget import ExamScreen, Quiz

BANK = questions.load()


def of_type(kind):
    return next(one for one in BANK if one.type == kind)


def shown(screen):
    return " ".join(getattr(child, "value", "") for child in screen.children)


def button(screen, text):
    found, todo = None, [screen]
    while todo:
        one = todo.pop()
        todo += getattr(one, "children", ())
        if getattr(one, "description", "") == text and hasattr(one, "click"):
            found = one
    assert found, f"no button {text}"
    return found


@pytest.mark.parametrize("kind", questions.TYPES)
def test_each_type_gives_its_response_and_shows_a_kept_one(kind):
    one = of_type(kind)
    box = AnswerBox(one)
    assert box.response is None
    box.choose(one.answer)
    assert one.is_right(box.response)
    assert one.is_right(AnswerBox(one, box.response).response)
    box.lock()
    assert all(control.disabled for control in box.controls.values())


def test_ticking_an_option_of_a_multiple_choice_unticks_the_others():
    box = AnswerBox(of_type("multiple_choice"))
    for key in ("a", "c"):
        box.controls[key].value = True
    assert box.response == ["c"]
    box.controls["c"].value = False
    assert box.response is None


def test_several_options_of_a_multiple_response_stay_ticked():
    box = AnswerBox(of_type("multiple_response"))
    for key in ("d", "a"):
        box.controls[key].value = True
    assert sorted(box.response) == ["a", "d"]


def test_an_ordering_with_a_place_twice_is_not_complete():
    box = AnswerBox(of_type("ordering"))
    for control in box.controls.values():
        control.value = 1
    assert box.response is None


def test_the_prompt_is_shown_as_text_and_not_as_html():
    from dataclasses import replace

    one = replace(of_type("multiple_choice"), stem="<b>bold</b> & co")
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in AnswerBox(one).children[0].value


def test_a_quiz_gives_feedback_and_calls_back():
    seen = []
    quiz = Quiz(BANK[:2], on_answer=seen.append)
    button(quiz, "Answer").click()
    assert "Choose an answer first" in quiz.note.value and not seen
    quiz.box.choose(quiz.box.question.answer)
    button(quiz, "Answer").click()
    assert "Right." in quiz.note.value and seen[0].right
    first = quiz.box.question.id
    button(quiz, "Next").click()
    assert quiz.box.question.id != first and quiz.note.value == ""
    button(quiz, "Next").click()
    assert "Done: 1 right, 0 wrong" in quiz.children[0].value


def test_an_exam_can_be_left_in_the_middle_and_gone_on_with(tmp_path):
    path = tmp_path / "exam.json"
    screen = ExamScreen(Exam.draw(BANK, size=5, seed=1), path)
    screen.box.choose(screen.exam.questions[0].answer)
    screen._flag.value = True
    button(screen, "Next").click()
    assert screen.at == 1 and not screen._flag.value
    del screen

    again = ExamScreen(Exam.load(path, BANK), path)
    assert again.exam.questions[0].is_right(again.box.response)
    assert again._flag.value and "Not answered: 2, 3, 4, 5 · flagged: 1" in again._status.value
    again._go.value = 5
    assert again.at == 4 and len(again.exam.answers) == 1
    button(again, "Back").click()
    assert again.at == 3
    button(again, "Pause").click()
    assert again.exam._since is None
    button(again, "Go on").click()
    assert again.at == 3 and again.exam._since is not None
    button(again, "Finish").click()
    assert "our estimate" in shown(again) and shown(again).count("Source: https://") == 4
    assert "our estimate" in shown(ExamScreen(Exam.load(path, BANK), path))


def test_when_the_time_is_up_the_result_is_shown(tmp_path):
    exam = Exam.draw(BANK, size=5, seed=1)
    screen = ExamScreen(exam, tmp_path / "exam.json")
    exam.used = exam.seconds
    screen.box.choose(exam.questions[0].answer)
    button(screen, "Next").click()
    assert "not passed" in shown(screen) and "time was up" in shown(screen)
