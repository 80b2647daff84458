"""What a bill of the cloud is made of."""

import datetime as dt
from dataclasses import dataclass

from drydock.model.prices import Bill


@dataclass(frozen=True)
class Item:
    """One thing that was used: what it is, how much of it in words, and its bill."""

    what: str
    used: str
    bill: Bill


def seconds_since(began: dt.datetime, now: dt.datetime) -> float:
    """Return the seconds that something has lasted, never less than none."""
    return max((now - began).total_seconds(), 0.0)
