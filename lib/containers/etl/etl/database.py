"""The lookup tables from PostgreSQL: one pinned read for a task, no row left behind.

Over ODBC or JDBC, as DATABASE_DRIVER says; what comes out is the same to the last bit.
"""

import importlib
import re

import polars as pl

from etl.errors import InputFailure, ServiceFailure, one_line
from etl.layout import Month
from etl.lookups import COLUMNS, Lookups
from etl.secret import Secret

DRIVERS = ("odbc", "jdbc")
PINNED = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Asked for by name so that numeric, text and timestamptz come in one known type from any column
# type; psqlodbc returns timestamptz without its zone, so hours travel as seconds since 1970.
SQL_TYPES = {pl.Int16: "int", pl.Float64: "float8", pl.Categorical: "text"}


def check_driver(name: str) -> str:
    """Return `name`, one of DRIVERS. Raises InputFailure."""
    if name not in DRIVERS:
        raise InputFailure(f'DATABASE_DRIVER is "{name}"; set it to {" or ".join(DRIVERS)}')
    return name


def read_lookups(secret: Secret, months: list[Month], driver: str = "odbc") -> Lookups:
    """Read the four tables, of weather only the hours of `months`, all from one snapshot.

    Raises ServiceFailure when the database cannot be read, refuses, or gives fewer or more rows
    than it counts.
    """
    module = importlib.import_module(f"etl.{check_driver(driver)}")
    try:
        with module.opened(secret, PINNED) as reader:
            tables = {name: _read(reader, name, months) for name in COLUMNS}
    except Exception as error:
        words = module.words(error)
        if words is None:
            raise
        raise ServiceFailure(_explain(words, secret)) from None
    return Lookups.of(tables)


def _read(reader, table: str, months: list[Month]) -> pl.DataFrame:
    columns = COLUMNS[table]
    chosen = ", ".join(_sql(name, kind) for name, kind in columns.items())
    where = _hours(months) if table == "weather" else "true"
    schema = {name: kind if kind in SQL_TYPES else pl.Int64 for name, kind in columns.items()}
    frame = reader.frame(f"SELECT {chosen} FROM {table} WHERE {where}", schema)
    count = reader.number(f"SELECT count(*) FROM {table} WHERE {where}")
    if frame.height != count:
        raise ServiceFailure(
            f"table {table}: read {frame.height} of {count} rows; run the task again"
        )
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


def _explain(words: str, secret: Secret) -> str:
    """One line for a driver's error: what, where, and what to do; never the password."""
    text = one_line(words)
    text = text.replace(secret.password, "***") if secret.password else text
    text = re.sub(r" Is the server running.*\?", "", text)
    if "password authentication failed" in text or "no pg_hba.conf entry" in text:
        return (
            f"{secret.place} refused user {secret.username}: wrong password or not allowed; "
            "look at the secret in Secrets Manager"
        )
    if "certificate" in text:
        return (
            f"{secret.place} shows a certificate that the authority in PGSSLROOTCERT has not "
            "signed; use the bundle that belongs to this database"
        )
    if "does not exist" in text:
        return f"{secret.place}: {text}; load the lookup tables first"
    if "permission denied" in text:
        return f"{secret.place}: {text}; grant SELECT to {secret.username}"
    return f"{secret.place} cannot be read: {text}; check that it is available, then run again"
