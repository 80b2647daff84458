"""The lookup tables hold what the source holds, whatever somebody has done to them."""

import psycopg
import pytest

from drydock.lab import Lab, open_lab
from drydock.pipeline import lookup_database

EXPECTED = {"airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115}


@pytest.fixture(scope="module")
def lab(cloud) -> Lab:
    return open_lab()


@pytest.fixture(scope="module")
def instance(lab) -> dict:
    found = lookup_database.create_instance(lab, say=lambda line: None)
    lookup_database.load_lookups(lab, found, say=lambda line: None)
    return found


def load(lab, instance) -> list[str]:
    """What a further load says that it does."""
    said = []
    assert lookup_database.load_lookups(lab, instance, said.append) == EXPECTED
    return said


def test_a_second_load_does_nothing(lab, instance):
    assert load(lab, instance) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE airlines SET name = 'Nobody' WHERE carrier = 'UA'",
        "UPDATE weather SET temp = temp + 1 WHERE origin = 'JFK' AND temp = 54.86",
        "UPDATE planes SET year = NULL WHERE tailnum = 'N10156'",
        "DELETE FROM airports WHERE faa = 'JFK'",
        "DROP TABLE planes",
        "ALTER TABLE airports ADD COLUMN more int",
        "COMMENT ON TABLE weather IS NULL",
    ],
)
def test_a_table_that_was_changed_is_loaded_again(lab, instance, damage):
    with lookup_database._connect_as_master(lab, instance) as connection:
        connection.execute(damage)
    assert load(lab, instance) == ["loading 30,911 lookup rows with COPY"]
    assert load(lab, instance) == []


def test_another_time_zone_of_the_database_is_no_change(lab, instance):
    with lookup_database._connect_as_master(lab, instance) as connection:
        name = psycopg.sql.Identifier(lookup_database.DATABASE)
        connection.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET timezone = 'Asia/Tokyo'").format(name)
        )
    assert load(lab, instance) == []
