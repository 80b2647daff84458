"""Who gets into the real PostgreSQL behind an instance, and with which password."""

import json

import psycopg
import pytest
from botocore.exceptions import ClientError
from live import client, wait_for
from rds_orders import ORDER, PASSWORD, connect, postgres_of, wait_available


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
