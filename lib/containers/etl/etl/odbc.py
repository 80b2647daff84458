"""Reading over ODBC: psqlodbc, through pyodbc and SQLAlchemy."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyodbc
from sqlalchemy import Connection, create_engine
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from etl.errors import ServiceFailure
from etl.secret import CONNECT_SECONDS, Secret

# Debian's odbcinst.ini turns on the driver's log, a file in /tmp for each process; the driver is
# named by its path, so the file is not needed.
os.environ.setdefault("ODBCINSTINI", "not-read.ini")


class PostgresOdbc(PyODBCConnector, PGDialect):
    """SQLAlchemy's PostgreSQL dialect over pyodbc, which SQLAlchemy itself does not have."""

    supports_statement_cache = True


registry.register("postgresql.pyodbc", __name__, PostgresOdbc.__name__)


class Reader:
    """One transaction's reads."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def frame(self, query: str, schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """All rows of `query`."""
        rows = self._connection.exec_driver_sql(query).fetchall()
        return pl.DataFrame(rows, schema, orient="row")

    def number(self, query: str) -> int:
        """The one number that `query` gives."""
        return self._connection.exec_driver_sql(query).scalar_one()


@contextmanager
def opened(secret: Secret, begin: str) -> Iterator[Reader]:
    """Connect, and run `begin` as the first statement of a transaction."""
    engine = create_engine(
        "postgresql+pyodbc://", creator=lambda: connect(secret), poolclass=NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(begin)
        yield Reader(connection)


def words(error: BaseException) -> str | None:
    """What the driver says, or None when the error is not the driver's."""
    if not isinstance(error, DBAPIError | pyodbc.Error):
        return None
    original = getattr(error, "orig", None) or error
    text = str(original.args[-1] if original.args else original)
    return re.sub(r"^\[\w+\] |\s*\(\d+\) \(SQL\w+\).*$", "", text)


def find_driver() -> str:
    """Path of psqlodbc's Unicode library, from the conda environment or the system's package."""
    override = os.environ.get("DRYDOCK_ODBC_DRIVER")
    if override:
        return override
    folders = [Path(sys.prefix, "lib")]
    if "CONDA_PREFIX" in os.environ:
        folders.append(Path(os.environ["CONDA_PREFIX"], "lib"))
    folders += [*sorted(Path("/usr/lib").glob("*/odbc")), Path("/usr/lib64"), Path("/usr/lib")]
    for folder in folders:
        for name in ("psqlodbcw.so", "libpsqlodbcw.so"):
            if (folder / name).is_file():
                return str(folder / name)
    raise ServiceFailure(
        "the ODBC driver psqlodbcw.so is not installed; type: apt-get install odbc-postgresql"
    )


def connect(secret: Secret) -> pyodbc.Connection:
    """Open an encrypted connection.

    Without SSLmode psqlodbc would send everything as plain text. With PGSSLROOTCERT set, the
    server's certificate must also come from that authority.
    """
    mode = "verify-ca" if os.environ.get("PGSSLROOTCERT") else "require"
    settings = {
        "Driver": find_driver(),
        "Server": secret.host,
        "Port": secret.port,
        "Database": secret.dbname,
        "UID": secret.username,
        # psqlodbc understands braces, which let a value hold anything, only in these two.
        "PWD": "{" + secret.password.replace("}", "}}") + "}",
        "pqopt": f"{{connect_timeout={CONNECT_SECONDS}}}",
        "SSLmode": mode,
        "BoolsAsChar": 0,
    }
    return pyodbc.connect(";".join(f"{name}={value}" for name, value in settings.items()))
