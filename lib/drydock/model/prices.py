"""Prices with their sources, and bills made of them. Money is Decimal, in US dollars."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from pathlib import Path

DATA = Path(__file__).parents[3] / "data" / "prices.json"
ROUNDINGS = ("none", "lines", "total")


@dataclass(frozen=True)
class Price:
    """A price or a billing rule of AWS, with the page that states it and the day it was read."""

    name: str
    value: Decimal
    unit: str
    source: str
    date: str


@dataclass(frozen=True)
class Line:
    """One line of a bill: `quantity` of what `price` is for, in the price's unit."""

    what: str
    quantity: Decimal
    price: Price

    @property
    def amount(self) -> Decimal:
        """Quantity times price, not rounded."""
        return self.quantity * self.price.value


@dataclass(frozen=True)
class Bill:
    """Lines that add up to a total."""

    lines: tuple[Line, ...]

    def total(self, rounding: str = "none", places: int = 2) -> Decimal:
        """Return the sum of all lines.

        `rounding`, always half up to `places` decimals, is "none", "lines" (round each line, then
        add: AWS's pricing pages and invoices) or "total" (add, then round once: most calculators).
        """
        if rounding not in ROUNDINGS:
            raise ValueError(f"rounding {rounding!r} is unknown: type one of {typed(ROUNDINGS)}")
        if rounding == "lines":
            return sum((rounded(line.amount, places) for line in self.lines), Decimal(0))
        total = sum((line.amount for line in self.lines), Decimal(0))
        return rounded(total, places) if rounding == "total" else total


def combined(bills: Iterable[Bill]) -> Bill:
    """Return one bill with the lines of all `bills`, in their order."""
    return Bill(tuple(line for bill in bills for line in bill.lines))


@cache
def file() -> dict:
    """Return data/prices.json as it is."""
    return json.loads(DATA.read_text())


@cache
def price(name: str) -> Price:
    """Return the price called `name` in data/prices.json; ValueError if there is none."""
    entry = entry_of(name, file()["prices"], "price")
    return Price(name, Decimal(entry["value"]), entry["unit"], entry["source"], entry["date"])


def discounted(full: Price, discount) -> Price:
    """Return `full` less the part `discount` (0 to 1), as Spot and Savings Plans take off.

    AWS publishes no constant price for Spot: the discount is the caller's assumption.
    """
    part = number(discount, "discount")
    if part > 1:
        raise ValueError(f"discount is {discount}: type a part from 0 to 1, such as 0.69")
    return replace(full, value=full.value * (1 - part)) if part else full


def region() -> str:
    """Return the AWS region that the prices are for."""
    return file()["region"]


def citation(prices: Iterable[Price]) -> str:
    """Return the line that belongs below a figure made of `prices`: region, sources, dates."""
    sources = sorted({(one.source, one.date) for one in prices})
    return f"Prices of {region()}: " + "; ".join(f"{page}, read {date}" for page, date in sources)


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    """Round half up, away from zero, as bills do (Python's `round` goes to the even digit)."""
    # Thirds of an hour have no end as decimals: 0.00499...9 of them stands for half a cent.
    near = amount.quantize(Decimal("1e-15"), ROUND_HALF_UP)
    return near.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def number(value, what: str) -> Decimal:
    """Return `value` as a Decimal; ValueError, naming it `what`, if it is no number from 0 up."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite() or found < 0:
        raise ValueError(f"{what} is {value!r}: type a number that is not negative")
    return found


def whole(value, what: str) -> int:
    """Return `value` as an int; ValueError, naming it `what`, if it is no whole number from 0."""
    found = number(value, what)
    if found != found.to_integral_value():
        raise ValueError(f"{what} is {value!r}: type a whole number")
    return int(found)


def entry_of(name: str, table: dict, what: str):
    """Return `table[name]`; ValueError, with the names nearest to it, if there is none."""
    if name not in table:
        near = difflib.get_close_matches(str(name), table, n=3, cutoff=0.4) or list(table)[:3]
        raise ValueError(f"no {what} is called {name!r}: type one of {typed(near)}")
    return table[name]


def typed(names: Iterable[str]) -> str:
    """Return `names` as a person would type them, for an error message."""
    return ", ".join(repr(name) for name in names)
