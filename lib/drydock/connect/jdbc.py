"""JDBC: PostgreSQL's own driver on a JVM in this process."""

import datetime as dt
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pyarrow as pa

from drydock.connect import csv_stream, java, statements
from drydock.connect.arrow_types import (
    OID_OF,
    OTHER,
    Column,
    as_schema,
    empty_batch,
    schema,
)
from drydock.connect.errors import DriverMissing, check_rows, explained
from drydock.connect.secrets import DatabaseSecret
from drydock.connect.tls import FULL
from drydock.connect.tls import settings as tls_settings
from drydock.model.jdbc import partitions

FETCH_ROWS = 2_000  # more are no faster, and take more of Java's heap
BUFFER_BYTES = 1 << 18
SMALLEST_BLOCK = 128 << 10  # the longest row has to fit into two


def url(secret: DatabaseSecret) -> str:
    """Return the JDBC URL, which never holds user or password."""
    return f"jdbc:postgresql://{secret.host}:{secret.port}/{secret.dbname}"


def batches(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    tls: str = FULL,
    block_bytes: int = csv_stream.BLOCK_BYTES,
) -> Iterator[pa.RecordBatch]:
    """COPY through the driver's CopyManager: the fastest JDBC read, for PostgreSQL only.

    Java writes into a pipe and Arrow reads from it, so that no row crosses from Java to Python.
    `block_bytes` of CSV make a batch.
    """
    with explained("JDBC", secret), _connected(secret, certificates, tls) as connection:
        columns = _describe(connection, query)
        manager = connection.getCopyAPI()
        receiving, sending = os.pipe()
        outcome: list = []
        copying = threading.Thread(
            target=_copy, args=[manager, statements.copy(query), sending, outcome], daemon=True
        )
        copying.start()
        taken, trouble = 0, None
        try:
            with os.fdopen(receiving, "rb") as file:
                for batch in csv_stream.batches(file, columns, block_bytes):
                    taken += batch.num_rows
                    yield batch
        except pa.ArrowInvalid as error:
            trouble = error  # a value that Arrow cannot hold, or a last line that was cut off
        except GeneratorExit:
            connection.cancelQuery()
            raise
        finally:
            copying.join()
        if isinstance(outcome[0], BaseException):
            # Java's complaint that nobody reads the pipe any more only follows from `trouble`.
            raise trouble if trouble and not hasattr(outcome[0], "getSQLState") else outcome[0]
        if trouble:
            raise trouble
        check_rows("JDBC", taken, outcome[0])


def result_set(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    fetch_rows: int = FETCH_ROWS,
    tls: str = FULL,
) -> Iterator[pa.RecordBatch]:
    """The ordinary JDBC read, as of any database: a ResultSet, turned into Arrow inside Java.

    `fetch_rows` is JDBC's fetchSize. It only works with autocommit off: the driver then reads
    through a cursor, so many rows a round trip. 0 takes the whole result into Java's heap first.
    """
    with explained("JDBC", secret), _connected(secret, certificates, tls) as connection:
        columns = _describe(connection, query)
        wanted = schema(columns)
        yield empty_batch(wanted)
        statement = connection.createStatement()
        statement.setFetchSize(fetch_rows)
        found = statement.executeQuery(statements.guarded(query, columns, zoneless=True))
        for batch in _arrow(found, fetch_rows or FETCH_ROWS):
            yield as_schema(batch, wanted)


def partitioned(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    column: str,
    lower: int | dt.date,
    upper: int | dt.date,
    count: int,
    tls: str = FULL,
) -> Iterator[pa.RecordBatch]:
    """Read with `count` connections side by side, split by `column` as Spark splits a JDBC read.

    `lower` and `upper` set the stride and filter nothing. Batches come as they are ready, so rows
    are in no order, and a table that changes meanwhile is read in `count` different states.
    """
    clauses = partitions(statements.quoted(column), lower, upper, count)
    bare = statements.bare(query)
    parts = [
        f"SELECT * FROM ({bare}) AS part" + (f" WHERE {clause}" if clause else "")
        for clause in clauses
    ]
    # smaller for each, so that together they hold little more than one read would
    block_bytes = max(csv_stream.BLOCK_BYTES // count, SMALLEST_BLOCK)
    yield from _side_by_side(
        [
            partial(batches, secret, certificates, part, tls=tls, block_bytes=block_bytes)
            for part in parts
        ]
    )


def _side_by_side(reads: list) -> Iterator[pa.RecordBatch]:
    """Yield what all reads yield; the first error ends them all."""
    ready: queue.Queue = queue.Queue(maxsize=2 * len(reads))
    given_up = threading.Event()

    def put(item) -> bool:
        while not given_up.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.2)
                return True
        return False

    def run(read) -> None:
        source = read()
        try:
            for batch in source:
                if not put(batch):
                    break
            put(None)
        except BaseException as error:
            put(error)
        finally:
            source.close()

    threads = [threading.Thread(target=run, args=[read], daemon=True) for read in reads]
    for thread in threads:
        thread.start()
    try:
        running = len(reads)
        while running:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                running -= 1
            else:
                yield item
    finally:
        given_up.set()
        for thread in threads:
            thread.join()


@contextmanager
def _connected(secret: DatabaseSecret, certificates: Path | None, tls: str = FULL) -> Iterator:
    """A connection in a transaction that can only read."""
    secure = tls_settings(tls, certificates)
    jpype = java.start()
    properties = jpype.java.util.Properties()
    settings = {
        "user": secret.username,
        "password": secret.password,
        **secure,
        "connectTimeout": "10",
        "loginTimeout": "10",
        "ApplicationName": "drydock",
    }
    for name, value in settings.items():
        properties.setProperty(name, value)
    connection = jpype.JClass("org.postgresql.Driver")().connect(url(secret), properties)
    try:
        connection.setAutoCommit(False)
        statement = connection.createStatement()
        for setting in statements.SETTINGS:
            statement.execute(setting)
        yield connection
    finally:
        connection.close()


def _describe(connection, query: str) -> list[Column]:
    statement = connection.createStatement()
    about = statement.executeQuery(statements.description(query)).getMetaData()
    numbers = range(1, about.getColumnCount() + 1)
    kinds = connection.createStatement().executeQuery(statements.types(query, len(numbers)))
    kinds.next()
    return [
        Column(
            str(about.getColumnLabel(number)),
            OID_OF.get(str(kinds.getString(number)), OTHER),
            about.getPrecision(number) or None,
            about.getScale(number),
        )
        for number in numbers
    ]


def _arrow(found, batch_rows: int) -> Iterator[pa.RecordBatch]:
    jpype = java.start()
    try:
        helper = jpype.JClass("org.jaydebeapiarrow.extension.JDBCUtils")
    except TypeError:
        raise DriverMissing(
            "Arrow's Java half is not in this JVM: other code started it, or jaydebeapiarrow "
            "is not installed; type: pip install jaydebeapiarrow, restart the kernel "
            "and read over JDBC first"
        ) from None
    roots = helper.convertResultSetToIterator(found, batch_rows)
    try:
        while roots.hasNext():
            root = roots.next()
            array, fields = helper.exportNextBatch(root)
            lent = pa.RecordBatch._import_from_c(int(array), int(fields))
            # A copy, as Java's memory must be given back before the JVM ends.
            yield pa.ipc.read_record_batch(lent.serialize(), lent.schema)
            del lent
            root.clear()
    finally:
        roots.close()


def _copy(manager, sql: str, descriptor: int, outcome: list) -> None:
    """Let Java write the COPY into the pipe; its rows or its error go to `outcome`."""
    jpype = java.start()
    try:
        name = f"/dev/fd/{descriptor}"
        stream = jpype.java.io.BufferedOutputStream(
            jpype.java.io.FileOutputStream(name), BUFFER_BYTES
        )
    except BaseException as error:
        os.close(descriptor)
        outcome.append(error)
        return
    os.close(descriptor)
    try:
        rows = int(manager.copyOut(sql, stream))
        stream.flush()
        outcome.append(rows)
    except BaseException as error:
        outcome.append(error)
    finally:
        with suppress(Exception):
            stream.close()
