"""Spark's JDBC source on a table that drydock.connect reads too: same rows, same partitions."""

import hashlib
import json
import os
import subprocess
import sys

import pyarrow as pa
import pytest

from drydock.connect import jar, jdbc
from drydock.model.jdbc import partitions

TABLE = "spark_readings"
QUERY = f"SELECT * FROM {TABLE}"
BOUNDS = [(0, 1000, 4), (0, 100, 7), (-100, 4, 10), (7, 9, 8), (0, 1000, 1)]
SPARK = """
import hashlib, json, sys
from pyspark.sql import SparkSession
told = json.loads(sys.stdin.readline())
session = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.extraClassPath", told["jar"])
    .config("spark.driver.memory", "512m")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.warehouse.dir", told["scratch"])
    .config("spark.local.dir", told["scratch"])
    .getOrCreate()
)
session.sparkContext.setLogLevel("ERROR")

def source():
    return session.read.format("jdbc").options(**told["options"])

def read(lower, upper, count):
    return source().options(
        partitionColumn="number", lowerBound=lower, upperBound=upper, numPartitions=count
    ).load()

def clauses(frame):
    parts = frame._jdf.queryExecution().toRdd().partitions()
    return [part.whereClause() for part in parts]

found = {"clauses": [clauses(read(*bounds)) for bounds in told["bounds"]]}
rows = [list(row) for row in read(*told["bounds"][0]).collect()]
lines = sorted(json.dumps([str(value) for value in row]) for row in rows)
found["rows"] = len(lines)
found["checksum"] = hashlib.sha256("\\n".join(lines).encode()).hexdigest()
secure = "(SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS own"
found["tls"] = [row[0] for row in source().option("dbtable", secure).load().collect()]
print(json.dumps(found))
session.stop()
"""


@pytest.fixture(scope="module")
def table(database) -> pa.Table:
    """Numbers within and outside the bounds, and none; text, decimals, days and times."""
    with database.connect() as connection:
        connection.execute(
            f"CREATE TABLE {TABLE} (number integer, name text, price numeric(12, 2), day date, "
            "made timestamp, even boolean)"
        )
        connection.execute(
            f"INSERT INTO {TABLE} SELECT g, 'row ' || g || ' é😀', g * 1.25, "
            "DATE '2013-01-01' + g, "
            "TIMESTAMP '2013-01-01' + g * INTERVAL '1 second', g % 2 = 0 "
            "FROM generate_series(-50, 1050) AS g "
            "UNION ALL SELECT NULL, 'without', NULL, NULL, NULL, NULL"
        )
    return pa.Table.from_batches(jdbc.batches(database.reader, database.ca, QUERY))


@pytest.fixture(scope="module")
def spark(database, table, tmp_path_factory) -> dict:
    """What one Spark says of all that is asked of it here; it takes its time to start."""
    secret = database.reader
    told = {
        "jar": str(jar.find()),
        "scratch": str(tmp_path_factory.mktemp("spark")),
        "bounds": BOUNDS,
        "options": {
            "url": jdbc.url(secret),
            "driver": "org.postgresql.Driver",
            "user": secret.username,
            "password": secret.password,
            "sslmode": "verify-full",
            "sslrootcert": str(database.ca),
            "fetchsize": "500",
            "dbtable": TABLE,
        },
    }
    done = subprocess.run(
        [sys.executable, "-c", SPARK],
        input=json.dumps(told) + "\n",
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TZ": "UTC"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "c4nary" not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_spark_reads_the_rows_that_we_read(spark, table):
    lines = sorted(json.dumps([str(value) for value in row.values()]) for row in table.to_pylist())
    assert spark["rows"] == len(lines) == 1102
    assert spark["checksum"] == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_spark_reads_over_tls(spark):
    assert spark["tls"] == [True]


@pytest.mark.parametrize("index", range(len(BOUNDS)), ids=map(str, BOUNDS))
def test_our_partitions_are_sparks(spark, index):
    assert spark["clauses"][index] == partitions('"number"', *BOUNDS[index])
