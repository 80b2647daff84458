"""Reviews: right answers put a question off, wrong ones bring it back, nothing is lost."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from drydock.errors import WrongInput
from drydock.study import questions
from drydock.study.reviews import Reviews

BANK = questions.load()
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_right_answers_put_a_question_off_for_longer_and_longer():
    reviews, when, waits = Reviews(), START, []
    for _ in range(6):
        due = reviews.answered(BANK[0], True, when)
        waits.append(due - when)
        when = due
    assert waits[2:] == sorted(waits[2:]) and waits[-1] > timedelta(days=20)


def test_a_wrong_answer_brings_it_back_within_minutes():
    reviews, when = Reviews(), START
    for _ in range(4):
        when = reviews.answered(BANK[0], True, when)
    assert reviews.answered(BANK[0], False, when) - when < timedelta(hours=1)


def test_due_lists_what_is_due_and_nothing_new():
    reviews = Reviews()
    assert reviews.due(BANK, START) == []
    reviews.answered(BANK[1], False, START + timedelta(seconds=5))
    reviews.answered(BANK[0], False, START)
    for _ in range(3):
        reviews.answered(BANK[2], True, START)
    assert reviews.due(BANK, START + timedelta(hours=1)) == [BANK[0], BANK[1]]


def test_reviews_survive_a_restart(tmp_path):
    path = tmp_path / "reviews.json"
    reviews = Reviews.load(path)
    due = reviews.answered(BANK[0], True, START)
    reviews.save(path)
    again = Reviews.load(path)
    assert again.cards[BANK[0].id].due == due
    assert again.answered(BANK[0], True, due) == reviews.answered(BANK[0], True, due)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 9, "cards": {}}',
                                  '{"version": 1, "cards": {"a": 5}}',
                                  '{"version": 1, "cards": {"a": {"due": "soon"}}}'])  # fmt: skip
def test_a_broken_file_is_put_aside_with_a_message(tmp_path, text):
    path = tmp_path / "reviews.json"
    path.write_text(text)
    with pytest.raises(WrongInput, match=r"reviews\.broken-1\.json"):
        Reviews.load(path)
    assert (tmp_path / "reviews.broken-1.json").read_text() == text
    assert Reviews.load(path).cards == {}


def test_the_file_is_plain_json(tmp_path):
    reviews = Reviews()
    reviews.answered(BANK[0], True, START)
    reviews.save(tmp_path / "reviews.json")
    assert BANK[0].id in json.loads((tmp_path / "reviews.json").read_text())["cards"]
