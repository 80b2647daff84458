"""Rows outlive the server of the local cloud, and what PostgreSQL needs of its home."""

import psutil
import pytest
from botocore.exceptions import ClientError
from live import client, kill, wait_for
from rds_orders import ORDER, connect, postgres_of, wait_available

from drydock import cloud as local_cloud


def test_no_row_is_lost_when_the_server_is_killed_or_stopped(home):
    info = local_cloud.start(home, port=0)
    client(info, "rds").create_db_instance(**ORDER)
    kill(info)  # while it creates: the next server finishes that
    info = local_cloud.start(home, port=0)
    instance = wait_available(client(info, "rds"))
    with connect(info, instance) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    kill(info)
    wait_for(lambda: postgres_of(info, "books") == [], "the database's end")
    info = local_cloud.start(home, port=0)
    again = wait_available(client(info, "rds"))
    assert again["Endpoint"] == instance["Endpoint"]
    with connect(info, again) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    assert local_cloud.stop(home)
    assert postgres_of(info, "books") == []

    info = local_cloud.start(home, port=0)
    again = wait_available(client(info, "rds"))
    with connect(info, again) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_a_home_that_postgres_cannot_enter_is_said_with_the_chmod(home):
    (inner := home / "closed").mkdir(mode=0o700)
    info = local_cloud.start(inner / "home", port=0)
    try:
        rds = client(info, "rds")
        if psutil.Process().username() != "root":
            pytest.skip("PostgreSQL runs as ourselves, who can enter")
        with pytest.raises(ClientError, match=f"cannot enter {inner}: `chmod o.x {inner}`"):
            rds.create_db_instance(**ORDER)
        assert rds.describe_db_instances()["DBInstances"] == []
        inner.chmod(0o711)
        rds.create_db_instance(**ORDER)
        wait_available(rds)
    finally:
        local_cloud.stop(inner / "home")
