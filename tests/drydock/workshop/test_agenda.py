"""The agenda adds up: no section is lost, breaks come in time, what to skip is said."""

import datetime as dt
import itertools

import pytest

from drydock.errors import WrongInput
from drydock.study import books
from drydock.workshop import agenda

DAY = ["00", "01", "03"]


def test_slots_follow_each_other_and_add_up_to_the_notes():
    slots = agenda.agenda(DAY, "08:30")
    assert f"{slots[0].begin:%H:%M}" == "08:30"
    for before, after in itertools.pairwise(slots):
        assert after.begin - before.begin == dt.timedelta(minutes=before.minutes)
    planned = sum(
        books.notes_of(name)["minutes"]
        for name in ("00_start_here", "01_pipeline", "03_launch_ecs")
    )
    assert sum(one.minutes for one in slots if one.what != "break") == planned


def test_nobody_works_longer_than_ninety_minutes_without_a_break():
    worked = 0
    for slot in agenda.agenda(["01", "03", "03b", "05"]):
        worked = 0 if slot.what == "break" else worked + slot.minutes
        assert worked <= max(agenda.WORK, slot.minutes)


def test_every_section_of_a_lesson_has_its_time():
    titles = [one.what for one in agenda.agenda(["01"])]
    assert set(books.notes_of("01_pipeline")["sections"]) <= set(titles)


def test_the_text_says_what_to_skip():
    told = agenda.text(["01"], "13:00")
    assert told.startswith("13:00    5 min  1.1 Open the lab")
    assert "When late in 01_pipeline, skip:\n  the charts of 1.9" in told


@pytest.mark.parametrize(("lessons", "start", "says"), [
    (["77"], "09:00", "no lesson '77'"),
    (["01"], "9 o'clock", "is no time"),
    (["01"], "25:00", "is no time"),
])  # fmt: skip
def test_what_cannot_be_planned_is_named(lessons, start, says):
    with pytest.raises(WrongInput, match=says):
        agenda.agenda(lessons, start)
