"""How the raw flights are laid out, where objects live in the bucket, and what a month is."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass

import polars as pl

from etl.errors import InputFailure

# Times such as dep_time are local clock readings in HHMM; `hour` and `minute` split sched_dep_time;
# `time_hour` is the hour of the scheduled departure in UTC. Delays and air_time are in minutes,
# distance in miles.
RAW_COLUMNS = {
    "year": pl.Int16,
    "month": pl.Int8,
    "day": pl.Int8,
    "dep_time": pl.Int16,
    "sched_dep_time": pl.Int16,
    "dep_delay": pl.Int16,
    "arr_time": pl.Int16,
    "sched_arr_time": pl.Int16,
    "arr_delay": pl.Int16,
    "carrier": pl.Categorical,
    "flight": pl.Int16,
    "tailnum": pl.Categorical,
    "origin": pl.Categorical,
    "dest": pl.Categorical,
    "air_time": pl.Int16,
    "distance": pl.Int16,
    "hour": pl.Int8,
    "minute": pl.Int8,
    "time_hour": pl.String,
}
HEADER = ",".join(RAW_COLUMNS).encode()
MISSING = "NA"
# The rest may be missing: a cancelled flight has no dep_time, a diverted one no arr_delay.
REQUIRED = (
    "year",
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "flight",
    "origin",
    "dest",
    "distance",
    "hour",
    "minute",
    "time_hour",
)
# Hours that UTC is ahead of the local clock, from Puerto Rico to Hawaii.
UTC_AHEAD = (4, 10)
TIME_HOUR = "%Y-%m-%dT%H:%M:%SZ"
TIME_HOUR_LENGTH = len("2013-01-31T23:00:00Z")
KEY_DIGITS = 12  # of a checksum in a key: two files of one month never share 48 bits


@dataclass(frozen=True)
class Month:
    """A calendar month, written "2013-01"."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) or text.startswith("0000"):
            raise InputFailure(f"unknown month {text!r}: write year and month like 2013-01")
        return cls(int(text[:4]), int(text[5:]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> dt.date:
        return dt.date(self.year, self.number, 1)

    @property
    def days(self) -> int:
        return calendar.monthrange(self.year, self.number)[1]

    @property
    def utc_hours(self) -> tuple[dt.datetime, dt.datetime]:
        """UTC times from which and up to which the month lasts at the airports of the USA."""
        midnight = dt.datetime.combine(self.first_day, dt.time(), dt.UTC)
        return midnight, midnight + dt.timedelta(days=self.days, hours=UTC_AHEAD[1] + 1)

    @property
    def raw_key(self) -> str:
        return f"raw/flights/{self}.csv.gz"

    @property
    def curated_prefix(self) -> str:
        return f"curated/flights/month={self}/"

    def curated_key(self, revision: int, checksum: str) -> str:
        """Key of the Parquet file whose SHA-256 is `checksum` (hexadecimal)."""
        return f"{self.curated_prefix}flights-{revision}-{checksum[:KEY_DIGITS]}.parquet"

    @property
    def manifest_key(self) -> str:
        return f"curated/_manifests/{self}.json"

    @property
    def quarantine_prefix(self) -> str:
        return f"quarantine/flights/month={self}/"

    def quarantine_key(self, revision: int, checksum: str) -> str:
        """Key of the quarantined rows whose SHA-256 is `checksum` (hexadecimal)."""
        return f"{self.quarantine_prefix}rows-{revision}-{checksum[:KEY_DIGITS]}.jsonl"

    @staticmethod
    def revision_of(key: str) -> int:
        """The revision in one of these keys; 0 for any other, such as an older program's."""
        found = re.search(rf"-([0-9]+)-[0-9a-f]{{{KEY_DIGITS}}}\.", key)
        return int(found[1]) if found else 0


def read_rows(lines: bytes, *, lenient: bool = False) -> pl.DataFrame:
    """Parse CSV `lines` without header into RAW_COLUMNS, `time_hour` as a UTC timestamp.

    A wrong cell raises PolarsError, or becomes null when `lenient`. A wrong `time_hour`, and what a
    short line lacks, always becomes null: the checks find both, as `time_hour` is the last column
    and required.
    """
    frame = pl.read_csv(
        lines,
        has_header=False,
        schema=RAW_COLUMNS,
        null_values=MISSING,
        quote_char=None,
        ignore_errors=lenient,
    )
    hour = pl.col("time_hour")
    return frame.with_columns(
        pl.when(hour.str.len_bytes() == TIME_HOUR_LENGTH)
        .then(hour.str.to_datetime(TIME_HOUR, time_unit="ms", strict=False))
        .dt.replace_time_zone("UTC")
    )
