"""An instance is stopped, started, rebooted, resized, and comes back from accidents."""

import socket

import psycopg
import pytest
from botocore.exceptions import ClientError, WaiterError
from live import client, wait_for
from rds_orders import ORDER, connect, described, postgres_of, wait_available

from drydock import cloud as local_cloud


def test_stop_and_start(cloud, rds, books):
    with connect(cloud, books) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    stopping = rds.stop_db_instance(DBInstanceIdentifier="books")["DBInstance"]
    assert stopping["DBInstanceStatus"] == "stopping"
    wait_for(lambda: described(rds)["DBInstanceStatus"] == "stopped", "stopped")
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        connect(cloud, books)
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        rds.stop_db_instance(DBInstanceIdentifier="books")
    rds.start_db_instance(DBInstanceIdentifier="books")
    again = wait_available(rds)
    assert again["Endpoint"] == books["Endpoint"]
    with connect(cloud, again) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")


def test_reboot_cuts_connections(cloud, rds, books):
    with connect(cloud, books) as connection:
        rds.reboot_db_instance(DBInstanceIdentifier="books")
        wait_available(rds)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    connect(cloud, books).close()


def test_a_larger_class_takes_more_connections(cloud, rds, books):
    for name, connections in (("db.t4g.small", "225"), ("db.t4g.micro", "112")):
        rds.modify_db_instance(
            DBInstanceIdentifier="books", DBInstanceClass=name, ApplyImmediately=True
        )
        instance = wait_available(rds)
        assert instance["DBInstanceClass"] == name
        with connect(cloud, instance) as connection:
            assert connection.execute("SHOW max_connections").fetchone() == (connections,)


def test_a_crashed_postgres_comes_back(cloud, rds, books):
    postgres_of(cloud, "books")[0].kill()

    def reachable():
        try:
            return connect(cloud, described(rds))
        except psycopg.OperationalError:
            return None

    wait_for(reachable, "recovery").close()


@pytest.mark.parametrize("when", ["it is created", "it is started again"])
def test_deleting_while(home, when):
    """A deletion that is asked for in the middle of something else is not forgotten."""
    info = local_cloud.start(home, port=0)
    rds = client(info, "rds")
    rds.create_db_instance(**ORDER)
    if when == "it is started again":
        wait_available(rds)
        postgres_of(info, "books")[0].kill()
        said = "PostgreSQL of books ended: starting it again"
        wait_for(lambda: said in (home / "server.log").read_text(), "recovery")
    rds.delete_db_instance(DBInstanceIdentifier="books", SkipFinalSnapshot=True)
    seen = set()

    def gone():
        found = rds.describe_db_instances()["DBInstances"]
        seen.update(instance["DBInstanceStatus"] for instance in found)
        return not found

    wait_for(gone, "deletion", 90)
    assert seen <= {"deleting"}
    assert postgres_of(info, "books") == []
    assert not (home / "rds" / "books").exists()


def stop_and_wait(rds):
    rds.stop_db_instance(DBInstanceIdentifier="books")
    wait_for(lambda: described(rds)["DBInstanceStatus"] == "stopped", "stopped")


def test_starting_on_a_taken_port_and_with_a_broken_configuration(home):
    info = local_cloud.start(home, port=0)
    rds = client(info, "rds")
    rds.create_db_instance(**ORDER)
    port = wait_available(rds)["Endpoint"]["Port"]

    stop_and_wait(rds)
    with socket.create_server(("127.0.0.1", port)):
        rds.start_db_instance(DBInstanceIdentifier="books")
        moved = wait_available(rds)
    assert moved["Endpoint"]["Port"] != port
    connect(info, moved).close()
    assert f"Port {port} of RDS instance books is taken" in (home / "server.log").read_text()

    stop_and_wait(rds)
    (home / "rds" / "books" / "data" / "postgresql.conf").write_text("nonsense\n")
    rds.start_db_instance(DBInstanceIdentifier="books")
    with pytest.raises(WaiterError):
        wait_available(rds)
    (why,) = described(rds)["StatusInfos"]
    assert "contains errors" in why["Message"]
    rds.delete_db_instance(DBInstanceIdentifier="books", SkipFinalSnapshot=True)
    wait_for(lambda: rds.describe_db_instances()["DBInstances"] == [], "deletion")
