"""A pool whose password is rotated while it is in use, in a real PostgreSQL."""

import itertools
import logging
import secrets
import threading
import time
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import sqlalchemy
from psycopg import sql

from drydock.connect.errors import LoginRefused
from drydock.connect.pools import pool
from drydock.connect.secrets import DatabaseSecret, SecretError
from drydock.connect.sources import SecretSource, TokenSource

SECRET = "drydock/test/rotating"


@pytest.fixture
def manager(cloud):
    client = boto3.client("secretsmanager")
    yield client
    client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


def set_password(database, secret: DatabaseSecret) -> None:
    with database.connect() as connection:
        role = sql.Identifier(secret.username)
        exists = connection.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", [secret.username]
        ).fetchone()
        verb = sql.SQL("ALTER" if exists else "CREATE")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(secret.password))
        )


def rotate(manager, database, secret: DatabaseSecret) -> None:
    """The steps of Secrets Manager's rotation: create, set, test, finish."""
    versions = manager.describe_secret(SecretId=SECRET)["VersionIdsToStages"]
    current = next(key for key, stages in versions.items() if "AWSCURRENT" in stages)
    pending = manager.put_secret_value(
        SecretId=SECRET, SecretString=secret.to_json(), VersionStages=["AWSPENDING"]
    )["VersionId"]
    set_password(database, secret)
    database.connect(secret).close()
    time.sleep(0.3)  # the time in which the secret is wrong
    manager.update_secret_version_stage(
        SecretId=SECRET,
        VersionStage="AWSCURRENT",
        MoveToVersionId=pending,
        RemoveFromVersionId=current,
    )


@pytest.mark.parametrize("driver", ["psycopg", "odbc"])
@pytest.mark.parametrize("users", [["app"], ["app_one", "app_two"]], ids=["one user", "two users"])
def test_no_query_fails_while_the_password_is_rotated(manager, database, driver, users, caplog):
    caplog.set_level(logging.DEBUG)
    # the AWS SDK's own debug log holds every answer in full, so also secrets
    caplog.set_level(logging.INFO, logger="botocore")
    names = itertools.cycle(users)

    def renewed() -> DatabaseSecret:
        password = secrets.token_urlsafe(16)
        return replace(database.admin, username=next(names), password=password)

    first = renewed()
    set_password(database, first)
    manager.create_secret(Name=SECRET, SecretString=first.to_json())
    source = SecretSource(manager, SECRET)
    # 0: a connection is opened for every query, so that each rotation is met by all threads
    engine = pool(source, database.ca, driver=driver, size=4, pool_recycle=0)
    done, failed, over = Counter(), [], threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                with engine.connect() as connection:
                    user = connection.execute(sqlalchemy.text("SELECT current_user")).scalar()
                done[user] += 1
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    passwords = [first.password]
    try:
        for _ in range(4):
            before = done.total()
            secret = renewed()
            passwords.append(secret.password)
            rotate(manager, database, secret)
            while done.total() < before + 8:
                assert not failed, failed[0]
                time.sleep(0.02)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        engine.dispose()
    assert failed == []
    assert set(done) == set(users)
    shown = caplog.text + repr(engine) + repr(source)
    assert not [password for password in passwords if password in shown]


def test_an_open_connection_outlives_its_password(manager, database):
    secret = replace(database.admin, username="steady", password="first")
    set_password(database, secret)
    manager.create_secret(Name=SECRET, SecretString=secret.to_json())
    engine = pool(SecretSource(manager, SECRET), database.ca, patience=0)
    with engine.connect() as connection:
        set_password(database, replace(secret, password="second"))
        assert connection.execute(sqlalchemy.text("SELECT 7")).scalar() == 7
        with pytest.raises(LoginRefused, match="may have been rotated"), engine.connect():
            pass
    engine.dispose()


def test_a_connection_that_the_server_ended_is_replaced(manager, database):
    manager.create_secret(Name=SECRET, SecretString=database.admin.to_json())
    engine = pool(SecretSource(manager, SECRET), database.ca)
    asked = sqlalchemy.text("SELECT pg_backend_pid()")
    with engine.connect() as connection:
        number = connection.execute(asked).scalar()
    with database.connect() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [number])
    with engine.connect() as connection:
        assert connection.execute(asked).scalar() != number
    engine.dispose()


def test_a_secret_that_is_not_there_is_named(manager):
    with pytest.raises(SecretError, match=r"secret drydock/absent cannot be read \(ResourceNot"):
        SecretSource(manager, "drydock/absent")()
    manager.create_secret(Name=SECRET, SecretString="{}")
    with pytest.raises(SecretError, match="lacks engine"):
        SecretSource(manager, SECRET)()


def test_an_iam_token_is_signed_for_this_user_and_place(cloud):
    source = TokenSource(boto3.client("rds"), "db.example", 5432, "etl", "lookup")
    secret = source()
    place = urlsplit(f"//{secret.password}")
    asked = parse_qs(place.query)
    assert (place.hostname, place.port) == ("db.example", 5432)
    assert asked["Action"] == ["connect"]
    assert asked["DBUser"] == ["etl"]
    assert asked["X-Amz-Expires"] == ["900"]
    assert secret.password not in repr(secret) + repr(source)


@pytest.mark.parametrize("driver", ["psycopg", "odbc"])
def test_a_password_as_long_as_a_token_gets_through(database, driver):
    long = replace(database.admin, username="token_user", password="x" * 900 + "%/&=+;}")
    set_password(database, long)
    engine = pool(lambda refused=None: long, database.ca, driver=driver)
    with engine.connect() as connection:
        user = connection.execute(sqlalchemy.text("SELECT current_user")).scalar()
    engine.dispose()
    assert user == "token_user"


def test_an_unknown_driver_is_refused(database):
    with pytest.raises(ValueError, match="type one of psycopg, odbc"):
        pool(lambda refused=None: database.admin, database.ca, driver="jdbc")
