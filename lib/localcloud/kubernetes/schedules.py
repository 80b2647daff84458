"""Cron schedules: five fields, or @hourly and its like. https://en.wikipedia.org/wiki/Cron"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = timedelta(days=366 * 5)


@dataclass(frozen=True)
class Schedule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def after(self, moment: datetime) -> datetime | None:
        """The next minute that matches; None if there is none within five years."""
        at = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while at - moment < LONGEST:
            if at.month not in self.months or not self._day(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at
        return None

    def _day(self, at: datetime) -> bool:
        """When both day fields are given, one of the two is enough."""
        day, weekday = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        return (day or weekday) if self.either else (day and weekday)


def parse(text: str) -> Schedule:
    """Raises ValueError."""
    fields = NAMED.get(text.strip(), text).split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
    sets = [
        _field(f, low, high, at)
        for at, (f, (low, high)) in enumerate(zip(fields, BOUNDS, strict=True))
    ]
    return Schedule(*sets, either="*" not in (fields[2][0], fields[4][0]))


def _field(text: str, low: int, high: int, at: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            first, _, last = span.partition("-")
            first = _number(first, at)
            last = _number(last, at) if last else (high if step else first)
        width = _number(step, -1) if step else 1
        if not low <= first <= last <= high or width < 1:
            raise ValueError(f"{part} is not within {low}-{high}")
        found.update(range(first, last + 1, width))
    return frozenset(found)


def _number(text: str, at: int) -> int:
    for place, names, base in ((3, MONTHS, 1), (4, DAYS, 0)):
        if at == place and text in names:
            return names.index(text) + base
    if not text.isdigit():
        raise ValueError(f"failed to parse int from {text}")
    return 0 if at == 4 and text == "7" else int(text)
