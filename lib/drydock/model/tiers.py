"""Prices that fall with the quantity of a month, and the free part that comes before them."""

from decimal import Decimal
from functools import cache

from drydock.model.prices import Bill, Line, Price, entry_of, file, number, price


@cache
def tiers(name: str) -> tuple[tuple[Decimal | None, Price], ...]:
    """Return the tiers of `name` in data/prices.json: where each ends (None: nowhere), its price.

    Ends are quantities of a month in the price's unit, counted from 0.
    """
    entry = entry_of(name, file()["tiered"], "tiered price")
    return tuple(
        (
            None if end is None else Decimal(end),
            Price(name, Decimal(value), entry["unit"], entry["source"], entry["date"]),
        )
        for end, value in entry["tiers"]
    )


def tiered(what: str, quantity, name: str, *, used=0) -> list[Line]:
    """Return the lines of `quantity` at the tiered price `name`, one for each tier it reaches.

    `used` is what the month has already had, so that a later job starts in a later tier.
    ValueError where the quantity goes beyond the last tier whose price is known.
    """
    start = number(used, "used")
    rest = start + number(quantity, what)
    lines, floor = [], Decimal(0)
    for end, cost in tiers(name):
        upper = rest if end is None else min(rest, end)
        inside = upper - max(floor, start)
        if inside > 0:
            lines.append(Line(f"{what}, {_label(floor, end)}", inside, cost))
        if end is None or rest <= end:
            return lines
        floor = end
    raise ValueError(f"{what} reaches {rest:f}: prices of {name!r} are known to {floor:,f} only")


def usage(name: str, quantity) -> Bill:
    """Return the bill of `quantity` at the price `name` of data/prices.json, tiered or not.

    The quantity is in the price's unit. This is the way to bill what no other function covers.
    """
    if name in file()["tiered"]:
        return Bill(tuple(tiered(name, quantity, name)))
    return Bill((Line(name, number(quantity, "quantity"), price(name)),))


def beyond_free(quantity, free_name: str, free_tier: bool, *, what: str) -> Decimal:
    """Return what is left of `quantity` after the free part of a month, if `free_tier` holds."""
    asked = number(quantity, what)
    return max(Decimal(0), asked - price(free_name).value) if free_tier else asked


def _label(floor: Decimal, end: Decimal | None) -> str:
    if end is None:
        return f"over {floor:,f}" if floor else "all"
    return f"next {end - floor:,f}" if floor else f"first {end:,f}"
