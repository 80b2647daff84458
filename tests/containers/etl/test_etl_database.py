"""The lookup tables over ODBC and JDBC: encrypted, one snapshot, and no row left behind."""

import datetime as dt
import subprocess

import polars as pl
import pytest
from etl import database as reading
from etl.database import DRIVERS, read_lookups
from etl.errors import ServiceFailure
from etl.layout import Month
from etl.secret import Secret
from etl_support import PASSWORD, source_file
from polars.testing import assert_frame_equal

JULY = [Month(2013, 7)]
every_driver = pytest.mark.parametrize("driver", DRIVERS)


@every_driver
def test_tables_come_whole(server, driver):
    lookups = read_lookups(
        Secret.parse(server.secret()), [Month(2013, n) for n in range(1, 13)], driver
    )
    heights = [
        table.height
        for table in (lookups.airlines, lookups.origins, lookups.dests, lookups.planes)
    ]  # fmt: skip
    assert heights == [16, 1458, 1458, 3322]
    assert lookups.weather.height == 26_115
    expected = pl.read_csv(source_file("weather.csv"), null_values="NA", infer_schema_length=None)
    for name in ("temp", "humid", "wind_speed", "precip", "visib"):
        mine, theirs = lookups.weather[name].sort(), expected[name].cast(pl.Float64).sort()
        assert mine.equals(theirs)


@every_driver
def test_only_the_hours_of_the_months_are_read(server, driver):
    lookups = read_lookups(Secret.parse(server.secret()), [Month(2013, 7), Month(2013, 3)], driver)
    months = lookups.weather["time_hour"].dt.month().unique().sort().to_list()
    assert months == [3, 4, 7, 8]  # the last local evening is in the next month in UTC
    july = lookups.weather_of(JULY[0])["time_hour"]
    assert july.min() == dt.datetime(2013, 7, 1, tzinfo=dt.UTC)
    assert july.max() < dt.datetime(2013, 8, 1, 11, tzinfo=dt.UTC)


@every_driver
def test_the_connection_is_encrypted_and_the_read_pinned(database, driver):
    """As the server sees it: TLS, and a transaction that reads one snapshot and writes nothing."""
    secret = Secret.parse(database.secret())
    with database.admin() as connection:
        connection.execute(
            "CREATE VIEW seen AS SELECT concat_ws(' ', current_setting('transaction_isolation'),"
            " current_setting('transaction_read_only'),"
            " (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())) AS name,"
            " 'XX' AS carrier"
        )
        connection.execute("ALTER TABLE airlines RENAME TO airlines_before")
        connection.execute("ALTER VIEW seen RENAME TO airlines")
        connection.execute("GRANT SELECT ON airlines TO etl")
    lookups = read_lookups(secret, JULY, driver)
    assert lookups.airlines["carrier_name"].to_list() == ["repeatable read on t"]


@every_driver
def test_a_change_between_two_tables_is_not_seen(database, monkeypatch, driver):
    read = reading._read

    def read_then_change(reader, table, months):
        frame = read(reader, table, months)
        if table == "airlines":
            with database.admin() as other:
                other.execute("DELETE FROM planes")
        return frame

    monkeypatch.setattr(reading, "_read", read_then_change)
    assert read_lookups(Secret.parse(database.secret()), JULY, driver).planes.height == 3322
    with database.admin() as connection:
        assert connection.execute("SELECT count(*) FROM planes").fetchone() == (0,)


@every_driver
def test_a_row_left_behind_is_noticed(database, driver):
    """A table that gives other rows each time it is read: what is read is not what is counted."""
    with database.admin() as connection:
        connection.execute("ALTER TABLE planes RENAME TO planes_before")
        connection.execute("CREATE VIEW planes AS SELECT * FROM planes_before WHERE random() < 0.5")
        connection.execute("GRANT SELECT ON planes TO etl")
    with pytest.raises(ServiceFailure, match=r"table planes: read \d+ of \d+ rows"):
        read_lookups(Secret.parse(database.secret()), JULY, driver)


@every_driver
def test_other_column_types_give_the_same_tables(database, driver):
    before = read_lookups(Secret.parse(database.secret()), JULY)
    with database.admin() as connection:
        connection.execute(
            "ALTER TABLE airports ALTER lat TYPE numeric USING lat::text::numeric,"
            " ALTER name TYPE char(60)"
        )
        connection.execute("ALTER TABLE planes ALTER seats TYPE bigint, ALTER year TYPE float8")
        connection.execute("ALTER TABLE weather ALTER wind_dir TYPE float8")
    after = read_lookups(Secret.parse(database.secret()), JULY, driver)
    assert after.planes.equals(before.planes)
    assert after.weather.equals(before.weather)
    assert after.dests["dest_lat"].to_list() == before.dests["dest_lat"].to_list()


@every_driver
def test_the_authority_of_the_server_is_trusted(server, monkeypatch, tmp_path, driver):
    authority = tmp_path / "authority.pem"
    authority.write_text(server.certificate)
    monkeypatch.setenv("PGSSLROOTCERT", str(authority))
    assert read_lookups(Secret.parse(server.secret()), JULY, driver).planes.height == 3322


@every_driver
def test_a_certificate_of_a_stranger_is_refused(server, monkeypatch, tmp_path, driver):
    authority = tmp_path / "authority.pem"
    command = "openssl req -new -x509 -days 2 -nodes -subj /CN=stranger -keyout /dev/null -out"
    subprocess.run([*command.split(), authority], check=True, capture_output=True)
    monkeypatch.setenv("PGSSLROOTCERT", str(authority))
    with pytest.raises(ServiceFailure, match="certificate"):
        read_lookups(Secret.parse(server.secret()), JULY, driver)


def test_the_password_shows_nowhere(server):
    secret = Secret.parse(server.secret())
    assert PASSWORD not in repr(secret)


def test_both_drivers_give_the_same_tables_whatever_is_in_them(database):
    """Nothing and empty text, separators, quotes and line ends, all planes, numbers at the edge."""
    with database.admin() as connection:
        names = ["", " ", "a,b", 'say "hi"', "two\nlines", "\\N", "NULL", "NA", "é€𝄞", "0123"]
        for number, name in enumerate([*names, None]):
            connection.execute(
                "INSERT INTO airports VALUES (%s, %s, %s, %s)",
                [f"#{number}", name, float("nan") if number == 1 else 0.1 + number / 3, -1e-310],
            )
        connection.execute("INSERT INTO airlines VALUES ('', 'no code')")
        connection.execute("DELETE FROM planes")
    first, second = (read_lookups(Secret.parse(database.secret()), JULY, name) for name in DRIVERS)
    for name in ("airlines", "origins", "dests", "planes", "weather"):
        assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
    assert first.planes.height == 0
    kept = {row[0]: row[1] for row in first.dests.select("dest", "dest_name").iter_rows()}
    assert [kept[f"#{number}"] for number in range(11)] == [*names, None]
