"""The ODBC connection string, and where the driver is looked for."""

import re
from pathlib import Path

import pytest

from drydock.connect import odbc
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


def test_without_any_driver_the_command_is_told(monkeypatch):
    monkeypatch.delenv("DRYDOCK_ODBC_DRIVER", raising=False)
    monkeypatch.setattr(odbc, "postgres_odbc_driver", lambda: None)
    with pytest.raises(odbc.DriverMissing, match="type: drydock doctor"):
        odbc.driver_path()
