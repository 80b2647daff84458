"""Practice: feedback for every option, and wrong ones come back."""

import pytest

from drydock.errors import WrongInput
from drydock.study import families, questions
from drydock.study.practice import Practice, feedback

BANK = questions.load()


def of_type(kind):
    return next(one for one in BANK if one.type == kind)


def test_feedback_gives_the_reason_of_every_option_and_the_source():
    one = of_type("multiple_choice")
    wrong = next(option.key for option in one.options if not option.correct)
    found = feedback(one, [wrong])
    assert not found.right
    text = found.text()
    assert text.startswith(f"Not right. The answer: {one.answer[0]}.")
    assert all(option.why in text for option in one.options)
    assert f"  - {wrong}. " in text and f"  + {one.answer[0]}. " in text
    assert one.source in text and one.checked in text
    assert feedback(one, one.answer).text().startswith("Right.")


@pytest.mark.parametrize("kind", questions.TYPES)
def test_every_type_can_be_answered_right_wrong_and_not_at_all(kind):
    one = of_type(kind)
    assert feedback(one, one.answer).right
    assert not feedback(one, None).right
    assert feedback(one, None).text().startswith("Not right. The answer: ")


def test_a_generated_question_shows_its_worked_solution():
    one = families.generate("fargate-run-cost", 4)
    assert one.solution in feedback(one, one.answer).text()


def test_wrong_ones_come_back_once_and_first_answers_count():
    some = BANK[:4]
    session = Practice(some, seed=1)
    asked = []
    while one := session.next():
        asked.append(one.id)
        session.answer(one.answer if one is some[0] else None)
    assert sorted(asked) == sorted([some[0].id] + [one.id for one in some[1:]] * 2)
    assert (session.right, session.wrong, session.left) == (1, 3, 0)


def test_no_question_or_no_open_question_is_said_plainly():
    with pytest.raises(WrongInput, match="another skill"):
        Practice([])
    session = Practice(BANK[:1])
    with pytest.raises(WrongInput, match=r"next\(\)"):
        session.answer(["a"])
    session.next()
    with pytest.raises(WrongInput, match="is no answer"):
        session.answer(["z"])
    assert session.answer(["a"]) is not None
