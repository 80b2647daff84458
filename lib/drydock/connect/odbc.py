"""ODBC: PostgreSQL's driver (psqlodbc) through pyodbc and SQLAlchemy, without touching /etc."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pyodbc
import sqlalchemy
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from drydock.connect.secrets import DatabaseSecret
from drydock.errors import DrydockError

DRIVER_FILES = ("psqlodbcw.so", "libpsqlodbcw.so")


class DriverMissing(DrydockError):
    """The ODBC driver is not on this machine."""


def driver_path() -> Path:
    """Return the file of the Unicode psqlodbc driver.

    Looked for in DRYDOCK_ODBC_DRIVER, the conda prefix and the system's multi-arch folders.
    """
    named = os.environ.get("DRYDOCK_ODBC_DRIVER")
    if named:
        if Path(named).is_file():
            return Path(named)
        raise DriverMissing(f"DRYDOCK_ODBC_DRIVER names {named}, which is no file; unset it")
    for folder in _driver_folders():
        for name in DRIVER_FILES:
            if (folder / name).is_file():
                return folder / name
    raise DriverMissing("no psqlodbc driver on this machine; type: apt-get install odbc-postgresql")


def connection_string(secret: DatabaseSecret, certificates: Path) -> str:
    """Return an ODBC connection string that verifies the server's certificate and its name.

    Without SSLmode psqlodbc would connect in plain text. Text and booleans come as themselves.
    """
    parts = {
        "Driver": driver_path(),
        "Server": secret.host,
        "Port": secret.port,
        "Database": secret.dbname,
        "UID": secret.username,
        # Only in these two does psqlodbc understand braces, which let a value hold anything.
        "PWD": "{" + secret.password.replace("}", "}}") + "}",
        "pqopt": f"{{sslrootcert={certificates} connect_timeout=10}}",
        "SSLmode": "verify-full",
        "BoolsAsChar": 0,
    }
    return ";".join(f"{key}={value}" for key, value in parts.items())


def engine(secret: DatabaseSecret, certificates: Path) -> sqlalchemy.Engine:
    """Return a SQLAlchemy engine that reads and writes over ODBC."""
    text = connection_string(secret, certificates)
    return sqlalchemy.create_engine("postgresql+pyodbc://", creator=lambda: pyodbc.connect(text))


class PostgreSQLOdbc(PyODBCConnector, PGDialect):
    """SQLAlchemy ships no PostgreSQL dialect over pyodbc; these are the two halves that it has."""

    supports_statement_cache = True


registry.register("postgresql.pyodbc", __name__, "PostgreSQLOdbc")


def _driver_folders() -> Iterator[Path]:
    for prefix in (os.environ.get("CONDA_PREFIX"), sys.prefix):
        if prefix:
            yield Path(prefix) / "lib"
    yield from sorted(Path("/usr/lib").glob("*-linux-gnu*/odbc"))
    yield from (Path("/usr/lib64"), Path("/usr/local/lib"))
