"""RDS through boto3, with a real PostgreSQL behind it."""

import json
import socket

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError, WaiterError
from live import client, kill, wait_for

from drydock import cloud as local_cloud

PASSWORD = "correct-horse"
ORDER = {
    "DBInstanceIdentifier": "books",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "DBName": "library",
    "MasterUsername": "librarian",
    "MasterUserPassword": PASSWORD,
}


def described(rds, name="books"):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def wait_available(rds, name="books"):
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return described(rds, name)


def connect(info, instance, **changed):
    settings = {
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "user": instance["MasterUsername"],
        "password": PASSWORD,
        "dbname": instance["DBName"],
        "sslmode": "verify-full",
        "sslrootcert": str(info.home / "rds" / "ca.pem"),
        "autocommit": True,
    }
    return psycopg.connect(**settings | changed)


def postgres_of(info, name):
    """The server processes on this instance's data, without the children that they fork."""
    data = str(info.home / "rds" / name / "data")
    found = []
    for process in psutil.process_iter():
        try:
            words, status, parent = process.cmdline(), process.status(), process.ppid()
        except psutil.NoSuchProcess:
            continue
        if data in words and status != psutil.STATUS_ZOMBIE:
            found.append((process, parent))
    pids = {process.pid for process, _ in found}
    return [process for process, parent in found if parent not in pids]


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
        DBInstanceIdentifier="books", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    assert postgres_of(cloud, "books") == []
    assert not (cloud.home / "rds" / "books").exists()


def test_it_is_what_was_ordered(cloud, books):
    with connect(cloud, books) as connection:

        def one(question):
            return connection.execute(question).fetchone()

        version = one("SHOW server_version")[0].split()[0]
        assert version == books["EngineVersion"]
        assert one("SHOW max_connections") == ("112",)
        assert one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == (True,)
        rights = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = "
        assert one(rights + "current_user") == (False, True, True)
        assert one("SELECT pg_has_role('rds_superuser', 'member')") == (True,)
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("CREATE TABLE t (n int)")
        connection.execute("GRANT SELECT ON t TO reader")
        connection.execute("DROP TABLE t")
        connection.execute("DROP ROLE reader")
    assert books["DBInstanceArn"] == "arn:aws:rds:us-east-1:123456789012:db:books"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"dbname": "nothing"}, 'database "nothing" does not exist'),
        ({"sslmode": "disable", "sslrootcert": None}, "no encryption"),
        ({"host": "localhost", "sslrootcert": "/etc/hostname"}, "certificate"),
    ],
)
def test_what_the_database_refuses(cloud, books, changed, said):
    with pytest.raises(psycopg.OperationalError, match=said):
        connect(cloud, books, **changed)


def test_it_listens_on_loopback_only_and_not_as_root(cloud, books):
    (server,) = postgres_of(cloud, "books")
    assert {c.laddr.ip for c in server.net_connections() if c.status == "LISTEN"} == {"127.0.0.1"}
    assert server.username() != "root"


def test_no_password_is_on_disk(cloud, books):
    for file in [*(cloud.home / "rds").glob("*/*"), *(cloud.home / "state").iterdir()]:
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file


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


def test_a_new_master_password_takes_the_place_of_the_old(cloud, rds, books):
    rds.modify_db_instance(
        DBInstanceIdentifier="books", MasterUserPassword="another-horse", ApplyImmediately=True
    )
    wait_available(rds)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cloud, books)
    connect(cloud, books, password="another-horse").close()
    rds.modify_db_instance(
        DBInstanceIdentifier="books", MasterUserPassword=PASSWORD, ApplyImmediately=True
    )
    wait_available(rds)
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


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({}, "DBInstanceAlreadyExists", "already exists"),
        ({"DBInstanceIdentifier": "BOOKS"}, "DBInstanceAlreadyExists", "already exists"),
        ({"DBInstanceIdentifier": "-x"}, "InvalidParameterValue", "not a valid identifier"),
        ({"Engine": "mysql"}, "InvalidParameterValue", "engine that really runs here is postgres"),
        ({"EngineVersion": "9.6"}, "InvalidParameterCombination", "Cannot find version 9.6"),
        ({"DBInstanceClass": "db.huge"}, "InvalidParameterValue", "Invalid DB Instance class"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUsername": "a;b"}, "InvalidParameterValue", "MasterUsername"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "shorter than 8"),
        ({"MasterUserPassword": "with space"}, "InvalidParameterValue", "printable ASCII"),
        ({"DBName": "1st"}, "InvalidParameterValue", "begin with a letter"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination", "MasterUserPassword"),
        ({"DBClusterIdentifier": "c"}, "InvalidParameterCombination", "does not run DB clusters"),
    ],
)
def test_refused_orders(rds, books, changed, code, said):
    order = ORDER | ({"DBInstanceIdentifier": "other"} if changed else {}) | changed
    with pytest.raises(ClientError, match=said) as refused:
        rds.create_db_instance(**order)
    assert refused.value.response["Error"]["Code"] == code
    names = [i["DBInstanceIdentifier"] for i in rds.describe_db_instances()["DBInstances"]]
    assert names == ["books"]


def test_what_is_not_there_is_not_pretended(rds, books):
    for call in (
        lambda: rds.delete_db_instance(DBInstanceIdentifier="books"),
        lambda: rds.delete_db_instance(
            DBInstanceIdentifier="books", FinalDBSnapshotIdentifier="last"
        ),
        lambda: rds.create_db_snapshot(DBInstanceIdentifier="books", DBSnapshotIdentifier="s"),
        lambda: rds.create_db_instance_read_replica(
            DBInstanceIdentifier="r", SourceDBInstanceIdentifier="books"
        ),
    ):
        with pytest.raises(ClientError, match="InvalidParameterCombination"):
            call()
    for call in (rds.stop_db_instance, rds.reboot_db_instance, rds.delete_db_instance):
        with pytest.raises(ClientError, match="DBInstanceNotFound"):
            call(DBInstanceIdentifier="nothing")


def test_a_managed_password_is_in_secrets_manager_and_rotates(cloud, rds, books):
    order = {k: v for k, v in ORDER.items() if k != "MasterUserPassword"}
    order |= {"DBInstanceIdentifier": "managed", "ManageMasterUserPassword": True}
    arn = rds.create_db_instance(**order)["DBInstance"]["MasterUserSecret"]["SecretArn"]
    secrets = client(cloud, "secretsmanager")
    assert secrets.describe_secret(SecretId=arn)["Name"].startswith("rds!db-")

    def password():
        return json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["password"]

    first = password()
    instance = wait_available(rds, "managed")
    connect(cloud, instance, password=first).close()
    rds.modify_db_instance(
        DBInstanceIdentifier="managed", RotateMasterUserPassword=True, ApplyImmediately=True
    )
    wait_available(rds, "managed")
    assert password() != first
    connect(cloud, instance, password=password()).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cloud, instance, password=first)
    rds.delete_db_instance(DBInstanceIdentifier="managed", SkipFinalSnapshot=True)
    wait_for(lambda: not (cloud.home / "rds" / "managed").exists(), "removal")
    with pytest.raises(ClientError, match=r"ResourceNotFound|marked for deletion"):
        secrets.get_secret_value(SecretId=arn)


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
    (home / "rds" / "books" / "data" / "pg_hba.conf").write_text("nonsense\n")
    rds.start_db_instance(DBInstanceIdentifier="books")
    with pytest.raises(WaiterError):
        wait_available(rds)
    (why,) = described(rds)["StatusInfos"]
    assert "could not load pg_hba.conf" in why["Message"]
    rds.delete_db_instance(DBInstanceIdentifier="books", SkipFinalSnapshot=True)
    wait_for(lambda: rds.describe_db_instances()["DBInstances"] == [], "deletion")
