"""A role that may read two tables: what PostgreSQL lets it do, and what it refuses."""

from dataclasses import replace

import pytest

from drydock.connect.errors import QueryRefused, explained
from drydock.connect.native import connect
from drydock.connect.ways import WAYS, read

NOT_PERMITTED = "42501"


@pytest.fixture(scope="module")
def lookup(database):
    """The secret of a user who may SELECT from carriers and places, and nothing else."""
    with database.connect() as connection:
        for statement in (
            "CREATE TABLE carriers AS SELECT 'UA' AS code",
            "CREATE TABLE places AS SELECT 'EWR' AS code",
            "CREATE TABLE salaries AS SELECT 1 AS amount",
            "CREATE ROLE lookup LOGIN PASSWORD 'may-read-two'",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "GRANT SELECT ON carriers, places TO lookup",
        ):
            connection.execute(statement)
    return replace(database.admin, username="lookup", password="may-read-two")


@pytest.mark.parametrize("way", WAYS)
def test_it_reads_what_it_was_granted_and_no_other_table(lookup, database, way):
    table = read(way, lookup, database.ca, "SELECT code FROM carriers")
    assert table.column(0).to_pylist() == ["UA"]
    with pytest.raises(QueryRefused, match="permission denied for table salaries") as error:
        read(way, lookup, database.ca, "SELECT amount FROM salaries")
    assert error.value.sqlstate in (NOT_PERMITTED, None)
    assert lookup.password not in str(error.value)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO carriers VALUES ('AA')",
        "UPDATE places SET code = 'JFK'",
        "DELETE FROM places",
        "TRUNCATE carriers",
        "CREATE TABLE mine (n int)",
        "SELECT rolpassword FROM pg_authid",
        "CREATE ROLE another",
        "COPY carriers TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "GRANT SELECT ON salaries TO lookup",
    ],
)
def test_what_it_may_not_do(lookup, database, statement):
    with (
        connect(lookup, database.ca) as connection,
        pytest.raises(QueryRefused) as error,
        explained("psycopg", lookup),
    ):
        connection.execute(statement)
    assert error.value.sqlstate == NOT_PERMITTED


def test_it_cannot_drop_or_end_what_is_not_its_own(lookup, database):
    for statement in ("DROP TABLE carriers", "ALTER TABLE places ADD n int"):
        with (
            connect(lookup, database.ca) as connection,
            pytest.raises(QueryRefused, match="must be owner of table"),
            explained("psycopg", lookup),
        ):
            connection.execute(statement)
