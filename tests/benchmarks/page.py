"""One page of all speeds: python tests/benchmarks/page.py build/bench > book/benchmarks.md

The folder holds what `etl.py`, `reads.py` and `api.py` print with --json, each from one run; `make
bench` makes them and the page. A speed is told as a ratio to a named alternative in the same run.
README.md quotes rows of the first table, and a test holds it to them.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path

INTRODUCTION = """# How fast

Every speed here is a ratio to a named alternative, measured in one run on one machine. `make bench`
measures all of it again, on yours, and writes this page. Seconds change with the machine; ratios
change less.

"""
ETL_TEXT = """
## The ETL

336,776 flights a year from gzip CSV to Parquet, with four joins; `tests/benchmarks/etl.py`, median
of {runs}.

"""
READS_TEXT = """
## Reads of a table

336,776 rows of 19 columns from PostgreSQL, with TLS; `tests/benchmarks/reads.py`, median of {runs}.
Row by row was measured on 1,000 rows, and reckoned up.

"""
API_TEXT = """
## The data API

Pages of 50 flights from one worker, {connections} connections; `tests/benchmarks/api.py`, median of
{runs}.

"""
OURS_ETL = "the ETL task, in two processes"
HELLO, API, DATASETTE = "FastAPI hello world", "data API", "Datasette"
Row = tuple[str, ...]


def claims(etl: dict, reads: dict, api: dict) -> Iterator[Row]:
    """Yield (what is measured, beside what, ratio) for what the README may say."""
    engines = {one["engine"]: one for one in etl["results"] if one["scale"] == 1}
    for engine, name in (
        ("pandas", "plain pandas"),
        ("duckdb", "DuckDB, all at once"),
        ("spark", "PySpark local[2], its start included"),
    ):
        if engine in engines:
            yield OURS_ETL, name, f"{engines[engine]['times_ours']:.1f} times as fast"
    ways = {one["way"]: one["seconds_for_all"] for one in reads["results"]}
    for way, name, other, beside in (
        ("odbc", "a read over ODBC", "odbc-by-hand", "arrow-odbc tuned by hand"),
        ("odbc", "a read over ODBC", "pyodbc-fetchall", "pyodbc's fetchall into pandas"),
        ("jdbc", "a read over JDBC", "jdbc-copy-by-hand", "CopyManager, all of it in memory"),
        ("jdbc", "a read over JDBC", "jdbc-by-hand", "jaydebeapiarrow over the result set"),
        ("jdbc", "a read over JDBC", "jdbc-row-by-row", "JayDeBeApi, row by row"),
    ):
        if {way, other} <= ways.keys():
            yield name, beside, f"{_short(ways[other] / ways[way])} times as fast"
    rates = {one["name"]: one["per_second"] for one in api["closed"]}
    for other, beside in ((DATASETTE, "Datasette"), (HELLO, "FastAPI's hello world, without data")):
        if other in rates:
            ratio = f"{_short(rates[API] / rates[other])} times as many a second"
            yield "a page of 50 flights from the data API", beside, ratio


def page(etl: dict, reads: dict, api: dict, day: str) -> str:
    """Return the Markdown of the page; the three as their programs print them with --json."""
    where = f"{reads['machine']}, {day}"
    parts = [
        INTRODUCTION,
        _table(("measured", "beside", "ratio", "machine, date"), claims(etl, reads, api), where),
        ETL_TEXT.format(runs=etl["runs"]),
        _table(("years", "engine", "seconds", "CPU seconds", "peak MB", "times ours"), _etl(etl)),
        READS_TEXT.format(runs=reads["runs"]),
        _table(("way", "seconds", "times COPY", "peak MB"), _reads(reads)),
        API_TEXT.format(**api),
        _table(("server", "answers a second", "median ms", "p99 ms"), _api(api)),
        "\nThen in an open loop, at a share of what it took above:\n\n",
        _table(("share", "asked a second", "answered", "refused (503)", "p99 ms"), _open(api)),
        "\n",
        _table(
            ("aim", "result"),
            ((text, "holds" if holds else "falls short") for text, holds in api["targets"]),
        ),
    ]
    return "".join(parts)


def _etl(etl: dict) -> Iterator[Row]:
    for one in etl["results"]:
        figures = (one["seconds"], one["cpu_seconds"], one["peak_mb"], one["times_ours"])
        yield str(one["scale"]), one["engine"], *map(str, figures)


def _reads(reads: dict) -> Iterator[Row]:
    for one in sorted(reads["results"], key=lambda one: one["seconds_for_all"]):
        yield (
            one["title"],
            *map(str, (one["seconds_for_all"], one["times_copy"], one["peak_mb"])),
        )


def _api(api: dict) -> Iterator[Row]:
    for one in api["closed"]:
        yield one["name"], f"{one['per_second']:,.0f}", str(one["p50_ms"]), str(one["p99_ms"])


def _open(api: dict) -> Iterator[Row]:
    for one in api["open"]:
        answers = one["answers"]
        told = (answers.get("200", 0), answers.get("503", 0), one["p99_ms"])
        yield f"{one['share']:g}", f"{one['rate']:,}", *map(str, told)


def _table(head: Row, rows: Iterator[Row], *same: str) -> str:
    lines = [head, ("---",) * len(head), *((*row, *same) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _short(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1.05 else f"{ratio:.2f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path, help="with etl.json, reads.json and api.json")
    options.add_argument("--date", default=datetime.date.today().isoformat())
    chosen = options.parse_args()
    try:
        found = [
            json.loads((chosen.folder / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("etl", "reads", "api")
        ]
    except (OSError, ValueError) as error:
        sys.exit(f"{error}: type: make bench, which measures it")
    print(page(*found, chosen.date), end="")


if __name__ == "__main__":
    main()
