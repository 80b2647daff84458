"""A pool of connections that outlives its password."""

import time
from functools import partial
from pathlib import Path

import pyodbc
import sqlalchemy

from drydock.connect import native, odbc
from drydock.connect.errors import LoginRefused, explained
from drydock.connect.secrets import DatabaseSecret
from drydock.connect.sources import Source
from drydock.connect.tls import FULL

PATIENCE_SECONDS = 5.0
FIRST_PAUSE = 0.1


def pool(
    source: Source,
    certificates: Path | None,
    *,
    driver: str = "psycopg",
    size: int = 5,
    tls: str = FULL,
    patience: float = PATIENCE_SECONDS,
    **options,
) -> sqlalchemy.Engine:
    """Return a SQLAlchemy engine with at most `size` connections, over "psycopg" or "odbc".

    A new connection asks `source` who we are. When the database refuses the password, the source is
    asked again, for up to `patience` seconds: a rotation first changes the database and then the
    secret, and between the two the secret is wrong. Connections that are open keep working through
    a rotation. `options` go to SQLAlchemy's create_engine.
    """
    options = {
        "pool_size": size,
        "max_overflow": 0,  # a limit of its own, so that N tasks never need more than N * size
        "pool_pre_ping": True,  # one that the server has closed is replaced unseen
        "pool_timeout": 10,
    } | options
    drivers = {"psycopg": _by_psycopg, "odbc": _by_odbc}
    if driver not in drivers:
        raise ValueError(f"driver is {driver!r}: type one of {', '.join(drivers)}")
    connect = drivers[driver]
    dialect = {"psycopg": "psycopg", "odbc": "pyodbc"}[driver]
    return sqlalchemy.create_engine(
        f"postgresql+{dialect}://",
        creator=lambda: _connected(partial(connect, tls=tls), source, certificates, patience),
        **options,
    )


def _connected(connect, source: Source, certificates: Path | None, patience: float):
    secret = source()
    deadline, pause = time.monotonic() + patience, FIRST_PAUSE
    while True:
        try:
            return connect(secret, certificates)
        except LoginRefused:
            before, secret = secret, source(secret)
            # A token may be new each time and refused each time: the deadline holds for it too.
            if time.monotonic() + pause > deadline:
                raise
            if secret != before:
                continue
        time.sleep(pause)
        pause *= 2


def _by_psycopg(secret: DatabaseSecret, certificates: Path | None, tls: str):
    connection = native.connect(secret, certificates, tls=tls)
    connection.autocommit = False  # SQLAlchemy begins and ends transactions itself
    return connection


def _by_odbc(secret: DatabaseSecret, certificates: Path | None, tls: str) -> pyodbc.Connection:
    with explained("ODBC", secret):
        return pyodbc.connect(odbc.connection_string(secret, certificates, tls=tls))
