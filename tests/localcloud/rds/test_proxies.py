"""RDS Proxy's stand-in: a real pgbouncer between clients and a real PostgreSQL."""

import json
import os
import shutil
import threading

import psycopg
import pytest
from botocore.exceptions import ClientError
from live import client, processes_of, wait_for
from rds_orders import ORDER, connect, wait_available

from drydock.connect.secrets import DatabaseSecret
from drydock.connect.storm import storm

PASSWORD = "app-password-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "rds.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
pytestmark = pytest.mark.skipif(
    not shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin"),
    reason="no pgbouncer: apt-get install pgbouncer",
)


@pytest.fixture(scope="module")
def pooled(cloud, rds):
    order = ORDER | {"DBInstanceIdentifier": "pooled"}
    rds.create_db_instance(**order)
    instance = wait_available(rds, "pooled")
    with connect(cloud, instance) as connection:
        connection.execute(f"CREATE USER app PASSWORD '{PASSWORD}'")
        connection.execute(f"CREATE USER other PASSWORD '{PASSWORD}'")
    yield instance
    rds.delete_db_instance(DBInstanceIdentifier="pooled", SkipFinalSnapshot=True)
    wait_for(lambda: not (cloud.home / "rds" / "pooled").exists(), "removal")


@pytest.fixture(scope="module")
def secret(cloud, pooled):
    value = json.dumps({"username": "app", "password": PASSWORD})
    manager = client(cloud, "secretsmanager")
    return manager.create_secret(Name="pooled/app", SecretString=value)["ARN"]


@pytest.fixture(scope="module")
def role(cloud, secret):
    iam = client(cloud, "iam")
    made = iam.create_role(RoleName="proxy", AssumeRolePolicyDocument=json.dumps(TRUST))
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret}
    iam.put_role_policy(
        RoleName="proxy",
        PolicyName="read",
        PolicyDocument=json.dumps(TRUST | {"Statement": [statement]}),
    )
    return made["Role"]["Arn"]


@pytest.fixture(scope="module")
def order(cloud, secret, role):
    subnets = client(cloud, "ec2").describe_subnets()["Subnets"]
    return {
        "DBProxyName": "front",
        "EngineFamily": "POSTGRESQL",
        "Auth": [{"AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "DISABLED"}],
        "RoleArn": role,
        "VpcSubnetIds": [subnet["SubnetId"] for subnet in subnets[:2]],
        "RequireTLS": True,
    }


@pytest.fixture(scope="module")
def front(cloud, rds, pooled, order):
    rds.create_db_proxy(**order)
    rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["pooled"])
    wait_for(lambda: health(rds)["State"] == "AVAILABLE", "the target")
    yield rds.describe_db_proxies(DBProxyName="front")["DBProxies"][0]
    folders = cloud.home / "rds" / ".proxies"
    rds.delete_db_proxy(DBProxyName="front")
    wait_for(lambda: not list(folders.iterdir()), "removal")


def health(rds, name="front"):
    return rds.describe_db_proxy_targets(DBProxyName=name)["Targets"][0]["TargetHealth"]


def through(cloud, instance, front, **changed):
    who = {"user": "app", "password": PASSWORD, "host": front["Endpoint"], "port": 5432}
    return connect(cloud, instance, **who | {"prepare_threshold": None} | changed)


def limit(rds, percent, seconds):
    rds.modify_db_proxy_target_group(
        DBProxyName="front",
        TargetGroupName="default",
        ConnectionPoolConfig={
            "MaxConnectionsPercent": percent,
            "ConnectionBorrowTimeout": seconds,
        },
    )


def backends(cloud, pooled):
    with connect(cloud, pooled) as connection:
        return connection.execute(COUNT).fetchone()[0]


@pytest.fixture
def four(cloud, rds, pooled, front):
    """The proxy with at most four connections to the database; yields how many it had, at looks."""
    limit(rds, 4, 30)  # of 112
    wait_for(lambda: "max_db_connections = 4\n" in ini(cloud), "the limit")
    through(cloud, pooled, front).close()
    seen, over = [], threading.Event()

    def watch():
        with connect(cloud, pooled) as connection:
            while not over.wait(0.01):
                seen.append(connection.execute(COUNT).fetchone()[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield seen
    over.set()
    watcher.join()
    # At once: a reload has pgbouncer replace a connection, so over time there may be more.
    assert 1 <= max(seen) <= 4


def test_many_clients_share_few_connections(cloud, pooled, front, four):
    assert front["Status"] == "available"
    served = []

    def work():
        with through(cloud, pooled, front) as connection:
            served.append(connection.execute("SELECT 1, pg_sleep(0.02)").fetchone()[0])

    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served == [1] * 40


def test_a_storm_is_served_by_few_connections(cloud, pooled, front, four):
    secret = DatabaseSecret(front["Endpoint"], 5432, "app", "library", PASSWORD)
    done = storm(secret, cloud.home / "rds" / "ca.pem", clients=30, work=0.01)
    assert (done.served, done.refused) == (30, {})
    assert done.backends < 30


def test_who_waits_longer_than_the_borrow_timeout_is_told(cloud, rds, pooled, front):
    limit(rds, 1, 1)
    wait_for(lambda: "query_wait_timeout = 1\n" in ini(cloud), "the timeout")
    # pgbouncer closes what a larger pool has left idle within a third of a second.
    wait_for(lambda: backends(cloud, pooled) <= 1, "the smaller pool")
    with through(cloud, pooled, front, autocommit=False) as holder:
        holder.execute("SELECT 1")
        with (
            pytest.raises(psycopg.OperationalError, match="query_wait_timeout"),
            through(cloud, pooled, front) as waiting,
        ):
            waiting.execute("SELECT 1")
    limit(rds, 100, 30)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong-password"}, "authentication failed"),
        ({"user": "other"}, "authentication failed"),
        ({"sslmode": "disable", "sslrootcert": None}, "SSL required"),
        ({"sslrootcert": "/etc/hostname"}, "certificate"),
    ],
)
def test_whom_the_proxy_refuses(cloud, pooled, front, changed, said):
    with pytest.raises(psycopg.OperationalError, match=said):
        through(cloud, pooled, front, **changed)


def test_no_password_is_on_its_disk(cloud, pooled, front):
    through(cloud, pooled, front).close()
    folder = next((cloud.home / "rds" / ".proxies").iterdir())
    files = [file for file in folder.iterdir() if file.is_file()]
    assert {"users.txt", "pgbouncer.ini", "pgbouncer.log"} <= {file.name for file in files}
    assert not [file for file in files if PASSWORD in file.read_text()]


def test_it_follows_the_secret(cloud, rds, pooled, front, secret):
    manager = client(cloud, "secretsmanager")
    with connect(cloud, pooled) as connection:
        connection.execute("ALTER USER app PASSWORD 'app-password-2'")
    wait_for(lambda: health(rds)["State"] == "UNAVAILABLE", "the wrong secret seen")
    assert health(rds)["Reason"] == "AUTH_FAILURE"
    value = json.dumps({"username": "app", "password": "app-password-2"})
    manager.put_secret_value(SecretId=secret, SecretString=value)
    wait_for(lambda: health(rds)["State"] == "AVAILABLE", "the new secret")
    through(cloud, pooled, front, password="app-password-2").close()
    with connect(cloud, pooled) as connection:
        connection.execute(f"ALTER USER app PASSWORD '{PASSWORD}'")
    wait_for(lambda: health(rds)["State"] == "AVAILABLE", "the secret before")


def test_a_pgbouncer_that_ends_is_started_again(cloud, pooled, front):
    (process,) = [p for p in processes_of(cloud.home) if p.name() == "pgbouncer"]
    process.kill()

    def serves():
        try:
            through(cloud, pooled, front, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_for(serves, "the next pgbouncer")


def test_a_role_that_may_not_read_the_secret(cloud, rds, pooled, order):
    client(cloud, "iam").create_role(RoleName="blind", AssumeRolePolicyDocument=json.dumps(TRUST))
    blind = order | {"DBProxyName": "blind", "RoleArn": "arn:aws:iam::123456789012:role/blind"}
    rds.create_db_proxy(**blind)
    rds.register_db_proxy_targets(DBProxyName="blind", DBInstanceIdentifiers=["pooled"])
    wait_for(lambda: health(rds, "blind")["State"] == "UNAVAILABLE", "the refusal")
    assert "may not secretsmanager:GetSecretValue" in health(rds, "blind")["Description"]
    rds.delete_db_proxy(DBProxyName="blind")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"EngineFamily": "MYSQL"}, "proxies of MYSQL"),
        ({"Auth": [{"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED"}]}, "IAM authentication"),
        ({"Auth": [{"AuthScheme": "SECRETS"}]}, "needs the SecretArn"),
        ({}, "already exists"),
    ],
)
def test_orders_that_cannot_be(rds, front, order, changed, said):
    with pytest.raises(ClientError, match=said):
        rds.create_db_proxy(**order | changed)


def test_a_proxy_and_a_target_that_are_not_there(rds, front):
    with pytest.raises(ClientError, match="DBProxyNotFound"):
        rds.delete_db_proxy(DBProxyName="absent")
    with pytest.raises(ClientError, match="one DB instance"):
        rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["pooled"])
    with pytest.raises(ClientError, match="between 1 and 100"):
        limit(rds, 101, 1)


def ini(cloud):
    folders = (cloud.home / "rds" / ".proxies").iterdir()
    return "".join((folder / "pgbouncer.ini").read_text() for folder in folders)
