"""Each TLS mode against each attacker, on a PostgreSQL that takes connections without TLS too."""

from dataclasses import replace
from pathlib import Path

import pytest

from drydock.connect import jdbc, native, odbc, ways
from drydock.connect.attackers import Impostor, Wiretap
from drydock.connect.errors import ConnectError, explained
from drydock.connect.pools import pool
from drydock.connect.tls import MODES, STOPS

QUERY = "SELECT 'a-rather-secret-text' AS text"


@pytest.fixture(scope="module")
def lenient(database):
    """The database, which for the time of these tests lets clients in without TLS."""
    with database.connect() as connection:
        rules = Path(connection.execute("SHOW hba_file").fetchone()[0])
        before = rules.read_text()
        rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
        yield database
        rules.write_text(before)
        connection.execute("SELECT pg_reload_conf()")


def with_engine(secret, ca, mode):
    engine = odbc.engine(secret, ca, tls=mode)
    with explained("ODBC", secret), engine.connect() as connection:
        connection.exec_driver_sql(QUERY).fetchall()
    engine.dispose()


def with_pool(secret, ca, mode):
    engine = pool(lambda refused=None: secret, ca, driver="odbc", tls=mode, patience=0)
    with engine.connect() as connection:
        connection.exec_driver_sql(QUERY).fetchall()
    engine.dispose()


def with_parts(secret, ca, mode):
    query = f"SELECT 1 AS n, {QUERY.removeprefix('SELECT ')}"
    list(jdbc.partitioned(secret, ca, query, column="n", lower=0, upper=4, count=2, tls=mode))


def reads(way):
    return lambda secret, ca, mode: ways.read(way, secret, ca, QUERY, tls=mode)


CLIENTS = {way: reads(way) for way in ways.WAYS}
CLIENTS |= {"odbc-engine": with_engine, "odbc-pool": with_pool, "jdbc-parts": with_parts}
every_client = pytest.mark.parametrize("client", CLIENTS)
every_mode = pytest.mark.parametrize("mode", MODES)


@every_client
@every_mode
def test_who_only_listens_reads_what_is_not_encrypted(lenient, client, mode):
    secret = lenient.reader
    kept = "prefer" if (client, mode) == ("connectorx", "allow") else mode  # it knows no "allow"
    with Wiretap(secret.host, secret.port) as tap:
        CLIENTS[client](replace(secret, port=tap.port), lenient.ca, mode)
        assert tap.saw("a-rather-secret-text") is not ("listening" in STOPS[kept])
        assert not tap.saw(secret.password)


@every_client
@every_mode
@pytest.mark.parametrize("tls", [None, "own", "other host"])
def test_who_pretends_to_be_the_database_gets_the_password(lenient, client, mode, tls):
    secret, ca, files = lenient.reader, lenient.ca, None
    attack = {None: "no TLS offered", "own": "own certificate"}.get(
        tls, "another host's certificate"
    )
    if tls == "other host":
        # the certificate of 127.0.0.1, shown to a client that asks for localhost
        folder = lenient.stranger.parent
        files, ca = (folder / "server.crt", folder / "server.key"), lenient.stranger
        secret = replace(secret, host="localhost")
    with Impostor(files or tls) as thief:
        with pytest.raises(ConnectError) as error:
            CLIENTS[client](replace(secret, port=thief.port), ca, mode)
        stolen = attack not in STOPS[mode]
        assert set(thief.passwords) == ({secret.password} if stolen else set())
    assert secret.password not in str(error.value)


def test_a_mode_that_is_none_and_a_missing_authority(database):
    with pytest.raises(ValueError, match="type one of disable, allow, prefer, require"):
        native.connect(database.reader, database.ca, tls="on")
    with pytest.raises(ValueError, match="give the certificates"):
        odbc.connection_string(database.reader, None)
    native.connect(database.reader, None, tls="require").close()
