"""Learners side by side: what did not end well, and what is another learner's, is told."""

import json

import pytest
from learners import LESSON, Seat

DONE = ("1.1", "1.2", "1.3", "1.4")


@pytest.fixture
def seat(tmp_path):
    """A learner whose lesson ended well."""
    found = Seat("learner-01", tmp_path, exit_code=0)
    (tmp_path / "outputs.json").write_text(json.dumps({"learner": "learner-01", "shown": []}))
    write(tmp_path, DONE)
    return found


def write(home, names, right=True):
    (home / "study").mkdir(exist_ok=True)
    lines = [
        {"v": 1, "kind": "exercise", "about": name, "when": "2013-01-01T00:00:00", "right": right}
        for name in names
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (home / "study" / "progress.jsonl").write_text(text)


def problems(seat):
    seat.check(LESSON)
    return " ".join(seat.problems)


def test_nothing_is_wrong_with_a_lesson_that_ended_well(seat):
    assert problems(seat) == ""


def test_a_lesson_that_failed_says_its_last_line(seat):
    seat.exit_code = 1
    (seat.home / "lesson.log").write_text("first\nCellFailed: cell 7\n")
    assert "exit code 1: CellFailed: cell 7" in problems(seat)


@pytest.mark.parametrize(
    ("names", "right", "says"),
    [
        (DONE[:3], True, "not all of"),
        (DONE, False, "not all of"),
        ((*DONE, "2.1"), True, "not all of"),
        ((*DONE, "1.1"), True, "checked more than once"),
    ],
)
def test_exercises_that_are_not_the_learners_own_four_are_told(seat, names, right, says):
    write(seat.home, names, right)
    assert says in problems(seat)


def test_the_kernel_of_another_learner_is_told(seat):
    (seat.home / "outputs.json").write_text(json.dumps({"learner": "learner-02", "shown": []}))
    assert "that of learner-02" in problems(seat)
