"""What a flight must satisfy, each check with the reason that a failing row is given."""

import datetime as dt
from collections.abc import Iterator

import polars as pl

from etl.layout import REQUIRED, UTC_AHEAD, Month

EPOCH = dt.date(1970, 1, 1)
MINUTES_A_DAY = 24 * 60
HOUR_MS = 3_600_000
CODES = {
    "carrier": (r"^[A-Z0-9]{2}$", "a carrier's code"),
    "tailnum": (r"^[A-Z0-9]{2,7}$", "a tail number"),
    "origin": (r"^[A-Z]{3}$", "an airport's code"),
    "dest": (r"^[A-Z]{3}$", "an airport's code"),
}
# Far outside of what a scheduled flight can have, so that only damage is caught. Minutes and miles.
RANGES = {
    "flight": (1, 9999),
    "dep_delay": (-MINUTES_A_DAY, 3 * MINUTES_A_DAY),
    "arr_delay": (-MINUTES_A_DAY, 3 * MINUTES_A_DAY),
    "air_time": (1, MINUTES_A_DAY),
    "distance": (1, 12_500),
}
# No two flights of a carrier share a number within an hour.
KEY = ("time_hour", "carrier", "flight")

Check = tuple[pl.Expr, pl.Expr]


def all_pass(frame: pl.DataFrame, month: Month) -> bool:
    """Whether every row of `frame` passes every check and no flight is there twice."""
    passed = frame.select(
        ok.all(ignore_nulls=True).alias(str(number))
        for number, (ok, _) in enumerate(checks(frame, month))
    )
    return all(passed.row(0)) and not frame.select(repeats()).to_series().any()


def repeats() -> pl.Expr:
    """True for each row that has the key of a row before it."""
    return ~pl.struct(KEY).is_first_distinct()


def reasons(frame: pl.DataFrame, month: Month) -> pl.Series:
    """For each row of `frame` the reason of the first check that it fails, or null."""
    failed = [pl.when(~ok).then(reason) for ok, reason in checks(frame, month)]
    return frame.select(pl.coalesce(failed)).to_series()


def checks(frame: pl.DataFrame, month: Month) -> Iterator[Check]:
    """Yield pairs (passes, reason) in the order in which they are reported; null is a pass."""
    yield from _presence()
    yield from _calendar(month)
    yield from _codes(frame)
    yield from _clocks()
    yield from _flown()
    for name, (least, most) in RANGES.items():
        column = pl.col(name)
        yield (
            column.is_between(least, most),
            pl.format(f"{name} {{}} is not between {least} and {most}", column),
        )


def _presence() -> Iterator[Check]:
    for name in REQUIRED:
        yield pl.col(name).is_not_null(), pl.lit(f"{name} is missing")


def _calendar(month: Month) -> Iterator[Check]:
    year, number, day = pl.col("year"), pl.col("month"), pl.col("day")
    yield (
        (year == month.year) & (number == month.number),
        pl.format(f"the row is of {{}}-{{}}, the object of {month}", year, number),
    )
    yield (
        day.is_between(1, month.days),
        pl.format("{}-{}-{} is not a date", year, number, day),
    )
    clock = pl.col("hour").cast(pl.Int16) * 100 + pl.col("minute")
    yield (
        clock == pl.col("sched_dep_time"),
        pl.format("hour and minute do not make sched_dep_time {}", pl.col("sched_dep_time")),
    )
    first = (month.first_day - EPOCH).days * 24
    local = (day.cast(pl.Int32) - 1) * 24 + pl.col("hour") + first
    utc = pl.col("time_hour").dt.epoch("ms")
    yield (
        (utc % HOUR_MS == 0) & (utc // HOUR_MS - local).is_between(*UTC_AHEAD),
        pl.lit("time_hour is not the UTC hour of the scheduled departure"),
    )


def _codes(frame: pl.DataFrame) -> Iterator[Check]:
    for name, (pattern, meaning) in CODES.items():
        # A month has few different codes: check those, not each row's.
        values = frame.get_column(name).unique().drop_nulls()
        wrong = values.filter(~values.cast(pl.String).str.contains(pattern))
        yield (
            ~pl.col(name).is_in(wrong.implode()) if len(wrong) else pl.lit(True),
            pl.format(f'{name} "{{}}" is not {meaning}', pl.col(name).cast(pl.String)),
        )
    yield pl.col("origin") != pl.col("dest"), pl.lit("origin and dest are the same airport")


def _clocks() -> Iterator[Check]:
    # Midnight at the end of a day is written 2400, in actual times only.
    for name, last in (
        ("sched_dep_time", 2359),
        ("dep_time", 2400),
        ("sched_arr_time", 2400),
        ("arr_time", 2400),
    ):
        column = pl.col(name)
        yield (
            column.is_between(0, last) & (column % 100 < 60),
            pl.format(f"{name} {{}} is not a time of day", column),
        )


def _flown() -> Iterator[Check]:
    """A delay is the difference of its two clock readings, give or take whole days."""
    for end in ("dep", "arr"):
        actual, planned, delay = (
            pl.col(name) for name in (f"{end}_time", f"sched_{end}_time", f"{end}_delay")
        )
        apart = _minutes(actual) - _minutes(planned) - delay
        yield (
            apart % MINUTES_A_DAY == 0,
            pl.format(
                f"{end}_delay {{}} does not fit {{}} planned for {{}}", delay, actual, planned
            ),
        )
        yield (
            delay.is_null() | actual.is_not_null(),
            pl.lit(f"{end}_delay without {end}_time"),
        )
    yield (
        pl.col("dep_time").is_null() == pl.col("dep_delay").is_null(),
        pl.lit("dep_time without dep_delay"),
    )
    yield (
        pl.col("arr_delay").is_null() == pl.col("air_time").is_null(),
        pl.lit("of arr_delay and air_time only one is given"),
    )
    yield (
        pl.col("dep_time").is_not_null() | pl.col("arr_time").is_null(),
        pl.lit("arr_time without dep_time"),
    )


def _minutes(clock: pl.Expr) -> pl.Expr:
    return clock // 100 * 60 + clock % 100
