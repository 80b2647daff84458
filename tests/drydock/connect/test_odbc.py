"""The ODBC connection string, and where the driver is looked for."""

import re
from pathlib import Path

import pytest
from database import CANARY

from drydock.connect import odbc, ways
from drydock.connect.errors import ReadBroken
from drydock.connect.secrets import DatabaseSecret


def secret(password: str) -> DatabaseSecret:
    return DatabaseSecret(
        host="127.0.0.1", port=5432, username="etl", dbname="lookup", password=password
    )


@pytest.fixture
def driver(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "psqlodbcw.so"
    path.touch()
    monkeypatch.setenv("DRYDOCK_ODBC_DRIVER", str(path))
    return path


def test_the_server_certificate_is_always_verified(driver):
    text = odbc.connection_string(secret("x"), Path("/ca.pem"))
    assert "SSLmode=verify-full" in text
    assert "pqopt={sslrootcert=/ca.pem connect_timeout=10}" in text
    assert f"Driver={driver}" in text


@pytest.mark.parametrize(
    ("password", "written"),
    [
        ("plain", "PWD={plain};"),
        ("semi;colon", "PWD={semi;colon};"),
        ("bra}ce", "PWD={bra}}ce};"),
        ("equals=sign", "PWD={equals=sign};"),
        ("{open", "PWD={{open};"),
    ],
)
def test_a_password_cannot_break_out_of_its_place(driver, password, written):
    text = odbc.connection_string(secret(password), Path("/ca.pem"))
    assert written in text
    assert re.search(r"SSLmode=verify-full", text.split(written)[1])


def test_a_driver_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("DRYDOCK_ODBC_DRIVER", "/nowhere/psqlodbcw.so")
    with pytest.raises(odbc.DriverMissing, match=r"/nowhere/psqlodbcw\.so, which is no file"):
        odbc.driver_path()


@pytest.mark.parametrize("way", ["odbc", "odbc-rows"])
def test_a_driver_of_another_architecture_is_told_with_its_file(way, driver, database):
    driver.write_bytes(b"\x7fELF of another architecture")
    with pytest.raises(odbc.DriverMissing, match="another architecture") as raised:
        ways.read(way, database.reader, database.ca, "SELECT 1 AS one")
    assert str(driver) in str(raised.value)
    assert CANARY not in str(raised.value)


def test_without_any_driver_the_command_is_told(monkeypatch):
    monkeypatch.delenv("DRYDOCK_ODBC_DRIVER", raising=False)
    monkeypatch.setattr(odbc, "postgres_odbc_driver", lambda: None)
    with pytest.raises(odbc.DriverMissing, match="type: drydock doctor"):
        odbc.driver_path()


def test_a_fetch_size_reads_through_a_cursor_in_the_server(driver):
    text = odbc.connection_string(secret("x"), Path("/ca.pem"), fetch_rows=500)
    assert text.endswith(";UseDeclareFetch=1;Fetch=500")


def test_a_text_longer_than_its_room_is_an_error_and_never_cut_off(database):
    query = "SELECT g, repeat('é', g) AS text FROM generate_series(1, 6000) AS g"
    read = odbc.batches(database.reader, database.ca, query, text_bytes=5000)
    with pytest.raises(ReadBroken, match="longer than text_bytes=5000"):
        list(read)
    whole = odbc.batches(database.reader, database.ca, query, text_bytes=12_000)
    lengths = [len(text) for batch in whole for text in batch["text"].to_pylist()]
    assert lengths == list(range(1, 6001))


def test_the_engine_reads_over_odbc_with_a_password_of_any_characters(database):
    engine = odbc.engine(database.reader, database.ca)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "reader"
    assert CANARY not in repr(engine)
    engine.dispose()
