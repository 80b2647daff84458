"""The DuckDB database that answers questions. Months are put in and taken out as a whole."""

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from api.columns import FIELDS, MOST_COPIES, POSITION
from api.manifests import BadMonth, Manifest

FILTERS = ("month", "carrier", "origin", "dest", "cancelled")
NAMES = ("month", *FIELDS)
CLOSE_SECONDS = 10.0
_DELAYS = (
    "flights",
    "cancelled",
    "dep_delay_total",
    "dep_delay_known",
    "arr_delay_total",
    "arr_delay_known",
)

_CREATE = f"""
CREATE TABLE flights (
    position BIGINT, month VARCHAR, {", ".join(f"{name} {kind}" for name, kind in FIELDS.items())});
CREATE TABLE delays (
    month VARCHAR, carrier VARCHAR, carrier_name VARCHAR,
    {", ".join(f"{name} BIGINT" for name in _DELAYS)});
"""

_INSERT_FLIGHTS = f"""
INSERT INTO flights
SELECT if(copy <= {MOST_COPIES}, {POSITION}, error('a flight_key occurs too often')) AS position,
       $month, {", ".join(FIELDS)}
FROM (SELECT *, row_number() OVER (PARTITION BY flight_key ORDER BY file_row_number) AS copy
      FROM read_parquet($path, hive_partitioning = false, file_row_number = true))
ORDER BY position
"""

_INSERT_DELAYS = """
INSERT INTO delays
SELECT month, carrier, any_value(carrier_name), count(*), count_if(cancelled),
       coalesce(sum(dep_delay), 0), count(dep_delay),
       coalesce(sum(arr_delay), 0), count(arr_delay)
FROM flights WHERE month = $month GROUP BY month, carrier
"""


@dataclass(frozen=True)
class Page:
    """Some flights in the order of their positions, and the last position if there are more."""

    rows: list[dict]
    last: int | None


class Store:
    """A DuckDB database in one file that this object owns.

    `replace` may run in one thread while others read: a reader sees the months either before or
    after a replacement. Each read takes a DuckDB cursor of its own, as connections are not made
    for several threads.
    """

    def __init__(self, path: Path, memory: str = "256MB"):
        for old in path.parent.glob(path.name + "*"):
            old.unlink()
        self._connection = duckdb.connect(str(path))
        # One thread a query: the queries are small, and several run side by side.
        self._connection.execute("SET threads = 1")
        self._connection.execute(f"SET memory_limit = '{memory}'")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(_CREATE)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor for one thread; its `interrupt` ends a query that takes too long."""
        return self._connection.cursor()

    def replace(self, new: Iterable[tuple[Manifest, Path]], gone: Iterable[str]) -> None:
        """Put in the months `new`, from their local files, and take out the months `gone`.

        All of it becomes visible at once, or nothing: BadMonth names a file that does not fit.
        """
        with self.cursor() as cursor:
            cursor.begin()
            try:
                for month in gone:
                    _remove(cursor, month)
                for manifest, path in new:
                    _remove(cursor, manifest.month)
                    _insert(cursor, manifest, path)
                cursor.commit()
            except BaseException:
                cursor.rollback()
                raise

    def flights(
        self, cursor, filters: dict, after: int, limit: int, fields: tuple[str, ...] = NAMES
    ) -> Page:
        """Return at most `limit` flights whose positions follow `after` (-1 = from the start).

        `filters` maps some of FILTERS to the value that a flight must have; `fields` are some of
        NAMES, each once.
        """
        where = " AND ".join(["position > $after", *(f"{name} = ${name}" for name in filters)])
        values = filters | {"after": after}
        cursor.begin()
        # Two steps: to sort positions alone costs a quarter of sorting all columns.
        positions = cursor.execute(
            f"SELECT position FROM flights WHERE {where} ORDER BY position LIMIT $limit",
            values | {"limit": limit + 1},
        ).fetchall()
        more = len(positions) > limit
        last = positions[:limit][-1][0] if positions else after
        columns = ", ".join(("position", *fields))
        rows = cursor.execute(
            f"SELECT {columns} FROM flights WHERE {where} AND position <= $last",
            values | {"last": last},
        ).fetchall()
        cursor.commit()
        rows.sort(key=lambda row: row[0])
        return Page([_flight(fields, row) for row in rows], last if more else None)

    def flight(self, cursor, flight_key: int) -> dict | None:
        """Return the flight with this key; the first of them when the key occurs twice."""
        row = cursor.execute(
            f"SELECT position, {', '.join(NAMES)} FROM flights WHERE flight_key = ? "
            "ORDER BY position LIMIT 1",
            [flight_key],
        ).fetchone()
        return _flight(NAMES, row) if row else None

    def carriers(self, cursor) -> list[dict]:
        """Return each carrier's code, name and delays over all months, in order of the codes."""
        sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in _DELAYS)
        rows = cursor.execute(
            f"SELECT carrier, any_value(carrier_name), {sums} FROM delays GROUP BY 1 ORDER BY 1"
        ).fetchall()
        return [{"code": row[0], "name": row[1]} | _delays(row[2:]) for row in rows]

    def delays_by_month(self, cursor, carrier: str) -> list[dict]:
        """Return the delays of `carrier` by month; empty when it has no flight."""
        rows = cursor.execute(
            f"SELECT month, {', '.join(_DELAYS)} FROM delays WHERE carrier = ? ORDER BY month",
            [carrier],
        ).fetchall()
        return [{"month": row[0]} | _delays(row[1:]) for row in rows]

    def close(self) -> None:
        """Close the database, once its queries have ended: interrupted ones take a moment."""
        deadline = time.monotonic() + CLOSE_SECONDS
        while True:
            try:
                return self._connection.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _remove(cursor, month: str) -> None:
    cursor.execute("DELETE FROM flights WHERE month = ?", [month])
    cursor.execute("DELETE FROM delays WHERE month = ?", [month])


def _insert(cursor, manifest: Manifest, path: Path) -> None:
    month = {"month": manifest.month}
    year, of_year = map(int, manifest.month.split("-"))
    try:
        rows = cursor.execute(
            _INSERT_FLIGHTS,
            month | {"month_number": year * 12 + of_year, "path": str(path)},
        ).fetchone()[0]
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise BadMonth(manifest.month, f"{manifest.key} cannot be read: {reason}") from error
    if rows != manifest.rows:
        raise BadMonth(
            manifest.month,
            f"{manifest.key} holds {rows} rows, its manifest says {manifest.rows}",
        )
    cursor.execute(_INSERT_DELAYS, month)


def _flight(fields: tuple[str, ...], row: tuple) -> dict:
    flight = dict(zip(fields, row[1:], strict=True))
    if "sched_dep" in flight:
        flight["sched_dep"] = flight["sched_dep"].replace(tzinfo=dt.UTC)
    return flight


def _delays(values: tuple) -> dict:
    known = dict(zip(_DELAYS, values, strict=True))
    for kind in ("dep", "arr"):
        count = known.pop(f"{kind}_delay_known")
        total = known[f"{kind}_delay_total"]
        known[f"{kind}_delay_mean"] = round(total / count, 2) if count else None
    return known
