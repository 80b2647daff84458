"""What only the JDBC way has: parts read side by side, and Java's heap."""

import datetime as dt
import json
import subprocess
import sys

import pyarrow as pa
import pytest
from database import CANARY

from drydock.connect import jdbc
from drydock.connect.errors import QueryRefused

NUMBERS = (
    "SELECT g AS number, DATE '2013-01-01' + g AS day FROM generate_series(-50, 1050) AS g "
    "UNION ALL SELECT NULL, NULL"
)
HEAP = """
import json, sys
from pathlib import Path
from drydock.connect import java, jdbc
from drydock.connect.secrets import DatabaseSecret
java.start(heap_mib=24)
secret = DatabaseSecret.from_json(sys.stdin.readline())
query = "SELECT g, repeat('x', 400) AS x FROM generate_series(1, 100000) AS g"
for fetch_rows in (1000, 0):
    try:
        read = jdbc.result_set(secret, Path(sys.argv[1]), query, fetch_rows=fetch_rows)
        print(sum(batch.num_rows for batch in read), flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""


def parts(database, query: str = NUMBERS, **options) -> pa.Table:
    return pa.Table.from_batches(jdbc.partitioned(database.reader, database.ca, query, **options))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_parts_hold_every_row_once_also_nulls_and_those_outside_the_bounds(database, count):
    table = parts(database, column="number", lower=0, upper=1000, count=count)
    found = table["number"].to_pylist()
    assert sorted(number for number in found if number is not None) == list(range(-50, 1051))
    assert found.count(None) == 1


def test_parts_by_date(database):
    first, last = dt.date(2013, 1, 1), dt.date(2015, 9, 1)
    table = parts(database, column="day", lower=first, upper=last, count=4)
    assert table.num_rows == 1102
    assert len(set(table["number"].to_pylist())) == 1102


def test_a_part_that_fails_fails_the_read(database):
    query = "SELECT g AS number, 1 / (g - 900) AS bad FROM generate_series(0, 1000) AS g"
    with pytest.raises(QueryRefused, match="zero") as raised:
        parts(database, query, column="number", lower=0, upper=1000, count=4)
    assert raised.value.sqlstate == "22012"


def test_a_column_that_is_not_there_is_named(database):
    with pytest.raises(QueryRefused, match="absent"):
        parts(database, column="absent", lower=0, upper=1000, count=2)


def test_giving_up_ends_all_parts(database):
    query = "SELECT g AS number, repeat('x', 500) AS x FROM generate_series(1, 200000) AS g"
    read = jdbc.partitioned(
        database.reader, database.ca, query, column="number", lower=0, upper=200_000, count=3
    )
    assert next(read).num_rows >= 0
    read.close()
    with database.connect() as connection:
        running = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'drydock' "
            "AND state = 'active' AND query LIKE '%200000%'"
        ).fetchone()[0]
    assert running == 0


def test_the_url_holds_neither_user_nor_password(database):
    assert CANARY not in jdbc.url(database.reader)
    assert "reader" not in jdbc.url(database.reader)


def test_a_fetch_size_keeps_a_large_result_in_a_small_heap(database):
    """40 MB of rows in 24 MB of heap: a thousand at a time they fit, all at once they do not."""
    done = subprocess.run(
        [sys.executable, "-c", HEAP, str(database.ca)],
        input=database.reader.to_json() + "\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    streamed, at_once = done.stdout.splitlines()[-2:]
    assert streamed == "100000", done.stderr[-2000:]
    assert at_once.startswith("ReadBroken: JDBC: the result does not fit into Java's heap")
    assert json.loads(database.reader.to_json())["password"] not in done.stdout + done.stderr
