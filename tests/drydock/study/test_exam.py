"""The mock exam: its make-up, clock, answers and score, and that no work is lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.errors import WrongInput
from drydock.study import families, questions
from drydock.study.exam import Exam, shared
from drydock.study.exam_result import Score, scaled

BANK = questions.load()
WEIGHTS = {"1": 34, "2": 26, "3": 22, "4": 18}


@pytest.fixture
def exam():
    found = Exam.draw(BANK, seed=3)
    found.start(now=1000)
    return found


def domains(some):
    return {name: sum(one.domain == name for one in some) for name in WEIGHTS}


def test_the_exam_has_the_real_one_s_make_up(exam):
    assert len(exam.questions) == 65 and len({one.id for one in exam.questions}) == 65
    assert len(exam.scored) == 50 and exam.seconds == 130 * 60
    scored = [one for one in exam.questions if one.id in exam.scored]
    assert domains(scored) == {"1": 17, "2": 13, "3": 11, "4": 9}
    assert {one.type for one in exam.questions} <= {"multiple_choice", "multiple_response"}


def test_a_seed_gives_the_same_exam_and_another_one_another():
    def ids(seed):
        return [one.id for one in Exam.draw(BANK, seed=seed).questions]

    assert ids(1) == ids(1) != ids(2)


def test_questions_seen_before_come_last():
    first = {one.id for one in Exam.draw(BANK, size=20, seed=1).questions}
    second = {one.id for one in Exam.draw(BANK, size=20, seed=2, seen=first).questions}
    assert not first & second


def test_a_short_exam_is_in_proportion():
    short = Exam.draw(BANK, size=13)
    assert (len(short.questions), len(short.scored), short.seconds) == (13, 10, 26 * 60)
    assert Exam.draw(BANK, size=13, minutes=5).seconds == 300


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_a_wrong_size_is_refused(size):
    with pytest.raises(WrongInput, match="size is"):
        Exam.draw(BANK, size=size)


def test_a_bank_that_is_too_small_says_which_domain():
    with pytest.raises(WrongInput, match=r"domain 2 has \d+ questions, and 52 are needed"):
        Exam.draw(BANK, size=200)


def test_all_right_is_1000_and_nothing_is_100(exam):
    for index, one in enumerate(exam.questions):
        exam.answer(index, one.answer, now=1001)
    assert exam.unanswered() == []
    result = exam.finish(now=1600)
    assert (result.scaled, result.passed, result.seconds) == (1000, True, 600)
    assert result.wrong == () and result.weakest() == []
    empty = Exam.draw(BANK, seed=3).finish()
    assert (empty.scaled, empty.passed, len(empty.wrong)) == (100, False, 65)


def test_720_passes_and_just_below_does_not():
    assert scaled(Score(35, 50)) == 730 and scaled(Score(34, 50)) == 712
    assert Score(0, 0).share == 0


def test_only_scored_questions_count(exam):
    for index, one in enumerate(exam.questions):
        if one.id not in exam.scored:
            exam.answer(index, one.answer, now=1001)
    result = exam.finish(now=1002)
    assert result.scored == Score(0, 50) and result.scaled == 100
    assert sum(score.right for score in result.skills.values()) >= 15


def test_result_by_domain_skill_and_words(exam):
    for index, one in enumerate(exam.questions):
        if one.domain == "4":
            exam.answer(index, one.answer, now=1001)
    result = exam.finish(now=1060)
    assert result.domains["4"] == Score(9, 9) and result.domains["1"] == Score(0, 17)
    assert all(skill.split(".")[0] != "4" for skill in result.weakest())
    text = result.text()
    assert "9 of 50 scored questions" in text and "not passed" in text and "our estimate" in text


def test_half_a_multiple_response_is_wrong(exam):
    index, one = next(
        (index, one)
        for index, one in enumerate(Exam.draw(BANK, seed=3).questions)
        if one.type == "multiple_response"
    )
    exam.answer(index, one.answer[:1], now=1001)
    assert one.id in exam.finish(now=1002).wrong


def test_the_clock_stands_while_paused_and_ends_the_exam(exam):
    exam.pause(now=1060)
    assert exam.elapsed(now=9_999) == 60
    with pytest.raises(WrongInput, match=r"start\(\)"):
        exam.answer(0, ["a"], now=9_999)
    exam.start(now=10_000)
    assert exam.remaining(now=10_030) == exam.seconds - 90
    with pytest.raises(WrongInput, match="time is up"):
        exam.answer(0, ["a"], now=10_000 + exam.seconds)
    assert exam.finish(now=1e9).seconds == exam.seconds
    for call in (lambda: exam.answer(0, ["a"]), exam.start):
        with pytest.raises(WrongInput, match="has ended"):
            call()


def test_answers_can_be_changed_taken_back_and_flagged(exam):
    exam.answer(0, ["a"], now=1001)
    exam.answer(0, ["b"], now=1002)
    exam.answer(1, ["a"], now=1003)
    exam.answer(1, None, now=1004)
    assert list(exam.answers.values()) == [["b"]] and len(exam.unanswered()) == 64
    exam.flag(5)
    exam.flag(2)
    exam.flag(5, on=False)
    assert exam.flagged() == [2]
    with pytest.raises(WrongInput, match="no question 65"):
        exam.flag(65)
    with pytest.raises(WrongInput, match="is no answer"):
        exam.answer(0, ["z"], now=1005)


def test_an_exam_goes_on_after_the_window_was_closed(exam, tmp_path):
    path = tmp_path / "learner" / "exam.json"
    assert Exam.load(path, BANK) is None
    exam.answer(0, exam.questions[0].answer, now=1100)
    exam.flag(7)
    exam.save(path, now=1200)
    again = Exam.load(path, BANK)
    assert again.questions == exam.questions and again.scored == exam.scored
    assert (again.answers, again.flagged(), again.used) == (exam.answers, [7], 200)
    again.start(now=5)
    assert again.remaining(now=15) == exam.seconds - 210
    again.finish(now=15)
    again.save(path)
    assert Exam.load(path, BANK).finished
    assert [one.name for one in path.parent.iterdir()] == ["exam.json"]


def test_an_exam_with_generated_questions_goes_on_too(tmp_path):
    made = [families.generate(name, 1) for name in families.names()]
    bank = [one for one in BANK if one.domain != "1"] + made
    exam = Exam.draw(bank, size=40, seed=2)
    assert any(one in made for one in exam.questions)
    exam.save(tmp_path / "exam.json")
    assert Exam.load(tmp_path / "exam.json", BANK).questions == exam.questions


def broken(state, **changes):
    return json.dumps({**state, **changes})


@pytest.mark.parametrize(
    "change",
    [
        lambda state: "",
        lambda state: "{",
        lambda state: "[]",
        lambda state: "\x00\x01",
        lambda state: json.dumps(state)[:200],
        lambda state: broken(state, version=99),
        lambda state: broken(state, questions=["gone-question"]),
        lambda state: broken(state, answers={"gone-question": ["a"]}),
        lambda state: broken(state, answers={state["questions"][0]: ["z"]}),
        lambda state: broken(state, answers={state["questions"][0]: 5}),
        lambda state: broken(state, used=-5),
        lambda state: broken(state, used="long"),
        lambda state: broken(state, flags=7),
        lambda state: json.dumps({name: state[name] for name in state if name != "scored"}),
    ],
)
def test_a_broken_file_is_put_aside_with_a_message(exam, tmp_path, change):
    path = tmp_path / "exam.json"
    exam.save(path, now=1001)
    (tmp_path / "exam.broken-1.json").write_text("an older one")
    text = change(json.loads(path.read_text()))
    path.write_text(text)
    with pytest.raises(
        WrongInput, match=r"exam\.json holds no exam.*exam\.broken-2\.json.*new exam"
    ):
        Exam.load(path, BANK)
    assert (tmp_path / "exam.broken-2.json").read_text() == text
    assert (tmp_path / "exam.broken-1.json").read_text() == "an older one"
    assert Exam.load(path, BANK) is None


@given(st.integers(0, 500))
def test_shares_add_up_and_are_near_their_weights(number):
    parts = shared(number, WEIGHTS)
    assert sum(parts.values()) == number
    assert all(abs(parts[name] - number * WEIGHTS[name] / 100) < 1 for name in WEIGHTS)
