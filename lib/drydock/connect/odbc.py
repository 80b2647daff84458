"""ODBC: PostgreSQL's driver (psqlodbc) through arrow-odbc, pyodbc and SQLAlchemy.

Nothing under /etc is touched: the connection string names the driver's file.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyodbc
import sqlalchemy
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from drydock.connect import statements
from drydock.connect.arrow_types import (
    OID_OF,
    OTHER,
    Column,
    as_schema,
    empty_batch,
    schema,
    travelling,
)
from drydock.connect.errors import DriverMissing, ReadBroken, driver, explained
from drydock.connect.secrets import DatabaseSecret
from drydock.connect.tls import FULL
from drydock.connect.tls import settings as tls_settings
from drydock.setup.needs import WrongVariable, postgres_odbc_driver

# Debian's odbcinst.ini turns on the driver's log: one file for each process, in /tmp, for good.
# Nothing else in it is needed here, since the driver is named by its path.
os.environ.setdefault("ODBCINSTINI", "not-read.ini")

FETCH_ROWS = 20_000
TEXT_BYTES = 4_000
BATCH_BYTES = 16 << 20
ANY_DIGITS = (28, 6)  # what psqlodbc calls a numeric without precision


def driver_path() -> Path:
    """Return the file of the Unicode psqlodbc driver: DRYDOCK_ODBC_DRIVER, or where it is found."""
    try:
        found = postgres_odbc_driver()
    except WrongVariable as error:
        raise DriverMissing(str(error)) from None
    if not found:
        raise DriverMissing("no psqlodbc driver on this machine; type: drydock doctor")
    return Path(found)


def connection_string(
    secret: DatabaseSecret,
    certificates: Path | None,
    fetch_rows: int | None = None,
    *,
    tls: str = FULL,
) -> str:
    """Return an ODBC connection string that verifies the server's certificate and its name.

    `tls` may name a weaker mode; without any psqlodbc would connect in plain text.
    Text and booleans come as themselves. With `fetch_rows` the driver reads through a cursor in the
    server, so many rows a round trip (UseDeclareFetch and Fetch); without, it first takes the whole
    result into memory.
    """
    settings = tls_settings(tls, certificates) | {"connect_timeout": "10"}
    mode = settings.pop("sslmode")
    options = " ".join(f"{key}={value}" for key, value in settings.items())
    parts = {
        "Driver": driver_path(),
        "Server": secret.host,
        "Port": secret.port,
        "Database": secret.dbname,
        "UID": secret.username,
        # Only in these two does psqlodbc understand braces, which let a value hold anything.
        "PWD": "{" + secret.password.replace("}", "}}") + "}",
        "pqopt": "{" + options + "}",
        "SSLmode": mode,
        "BoolsAsChar": 0,
    }
    if fetch_rows:
        parts |= {"UseDeclareFetch": 1, "Fetch": fetch_rows}
    return ";".join(f"{key}={value}" for key, value in parts.items())


def batches(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    fetch_rows: int = FETCH_ROWS,
    text_bytes: int = TEXT_BYTES,
    tls: str = FULL,
) -> Iterator[pa.RecordBatch]:
    """arrow-odbc: rows go from the driver into columns without becoming Python objects.

    ODBC has the reader set aside room for the longest value of a column before it reads. PostgreSQL
    knows no longest text, so `text_bytes` is it: a longer one is an error, never cut off. Memory is
    about `fetch_rows` times the room of one row, and at most 32 MB of such room.
    """
    arrow_odbc = driver("arrow_odbc", "arrow-odbc")
    text = connection_string(secret, certificates, fetch_rows, tls=tls)
    with explained("ODBC", secret):
        connection = arrow_odbc.connect(connection_string=text, autocommit=False)
        for setting in statements.SETTINGS:
            connection.execute(setting)

        def read(sql: str, **options) -> Iterator[pa.RecordBatch]:
            return connection.read_arrow_batches(
                query=sql,
                batch_size=fetch_rows,
                max_bytes_per_batch=BATCH_BYTES,
                max_binary_size=text_bytes,
                fetch_concurrently=True,
                **options,
            )

        found = read(statements.description(query), max_text_size=64).schema
        row = next(iter(read(statements.types(query, len(found)), max_text_size=256))).to_pylist()
        columns = [_column(field, kind) for field, kind in zip(found, row[0].values(), strict=True)]
        wanted = schema(columns)
        yield empty_batch(wanted)
        # Said explicitly, as arrow-odbc takes psqlodbc's double precision for 32 bits.
        options = {"schema": travelling(columns), "max_text_size": text_bytes}
        try:
            for batch in read(statements.guarded(query, columns), **options):
                yield as_schema(batch, wanted)
        except arrow_odbc.Error as error:
            if "without truncation" not in str(error):
                raise
            raise ReadBroken(
                f"ODBC: a text of the result is longer than text_bytes={text_bytes}; "
                "give the length of its longest value in bytes, or leave that column out"
            ) from None


def rows(
    secret: DatabaseSecret,
    certificates: Path | None,
    query: str,
    *,
    fetch_rows: int | None = FETCH_ROWS,
    tls: str = FULL,
) -> Iterator[pa.RecordBatch]:
    """pyodbc's rows as Python objects; `fetch_rows` None takes the whole result at once."""
    text = connection_string(secret, certificates, fetch_rows, tls=tls)
    with explained("ODBC", secret):
        connection = pyodbc.connect(text, autocommit=False)
        try:
            cursor = connection.cursor()
            for setting in statements.SETTINGS:
                cursor.execute(setting)
            found = cursor.execute(statements.description(query)).description
            kinds = cursor.execute(statements.types(query, len(found))).fetchone()
            columns = [
                _column(pa.field(name, _decimal(precision, scale)), kind)
                for (name, _, _, _, precision, scale, _), kind in zip(found, kinds, strict=True)
            ]
            wanted, meanwhile = schema(columns), travelling(columns)
            yield empty_batch(wanted)
            cursor.execute(statements.guarded(query, columns))
            while taken := cursor.fetchmany(fetch_rows) if fetch_rows else cursor.fetchall():
                arrays = [
                    pa.array(values, field.type)
                    for field, values in zip(meanwhile, zip(*taken, strict=True), strict=True)
                ]
                batch = pa.RecordBatch.from_arrays(arrays, schema=meanwhile)
                yield as_schema(batch, wanted)
        finally:
            connection.close()


def engine(
    secret: DatabaseSecret, certificates: Path | None, *, tls: str = FULL
) -> sqlalchemy.Engine:
    """Return a SQLAlchemy engine that reads and writes over ODBC."""
    text = connection_string(secret, certificates, tls=tls)
    return sqlalchemy.create_engine("postgresql+pyodbc://", creator=lambda: pyodbc.connect(text))


def _column(field: pa.Field, kind: str) -> Column:
    is_decimal = pa.types.is_decimal(field.type)
    digits = (field.type.precision, field.type.scale) if is_decimal else (None, None)
    if digits == ANY_DIGITS:
        digits = (None, None)
    return Column(field.name, OID_OF.get(kind, OTHER), *digits)


def _decimal(precision: int | None, scale: int | None) -> pa.DataType:
    fits = precision and 0 < precision <= 38 and scale is not None
    return pa.decimal128(precision, scale) if fits else pa.string()


class PostgreSQLOdbc(PyODBCConnector, PGDialect):
    """SQLAlchemy ships no PostgreSQL dialect over pyodbc; these are the two halves that it has."""

    supports_statement_cache = True


registry.register("postgresql.pyodbc", __name__, "PostgreSQLOdbc")
