"""The agenda of a workshop: when each section begins, where slack is, and what to skip when late.

    print(text(["00", "01", "03"], start="09:00"))

Minutes are those of the instructor's notes, data/instructor: a plan for talk and work together.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from drydock.errors import WrongInput
from drydock.study import books, copies

WORK, BREAK = 90, 15  # minutes after which a break is due, and how long it is


@dataclass(frozen=True)
class Slot:
    """A part of the day: its beginning and minutes, and a section, slack or a break."""

    begin: dt.datetime
    minutes: int
    what: str


def agenda(lessons: Sequence[str], start: str = "09:00") -> list[Slot]:
    """Return the day of some lessons; WrongInput for a lesson without notes, or a wrong time."""
    try:
        now = dt.datetime.strptime(start, "%H:%M")
    except ValueError:
        raise WrongInput(f"{start!r} is no time: type for instance 09:00") from None
    slots: list[Slot] = []
    worked = 0

    def add(minutes: int, what: str) -> None:
        nonlocal now, worked
        if minutes <= 0:
            return
        if worked and worked + minutes > WORK:
            slots.append(Slot(now, BREAK, "break"))
            now, worked = now + dt.timedelta(minutes=BREAK), 0
        slots.append(Slot(now, minutes, what))
        now, worked = now + dt.timedelta(minutes=minutes), worked + minutes

    for lesson in lessons:
        name = copies.name_of(lesson)
        notes = books.notes_of(name)
        if not notes:
            raise WrongInput(f"lesson {name} has no instructor's notes: write data/instructor")
        sections = notes.get("sections", {})
        for title, note in sections.items():
            add(note["minutes"], title)
        rest = notes["minutes"] - sum(note["minutes"] for note in sections.values())
        add(rest, f"exercises of {name}, and slack")
    return slots


def text(lessons: Sequence[str], start: str = "09:00") -> str:
    """Return the agenda as lines, with what to skip when the room is late."""
    slots = agenda(lessons, start)
    lines = [f"{one.begin:%H:%M}  {one.minutes:3} min  {one.what}" for one in slots]
    end = slots[-1].begin + dt.timedelta(minutes=slots[-1].minutes)
    lines.append(f"{end:%H:%M}           end")
    for lesson in lessons:
        name = copies.name_of(lesson)
        lines += ["", f"When late in {name}, skip:"]
        lines += [f"  {one}" for one in books.notes_of(name).get("skip_when_late", ())]
    return "\n".join(lines)
