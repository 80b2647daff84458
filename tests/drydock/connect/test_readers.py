"""What every way of reading has in common, tried on each against a real server."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from database import CANARY

from drydock.connect import ways
from drydock.connect.errors import (
    CertificateRefused,
    ConnectError,
    DriverMissing,
    LoginRefused,
    QueryRefused,
    ReadBroken,
    Unreachable,
)

ROWS = 50_000
STATE_LOST = [("adbc", "22012")]  # what breaks while rows come has no code any more
MANY = f"SELECT g AS number, 'row ' || g AS text FROM generate_series(1, {ROWS}) AS g ORDER BY g"


@pytest.fixture(params=sorted(ways.WAYS))
def way(request) -> str:
    return request.param


@pytest.fixture
def clean(capfd, caplog):
    """After the test: the password is in nothing that was printed or logged."""
    caplog.set_level(logging.DEBUG)
    yield
    printed = capfd.readouterr()
    for text in (printed.out, printed.err, caplog.text):
        assert "c4nary" not in text


def refused(way, secret, certificates, query="SELECT 1 AS one") -> ConnectError:
    with pytest.raises(ConnectError) as raised:
        ways.read(way, secret, certificates, query)
    error = raised.value
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.__context__)
    assert "c4nary" not in shown, shown
    assert "\n" not in str(error)
    return error


def test_every_row_comes_once_and_in_order(way, database, clean):
    table = ways.read(way, database.reader, database.ca, MANY)
    assert table.column_names == ["number", "text"]
    assert table["number"].to_pylist() == list(range(1, ROWS + 1))
    assert table["text"].to_pylist() == [f"row {number}" for number in range(1, ROWS + 1)]


def test_no_rows_still_have_their_columns(way, database):
    table = ways.read(way, database.reader, database.ca, f"SELECT * FROM ({MANY}) AS m LIMIT 0")
    assert table.num_rows == 0
    assert table.column_names == ["number", "text"]


def test_a_lone_null_is_a_row(way, database):
    table = ways.read(way, database.reader, database.ca, "SELECT NULL::integer AS nothing")
    assert table["nothing"].to_pylist() == [None]


def test_a_query_may_end_in_a_semicolon(way, database):
    table = ways.read(way, database.reader, database.ca, "SELECT 7 AS seven;\n")
    assert table["seven"].to_pylist() == [7]


def test_a_long_row_comes_whole_or_the_ways_that_have_room_are_named(way, database, clean):
    query = "SELECT repeat('x', 3000000) AS text FROM generate_series(1, 2)"
    advice = {"copy": "jdbc-result-set", "jdbc": "jdbc-result-set", "odbc": "text_bytes"}
    if way in advice:
        error = refused(way, database.reader, database.ca, query)
        assert isinstance(error, ReadBroken) and advice[way] in str(error)
    else:
        table = ways.read(way, database.reader, database.ca, query)
        assert [len(text) for text in table["text"].to_pylist()] == [3_000_000] * 2


@pytest.mark.parametrize(
    ("way", "others"),
    [("copy", "jpype|arrow_odbc|sqlalchemy"), ("jdbc", "psycopg|arrow_odbc|sqlalchemy")],
)
def test_a_way_loads_its_own_driver_only(way, others, database):
    """A task has to have memory for what it loads."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom drydock.connect import ways\n"
        "from drydock.connect.secrets import DatabaseSecret\n"
        "secret = DatabaseSecret.from_json(sys.stdin.readline())\n"
        f"ways.read({way!r}, secret, Path(sys.argv[1]), 'SELECT 1 AS one')\n"
        f"print([name for name in {others.split('|')!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(database.ca)],
        input=database.reader.to_json() + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_wrong_password_is_refused(way, database, clean):
    wrong = replace(database.reader, password=CANARY + "!")
    error = refused(way, wrong, database.ca)
    assert isinstance(error, LoginRefused)
    assert error.sqlstate == "28P01"
    assert "user reader" in str(error)


def test_a_server_with_a_strangers_certificate_is_refused(way, database, clean):
    assert isinstance(refused(way, database.reader, database.stranger), CertificateRefused)


def test_a_certificate_for_another_name_is_refused(way, database, clean):
    elsewhere = replace(database.reader, host="localhost")
    assert isinstance(refused(way, elsewhere, database.ca), CertificateRefused)


def test_a_closed_port_is_named(way, database, clean):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        error = refused(way, replace(database.reader, port=port), database.ca)
    assert isinstance(error, Unreachable)
    assert f"127.0.0.1:{port}" in str(error)


def test_an_unknown_host_is_named(way, database, clean):
    error = refused(way, replace(database.reader, host="db.invalid"), database.ca)
    assert isinstance(error, Unreachable)
    assert "db.invalid" in str(error)


@pytest.mark.parametrize(
    ("query", "state", "word"),
    [
        ("SELECT * FROM absent", "42P01", "absent"),
        ("SELEKT 1", "42601", "syntax error"),
        ("SELECT 1 / (g - 30000) FROM generate_series(1, 50000) AS g", "22012", "zero"),
    ],
)
def test_what_postgresql_says_of_a_query_is_kept(way, database, clean, query, state, word):
    error = refused(way, database.reader, database.ca, query)
    assert isinstance(error, QueryRefused), error
    assert word in str(error)
    if (way, state) not in STATE_LOST and way != "connectorx":
        assert error.sqlstate == state


def test_a_connection_that_is_cut_gives_no_half_table(way, database, clean):
    """The query sleeps after its first rows; then the server ends the session."""
    query = (
        "SELECT g, CASE WHEN g = 60000 THEN pg_sleep(20)::text ELSE repeat('x', 100) END AS x "
        "FROM generate_series(1, 70000) AS g"
    )

    def cut() -> None:
        with database.connect() as connection:
            for _ in range(300):
                time.sleep(0.1)
                found = connection.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE usename = 'reader' AND wait_event = 'PgSleep'"
                ).fetchone()
                if found[0]:
                    return

    killer = threading.Thread(target=cut)
    killer.start()
    try:
        error = refused(way, database.reader, database.ca, query)
    finally:
        killer.join()
    assert isinstance(error, ReadBroken), error


def test_a_read_that_is_given_up_leaves_no_session_behind(way, database):
    batches = ways.WAYS[way](database.reader, database.ca, MANY)
    assert next(batches).schema.names == ["number", "text"]
    batches.close()
    deadline = time.monotonic() + 60
    with database.connect() as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'"
        ).fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_query_may_end_in_a_comment(way, database):
    query = "SELECT 7 AS seven -- and no more"
    assert ways.read(way, database.reader, database.ca, query)["seven"].to_pylist() == [7]


@pytest.mark.parametrize("missing", ["adbc_driver_postgresql", "connectorx", "arrow_odbc", "jpype"])
def test_a_driver_that_is_not_installed_is_told_with_its_package(missing, database, monkeypatch):
    module, package, way = {
        "adbc_driver_postgresql": (
            "adbc_driver_postgresql.dbapi",
            "adbc-driver-postgresql",
            "adbc",
        ),
        "connectorx": ("connectorx", "connectorx", "connectorx"),
        "arrow_odbc": ("arrow_odbc", "arrow-odbc", "odbc"),
        "jpype": ("jpype", "JPype1", "jdbc"),
    }[missing]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DriverMissing, match=f"type: pip install {package}"):
        ways.read(way, database.reader, database.ca, "SELECT 1 AS one")


def test_the_odbc_driver_keeps_no_log_in_the_temporary_folder(database):
    """As Debian's odbcinst.ini asks it to: one file for each process that has ever read a row."""
    ways.read("odbc", database.reader, database.ca, "SELECT 1 AS one")
    assert not list(Path("/tmp").glob(f"*psqlodbc_*{os.getpid()}.log"))
