"""What labs need of the pipeline's PostgreSQL instance: a user, a database of their own."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from drydock.connect import native
from drydock.pipeline import lookup_database

if TYPE_CHECKING:
    from drydock.study.repair.case import Case

FOREVER = "infinity"


def admin(case: Case, database: str | None = None) -> psycopg.Connection:
    """A connection as the instance's administrator, in autocommit mode; to the lookups, or to
    another database."""
    rds, secrets = case.client("rds"), case.client("secretsmanager")
    found = rds.describe_db_instances(DBInstanceIdentifier=lookup_database.INSTANCE)
    [instance] = found["DBInstances"]
    master = lookup_database.master_secret(secrets, instance)
    if database:
        master = dataclasses.replace(master, dbname=database)
    return native.connect(master, case.lab.certificates)


def wait_for_turn(connection: psycopg.Connection) -> None:
    """Wait for other labs that change who may read a table, until this connection ends.

    PostgreSQL refuses the second of two at once: "tuple concurrently updated".
    """
    connection.execute("SELECT pg_advisory_lock(hashtext('labs change privileges'))")


def create_user(
    connection: psycopg.Connection,
    user: str,
    password: str,
    limit: int = -1,
    until: str = FOREVER,
) -> None:
    """A user that may open `limit` connections, and log in `until` then."""
    # The SCRAM verifier: a password in a statement can end up in the server's log.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), user.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} CONNECTION LIMIT {} VALID UNTIL {}").format(
            sql.Identifier(user), sql.Literal(verifier), limit, until
        )
    )


def own_database(case: Case, name: str, *tables: str) -> None:
    """A database with the lookup tables of these names and their rows."""
    with admin(case) as source:
        source.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with admin(case, name) as target:
            target.execute(lookup_database.TABLES_SQL.read_text())
            for table in tables:
                _copy(source, target, sql.Identifier(table))
            target.execute("ANALYZE")


def _copy(source: psycopg.Connection, target: psycopg.Connection, table: sql.Identifier) -> None:
    with (
        source.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as read,
        target.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as written,
    ):
        for block in read:
            written.write(block)


def drop(case: Case, name: str) -> None:
    """Remove the database of this name, whoever still asks it, and the user of this name."""
    rds = case.client("rds")
    with contextlib.suppress(rds.exceptions.DBInstanceNotFoundFault), admin(case) as connection:
        known = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(known))
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(known))
