"""max_connections, by the class of an instance and by its parameter group, and who is refused."""

import re
from contextlib import ExitStack

import psycopg
import pytest
from live import wait_for
from rds_orders import ORDER, PASSWORD, connect, wait_available

from drydock.connect.secrets import DatabaseSecret
from drydock.connect.storm import storm
from drydock.model.databases import max_connections

RESERVED = 3  # PostgreSQL's superuser_reserved_connections


@pytest.fixture(scope="module")
def small(cloud, rds):
    rds.create_db_parameter_group(
        DBParameterGroupName="small", DBParameterGroupFamily="postgres15", Description="a test's"
    )
    limit_to(rds, 15)
    order = ORDER | {"DBInstanceIdentifier": "small", "DBParameterGroupName": "small"}
    rds.create_db_instance(**order)
    yield wait_available(rds, "small")
    rds.delete_db_instance(DBInstanceIdentifier="small", SkipFinalSnapshot=True)
    wait_for(lambda: not (cloud.home / "rds" / "small").exists(), "removal")


def limit_to(rds, number):
    rds.modify_db_parameter_group(
        DBParameterGroupName="small",
        Parameters=[
            {
                "ParameterName": "max_connections",
                "ParameterValue": str(number),
                "ApplyMethod": "pending-reboot",
            }
        ],
    )


def shown(cloud, instance):
    with connect(cloud, instance) as connection:
        return int(connection.execute("SHOW max_connections").fetchone()[0])


def test_a_class_has_the_connections_that_the_model_says(cloud, books):
    assert shown(cloud, books) == max_connections("db.t4g.micro") == 112


def test_one_client_after_another_gets_all_connections_but_the_reserved_ones(cloud, small):
    with ExitStack() as stack:
        for _ in range(15 - RESERVED):
            stack.enter_context(connect(cloud, small))
        with pytest.raises(psycopg.OperationalError, match="remaining connection slots"):
            connect(cloud, small)


def test_a_storm_beyond_the_limit_is_refused_in_postgresqls_words(cloud, small):
    place = small["Endpoint"]
    secret = DatabaseSecret(place["Address"], place["Port"], "librarian", "library", PASSWORD)
    done = storm(secret, cloud.home / "rds" / "ca.pem", clients=20, work=0)
    # One that is about to be refused holds a slot, for which another may be refused too.
    assert 0 < done.served == done.backends <= 15 - RESERVED
    assert done.refused == {"ConnectionsExhausted": 20 - done.served}
    # The second where such a one holds a reserved slot.
    words = "remaining connection slots are reserved|sorry, too many clients already"
    assert re.search(words, done.example)
    assert PASSWORD not in done.example
    assert len(done.waits) == done.served


def test_another_limit_needs_a_reboot(cloud, rds, small):
    limit_to(rds, 25)
    assert shown(cloud, small) == 15
    rds.reboot_db_instance(DBInstanceIdentifier="small")
    assert shown(cloud, wait_available(rds, "small")) == 25
