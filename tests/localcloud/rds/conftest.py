"""A database server for all tests of this folder that only use one."""

import pytest
from live import client
from rds_orders import ORDER, postgres_of, wait_available


@pytest.fixture(scope="module")
def rds(cloud):
    return client(cloud, "rds")


@pytest.fixture(scope="module")
def books(cloud, rds):
    """A database server that is available; tests leave it so, with its password."""
    made = rds.create_db_instance(**ORDER)["DBInstance"]
    assert made["DBInstanceStatus"] == "creating"
    yield wait_available(rds)
    rds.delete_db_instance(DBInstanceIdentifier="books", SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier="books", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    assert postgres_of(cloud, "books") == []
    assert not (cloud.home / "rds" / "books").exists()
