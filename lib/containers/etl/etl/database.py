"""The lookup tables from PostgreSQL over ODBC: one pinned read for a task, no row left behind."""

import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyodbc
from sqlalchemy import Connection, create_engine
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from etl.errors import InputFailure, ServiceFailure, one_line
from etl.layout import Month
from etl.lookups import COLUMNS, Lookups

CONNECT_SECONDS = 10
SECRET_FIELDS = ("host", "port", "username", "password", "dbname")
# Asked for by name so that numeric, text and timestamptz come in one known type from any column
# type; psqlodbc returns timestamptz without its zone, so hours travel as seconds since 1970.
SQL_TYPES = {pl.Int16: "int", pl.Float64: "float8", pl.Categorical: "text"}


class PostgresOdbc(PyODBCConnector, PGDialect):
    """SQLAlchemy's PostgreSQL dialect over pyodbc, which SQLAlchemy itself does not have."""

    supports_statement_cache = True


registry.register("postgresql.pyodbc", __name__, PostgresOdbc.__name__)


@dataclass(frozen=True)
class Secret:
    """How to reach the database, as Secrets Manager keeps it for RDS."""

    host: str
    port: int
    username: str
    dbname: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, text: str | None) -> "Secret":
        """Read the JSON that ECS puts into DB_SECRET; no message ever shows its text."""
        if not text:
            raise InputFailure(
                "DB_SECRET is not set; name the secret under `secrets` in the task definition"
            )
        try:
            values = json.loads(text)
            chosen = {name: str(values[name]) for name in SECRET_FIELDS}
            for name in ("host", "username", "dbname"):
                if re.search(r"[;{}\s]", chosen[name]):
                    raise ValueError(name)  # it would change other settings of the connection
            return cls(**chosen | {"port": int(chosen["port"])})
        except (ValueError, TypeError, KeyError):
            raise InputFailure(
                f"DB_SECRET is not a JSON object with {', '.join(SECRET_FIELDS)}; "
                "look at the secret in Secrets Manager"
            ) from None

    @property
    def place(self) -> str:
        return f"database {self.dbname} at {self.host}:{self.port}"


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


def read_lookups(secret: Secret, months: list[Month]) -> Lookups:
    """Read the four tables, of weather only the hours of `months`, all from one snapshot.

    Raises ServiceFailure when the database cannot be read, refuses, or gives fewer or more rows
    than it counts.
    """
    try:
        engine = create_engine(
            "postgresql+pyodbc://", creator=lambda: connect(secret), poolclass=NullPool
        )
        with engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            tables = {name: _read(connection, name, months) for name in COLUMNS}
    except (DBAPIError, pyodbc.Error) as error:
        raise ServiceFailure(_explain(error, secret)) from None
    return Lookups.of(tables)


def _read(connection: Connection, table: str, months: list[Month]) -> pl.DataFrame:
    columns = COLUMNS[table]
    chosen = ", ".join(_sql(name, kind) for name, kind in columns.items())
    where = _hours(months) if table == "weather" else "true"
    rows = connection.exec_driver_sql(f"SELECT {chosen} FROM {table} WHERE {where}").fetchall()
    count = connection.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE {where}").scalar_one()
    if len(rows) != count:
        raise ServiceFailure(f"table {table}: read {len(rows)} of {count} rows; run the task again")
    schema = {name: kind if kind in SQL_TYPES else pl.Int64 for name, kind in columns.items()}
    frame = pl.DataFrame(rows, schema, orient="row")
    if table == "weather":
        hour = pl.from_epoch("time_hour", "s").dt.cast_time_unit("ms").dt.replace_time_zone("UTC")
        frame = frame.with_columns(hour)
    return frame


def _sql(name: str, kind: pl.DataType) -> str:
    if kind in SQL_TYPES:
        return f"{name}::{SQL_TYPES[kind]}"
    return f"extract(epoch FROM {name})::bigint"


def _hours(months: list[Month]) -> str:
    spans = (
        f"time_hour >= '{start}' AND time_hour < '{end}'"
        for start, end in (month.utc_hours for month in months)
    )
    return " OR ".join(spans)


def _explain(error: Exception, secret: Secret) -> str:
    """One line for a driver's error: what, where, and what to do; never the password."""
    original = getattr(error, "orig", None) or error
    text = one_line(original.args[-1] if original.args else original)
    text = text.replace(secret.password, "***") if secret.password else text
    text = re.sub(r"^\[\w+\] |\s*\(\d+\) \(SQL\w+\).*$| Is the server running.*\?", "", text)
    if "password authentication failed" in text or "no pg_hba.conf entry" in text:
        return (
            f"{secret.place} refused user {secret.username}: wrong password or not allowed; "
            "look at the secret in Secrets Manager"
        )
    if "does not exist" in text:
        return f"{secret.place}: {text}; load the lookup tables first"
    if "permission denied" in text:
        return f"{secret.place}: {text}; grant SELECT to {secret.username}"
    return f"{secret.place} cannot be read: {text}; check that it is available, then run again"
