"""ODBC: PostgreSQL's driver (psqlodbc) through pyodbc and SQLAlchemy, without touching /etc."""

import os
from pathlib import Path

import pyodbc
import sqlalchemy
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from drydock.connect.secrets import DatabaseSecret
from drydock.errors import DrydockError
from drydock.setup.system_packages import postgres_odbc_driver


class DriverMissing(DrydockError):
    """The ODBC driver is not on this machine."""


def driver_path() -> Path:
    """Return the file of the Unicode psqlodbc driver: DRYDOCK_ODBC_DRIVER, or where it is found."""
    named = os.environ.get("DRYDOCK_ODBC_DRIVER")
    if named and not Path(named).is_file():
        raise DriverMissing(f"DRYDOCK_ODBC_DRIVER names {named}, which is no file; unset it")
    found = named or postgres_odbc_driver()
    if not found:
        raise DriverMissing("no psqlodbc driver on this machine; type: drydock doctor")
    return Path(found)


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
