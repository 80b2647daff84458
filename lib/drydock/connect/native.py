"""PostgreSQL's own protocol without JDBC or ODBC: the yardstick for both.

Every function here, and in `odbc` and `jdbc`, takes (secret, certificates, query) and yields Arrow
record batches: at least one, so that an empty result has its columns too. A read that breaks raises
a ConnectError; whoever collects the batches then has nothing, never a part. TLS checks that the
server's certificate comes from `certificates` and is for the host of the secret, unless `tls` names
a weaker one of the modes in `tls.MODES`.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import pyarrow as pa
from psycopg import Connection
from psycopg.types.string import TextLoader

from drydock.connect import csv_stream, statements
from drydock.connect.arrow_types import NUMERIC, TEXT, Column, empty_batch, schema
from drydock.connect.errors import check_rows, driver, explained
from drydock.connect.secrets import DatabaseSecret
from drydock.connect.tls import FULL
from drydock.connect.tls import settings as tls_settings

CONNECT_SECONDS = 10
BATCH_ROWS = 20_000


def connect(
    secret: DatabaseSecret,
    certificates: Path | None,
    *,
    tls: str = FULL,
    connect_seconds: int = CONNECT_SECONDS,
) -> Connection:
    """Open a psycopg connection in autocommit mode; `tls` is one of the modes in `tls.MODES`."""
    settings = tls_settings(tls, certificates)
    with explained("psycopg", secret):
        return psycopg.connect(
            host=secret.host,
            port=secret.port,
            dbname=secret.dbname,
            user=secret.username,
            password=secret.password,
            **settings,
            client_encoding="utf8",
            connect_timeout=connect_seconds,
            autocommit=True,
            # statements prepared by name do not survive a pooler that shares connections
            prepare_threshold=None,
        )


def rows(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    binary: bool = True,
    batch_rows: int = BATCH_ROWS,
    tls: str = FULL,
) -> Iterator[pa.RecordBatch]:
    """psycopg's rows as Python objects, `batch_rows` at a time from a cursor in the server.

    `binary` lets the server send numbers and dates as bytes instead of text.
    """
    with explained("psycopg", secret), _reading(secret, certificates, tls) as connection:
        columns = describe(connection, query)
        wanted = schema(columns)
        texts = [column.oid for column in columns if column.arrow == pa.string()]
        texts = [oid for oid in texts if oid != NUMERIC]
        for oid in texts:
            connection.adapters.register_loader(oid, TextLoader)
        # What is not text by itself has a text only in the text form of the protocol.
        binary = binary and TEXT.issuperset(texts)
        with connection.cursor("drydock", binary=binary) as cursor:
            cursor.execute(statements.bare(query))
            while True:
                found = cursor.fetchmany(batch_rows)
                values = zip(*found, strict=True) if found else [()] * len(columns)
                arrays = [
                    pa.array(_texts(value) if column.any_digits else value, column.arrow)
                    for column, value in zip(columns, values, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=wanted)
                if len(found) < batch_rows:
                    return


def _texts(numbers: Iterable[Decimal | None]) -> list[str | None]:
    return [None if number is None else format(number, "f") for number in numbers]


def copy(
    secret: DatabaseSecret, certificates: Path | None, query: str, *, tls: str = FULL
) -> Iterator[pa.RecordBatch]:
    """COPY of the query as CSV, parsed by Arrow while it comes in: keeps every type.

    The number of rows parsed is compared with the number that the server says it sent.
    """
    with explained("COPY", secret), _reading(secret, certificates, tls) as connection:
        columns = describe(connection, query)
        with connection.cursor() as cursor:
            taken = 0
            with cursor.copy(statements.copy(query)) as stream:
                for batch in csv_stream.batches(_CopyFile(stream), columns):
                    taken += batch.num_rows
                    yield batch
            check_rows("COPY", taken, cursor.rowcount)


def adbc(
    secret: DatabaseSecret, certificates: Path | None, query: str, *, tls: str = FULL
) -> Iterator[pa.RecordBatch]:
    """ADBC's PostgreSQL driver: COPY in binary form, taken apart in C.

    numeric comes as text.
    """
    dbapi = driver("adbc_driver_postgresql.dbapi", "adbc-driver-postgresql")
    settings = tls_settings(tls, certificates) | {"connect_timeout": str(CONNECT_SECONDS)}
    with (
        explained("ADBC", secret),
        dbapi.connect(_uri(secret, settings)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statements.bare(query))
        reader = cursor.fetch_record_batch()
        yield empty_batch(reader.schema)
        yield from reader


def connectorx(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    partitions: int = 1,
    on: str = "",
    tls: str = FULL,
) -> Iterator[pa.RecordBatch]:
    """connectorx, in Rust; `partitions` connections side by side, split by the number column `on`.

    It verifies the authority of the certificate, but not the host's name in it (the verify-ca of
    libpq). So the mode is first kept by a connection of psycopg's, which also saves the 30 seconds
    for which connectorx repeats a refused login. It does not know the mode "allow", and takes
    "prefer" instead, which is no weaker. It holds the whole result in memory.
    """
    module = driver("connectorx", "connectorx")
    connect(secret, certificates, tls=tls).close()
    options = {"partition_on": on, "partition_num": partitions} if partitions > 1 else {}
    settings = tls_settings(tls, certificates)
    # "require" with an authority is connectorx's word for verifying it.
    words = {"allow": "prefer", "verify-ca": "require", FULL: "require"}
    settings["sslmode"] = words.get(tls, tls)
    with explained("connectorx", secret):
        table = module.read_sql(
            _uri(secret, settings), statements.bare(query), return_type="arrow", **options
        )
        yield empty_batch(table.schema)
        yield from table.to_batches()


def describe(connection: Connection, query: str) -> list[Column]:
    """Return the columns of a query, which is parsed by the server and not run."""
    with connection.cursor() as cursor:
        cursor.execute(statements.description(query))
        return [
            Column(column.name, column.type_code, column.precision, column.scale)
            for column in cursor.description
        ]


@contextmanager
def _reading(secret: DatabaseSecret, certificates: Path | None, tls: str) -> Iterator[Connection]:
    """A connection with a transaction that can only read, and in which values have one text."""
    with connect(secret, certificates, tls=tls) as connection, connection.transaction():
        for setting in statements.SETTINGS:
            connection.execute(setting)
        yield connection


def _uri(secret: DatabaseSecret, settings: dict[str, str]) -> str:
    who = f"{quote(secret.username, safe='')}:{quote(secret.password, safe='')}"
    place = f"{secret.host}:{secret.port}/{quote(secret.dbname, safe='')}"
    return f"postgresql://{who}@{place}?{urlencode(settings, quote_via=quote)}"


class _CopyFile(io.RawIOBase):
    """COPY's stream, which comes a row at a time, in the blocks that a parser asks for."""

    def __init__(self, stream: psycopg.Copy):
        self._rows = iter(stream)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        parts, have = [self._left], len(self._left)
        while size < 0 or have < size:
            row = next(self._rows, None)
            if row is None:
                break
            parts.append(row)
            have += len(row)
        block = b"".join(parts)
        size = have if size < 0 else size
        self._left = block[size:]
        return block[:size]
