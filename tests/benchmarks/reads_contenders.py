"""One way of reading the flights in a process of its own: python reads_contenders.py WAY CA QUERY

The secret comes as a line of JSON on standard input, never as an argument. Prints one line of JSON:
seconds of reading (drivers and the JVM are loaded before), and what was read in figures.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from drydock.connect import statements, ways
from drydock.connect.secrets import DatabaseSecret

FLIGHTS = 336_776
Figures = dict[str, int]
NO_SLOWER = 1_000  # rows for what reads one by one over Java
WHOLE_HEAP_MIB = 512  # for what takes the whole CSV, 31 MB and its copies, into Java


def figures(batches: Iterator[pa.RecordBatch]) -> Figures:
    """Count and add up, a batch at a time, so that nothing is held but what the way holds."""
    rows = distance = missing = 0
    for batch in batches:
        rows += batch.num_rows
        distance += int(pc.sum(batch["distance"]).as_py() or 0)
        missing += batch["dep_delay"].null_count
    return {"rows": rows, "distance": distance, "missing": missing}


def frame_figures(frame) -> Figures:
    missing = int(frame["dep_delay"].isna().sum())
    return {"rows": len(frame), "distance": int(frame["distance"].sum()), "missing": missing}


def by_way(name: str, secret, ca: Path, query: str) -> Figures:
    return figures(ways.WAYS[name](secret, ca, query))


def floor(secret, ca: Path, query: str) -> Figures:
    """Binary COPY, thrown away: what server, TLS and network take."""
    from drydock.connect import native

    with native.connect(secret, ca) as connection:
        with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as stream:
            for _ in stream:
                pass
        rows = f"SELECT count(*), sum(distance)::bigint, count(*) - count(dep_delay) FROM ({query})"
        found = connection.execute(f"{rows} AS q").fetchone()
    return dict(zip(("rows", "distance", "missing"), found, strict=True))


def connectorx_parts(count: int, secret, ca: Path, query: str) -> Figures:
    from drydock.connect import native

    return figures(native.connectorx(secret, ca, query, partitions=count, on="day"))


def jdbc_parts(count: int, secret, ca: Path, query: str) -> Figures:
    from drydock.connect import jdbc

    read = jdbc.partitioned(secret, ca, query, column="day", lower=1, upper=32, count=count)
    return figures(read)


def arrow_odbc_by_hand(tuned: bool, secret, ca: Path, query: str) -> Figures:
    import arrow_odbc

    from drydock.connect import odbc

    text = odbc.connection_string(secret, ca, 20_000 if tuned else None)
    options = {"batch_size": 20_000, "max_text_size": 64} if tuned else {}
    return figures(arrow_odbc.read_arrow_batches_from_odbc(query, text, **options))


def psycopg_fetchall(secret, ca: Path, query: str) -> Figures:
    import pandas as pd

    from drydock.connect import native

    with native.connect(secret, ca) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description]
        return frame_figures(pd.DataFrame(cursor.fetchall(), columns=names))


def pyodbc_fetchall(secret, ca: Path, query: str) -> Figures:
    import pandas as pd
    import pyodbc

    from drydock.connect import odbc

    cursor = pyodbc.connect(odbc.connection_string(secret, ca)).execute(query)
    names = [column[0] for column in cursor.description]
    return frame_figures(pd.DataFrame.from_records(cursor.fetchall(), columns=names))


def odbc_fetches(size: int, secret, ca: Path, query: str) -> Figures:
    """Rows as Python objects, `size` at a time, of which only the newest are kept; 0 is all."""
    import pyodbc

    from drydock.connect import odbc

    cursor = pyodbc.connect(odbc.connection_string(secret, ca, size or None)).execute(query)
    return row_figures(cursor, size)


def psycopg_fetches(size: int, secret, ca: Path, query: str) -> Figures:
    from drydock.connect import native

    with native.connect(secret, ca) as connection, connection.transaction():
        cursor = connection.cursor("fetches") if size else connection.cursor()
        cursor.execute(query)
        return row_figures(cursor, size)


def row_figures(cursor, size: int) -> Figures:
    rows = distance = missing = 0
    delays, miles = (
        [column[0] for column in cursor.description].index(name)
        for name in ("dep_delay", "distance")
    )
    while part := cursor.fetchmany(size) if size else cursor.fetchall():
        rows += len(part)
        distance += int(sum(row[miles] for row in part))
        missing += sum(row[delays] is None for row in part)
        if not size:
            break
    return {"rows": rows, "distance": distance, "missing": missing}


def pandas_read_sql(secret, ca: Path, query: str) -> Figures:
    import pandas as pd

    from drydock.connect.pools import pool

    with pool(lambda refused=None: secret, ca).connect() as connection:
        return frame_figures(pd.read_sql(query, connection))


def jdbc_by_hand(secret, ca: Path, query: str) -> Figures:
    """jaydebeapiarrow's own way: the query as it is, fetchSize 10,000, all batches kept."""
    from drydock.connect import jdbc

    with jdbc._connected(secret, ca) as connection:
        statement = connection.createStatement()
        statement.setFetchSize(10_000)
        return figures(iter(list(jdbc._arrow(statement.executeQuery(query), 10_000))))


def jdbc_copy_by_hand(secret, ca: Path, query: str) -> Figures:
    """CopyManager, as one writes it first: the whole CSV in Java's heap, then to Arrow at once."""
    import jpype
    from pyarrow import csv

    from drydock.connect import jdbc

    with jdbc._connected(secret, ca) as connection:
        whole = jpype.java.io.ByteArrayOutputStream()
        connection.getCopyAPI().copyOut(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", whole)
        table = csv.read_csv(pa.py_buffer(bytes(memoryview(whole.toByteArray()))))
    return figures(iter(table.to_batches()))


def jdbc_row_by_row(secret, ca: Path, query: str) -> Figures:
    """Each value fetched through the bridge from Java, as JayDeBeApi does; few rows only."""
    from drydock.connect import jdbc

    with jdbc._connected(secret, ca) as connection:
        statement = connection.createStatement()
        statement.setFetchSize(10_000)
        found = statement.executeQuery(f"{query} LIMIT {NO_SLOWER}")
        width = found.getMetaData().getColumnCount()
        rows = 0
        while found.next():
            [found.getObject(number) for number in range(1, width + 1)]
            rows += 1
    return {"rows": rows, "distance": -1, "missing": -1}


def spark(partitions: int, secret, ca: Path, query: str) -> Figures:
    """Spark's JDBC source, second read: the first one warms the JVM up."""
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import col, count_if, sum

    from drydock.connect import jar, jdbc

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.extraClassPath", str(jar.find()))
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    options = {"user": secret.username, "password": secret.password, "fetchsize": "10000"}
    options |= {"sslmode": "verify-full", "sslrootcert": str(ca), "driver": "org.postgresql.Driver"}
    source = session.read.format("jdbc").options(**options, url=jdbc.url(secret))
    table = f"({statements.bare(query)}) AS q"
    if partitions > 1:
        source = source.options(
            partitionColumn="day", lowerBound="1", upperBound="32", numPartitions=str(partitions)
        )
    frame = source.option("dbtable", table).load()
    frame.write.format("noop").mode("overwrite").save()
    global started
    started = time.perf_counter()
    frame.write.format("noop").mode("overwrite").save()
    _stop_clock()
    missing = count_if(col("dep_delay").isNull())
    found = frame.agg(sum("distance"), missing).first()
    return {"rows": frame.count(), "distance": int(found[0]), "missing": int(found[1])}


CONTENDERS: dict[str, tuple[str, Callable]] = {
    "copy": ("COPY as CSV → Arrow", partial(by_way, "copy")),
    "floor": ("(floor: binary COPY, thrown away)", floor),
    "adbc": ("ADBC", partial(by_way, "adbc")),
    "connectorx": ("connectorx", partial(by_way, "connectorx")),
    "connectorx-4": ("connectorx, 4 connections", partial(connectorx_parts, 4)),
    "odbc": ("ODBC: drydock.connect", partial(by_way, "odbc")),
    "odbc-by-hand": ("ODBC: arrow-odbc tuned by hand", partial(arrow_odbc_by_hand, True)),
    "odbc-defaults": ("ODBC: arrow-odbc as it comes", partial(arrow_odbc_by_hand, False)),
    "odbc-rows": ("ODBC: pyodbc rows, streamed", partial(by_way, "odbc-rows")),
    "jdbc": ("JDBC: drydock.connect, COPY", partial(by_way, "jdbc")),
    "jdbc-4": ("JDBC: the same, 4 partitions", partial(jdbc_parts, 4)),
    "jdbc-result-set": ("JDBC: result set, fetchSize", partial(by_way, "jdbc-result-set")),
    "jdbc-by-hand": ("JDBC: jaydebeapiarrow by hand", jdbc_by_hand),
    "jdbc-copy-by-hand": ("JDBC: CopyManager by hand", jdbc_copy_by_hand),
    "jdbc-row-by-row": ("JDBC: row by row (of 1,000 rows)", jdbc_row_by_row),
    "spark": ("Spark JDBC, 1 partition, warm", partial(spark, 1)),
    "spark-2": ("Spark JDBC, 2 partitions, warm", partial(spark, 2)),
    "psycopg": ("psycopg rows, streamed", partial(by_way, "psycopg")),
    "fetchall": ("psycopg fetchall → pandas", psycopg_fetchall),
    "read-sql": ("pandas.read_sql", pandas_read_sql),
    "pyodbc-fetchall": ("pyodbc fetchall → pandas", pyodbc_fetchall),
}
FETCHES: dict[str, tuple[str, Callable]] = {
    f"{driver}-fetch-{size}": (f"{name}, {f'{size:,} a fetch' if size else 'fetchall'}", way)
    for driver, name, read in (
        ("odbc", "pyodbc", odbc_fetches),
        ("psycopg", "psycopg", psycopg_fetches),
    )
    for size in (1_000, 5_000, 20_000, 100_000, 0)
    for way in [partial(read, size)]
}
ALL = CONTENDERS | FETCHES
started = stopped = 0.0


def _stop_clock() -> None:
    global stopped
    stopped = time.perf_counter()


def main() -> None:
    global started
    name, ca, query = sys.argv[1:]
    secret = DatabaseSecret.from_json(sys.stdin.readline())
    if name.startswith("jdbc"):
        from drydock.connect import java

        java.start(WHOLE_HEAP_MIB if name == "jdbc-copy-by-hand" else java.HEAP_MIB)
    elif not name.startswith("spark"):
        for module in ("adbc_driver_postgresql.dbapi", "connectorx", "arrow_odbc", "pandas"):
            if module.split("_")[0] in name.replace("odbc", "arrow") or module == "pandas":
                __import__(module)
    started = time.perf_counter()
    found = ALL[name][1](secret, Path(ca), query)
    if not stopped:
        _stop_clock()
    print(json.dumps({"seconds": stopped - started, **found}))


if __name__ == "__main__":
    main()
