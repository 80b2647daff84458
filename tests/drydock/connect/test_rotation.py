"""The rotation function against a real PostgreSQL, with a pool under load while it rotates."""

import importlib.util
import json
import logging
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import boto3
import psycopg
import pytest
import sqlalchemy

from drydock.connect.pools import pool
from drydock.connect.rotation import STEPS, RotationFailed, rotate, steps_of
from drydock.connect.secrets import read_secret
from drydock.connect.sources import SecretSource

SECRET, MASTER = "drydock/test/alternating", "drydock/test/master"
PROGRAM = Path(__file__).parents[3] / "lib" / "containers" / "rotation" / "rotation.py"


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("rotation_function", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def manager(cloud, database, monkeypatch):
    """Secrets of a master and of user app, who may read one table."""
    monkeypatch.setenv("RDS_CA_BUNDLE", str(database.ca))
    with database.connect() as connection:
        for role in ("app_clone", "app"):
            connection.execute(f"DROP ROLE IF EXISTS {role}") if _exists(connection, role) else None
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'first-password'")
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name=MASTER, SecretString=database.admin.to_json())["ARN"]
    first = replace(database.admin, username="app", password="first-password")
    values = json.loads(first.to_json()) | {"masterarn": arn}
    client.create_secret(Name=SECRET, SecretString=json.dumps(values))
    yield client
    for name in (SECRET, MASTER):
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def _exists(connection, role):
    asked = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    return asked.fetchone() is not None


def test_no_query_fails_during_three_rotations_under_load(manager, database, program, caplog):
    caplog.set_level(logging.INFO)
    engine = pool(SecretSource(manager, SECRET), database.ca, size=3, pool_recycle=0)
    done, failed, over = Counter(), [], threading.Event()

    def work():
        while not over.is_set():
            try:
                with engine.connect() as connection:
                    user = connection.execute(sqlalchemy.text("SELECT current_user")).scalar()
                done[user] += 1
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    passwords = ["first-password"]
    try:
        for user in ("app_clone", "app", "app_clone"):
            rotate(program.lambda_handler, SECRET)
            secret = read_secret(manager, SECRET)
            assert secret.username == user
            assert secret.password not in passwords
            passwords.append(secret.password)
            database.connect(secret).close()
            before = done.total()
            while done.total() < before + 6 and not failed:
                time.sleep(0.02)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        engine.dispose()
    assert failed == []
    assert done.total() > 18
    assert not [password for password in passwords if password in caplog.text]


def test_an_application_that_still_has_the_secret_before_gets_in(manager, database, program):
    before = read_secret(manager, SECRET)
    rotate(program.lambda_handler, SECRET)
    assert read_secret(manager, SECRET).username == "app_clone"
    database.connect(before).close()
    rotate(program.lambda_handler, SECRET)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        database.connect(before)


@pytest.mark.parametrize("failing", STEPS)
def test_the_secret_stays_when_a_step_fails(manager, database, program, failing, monkeypatch):
    before = read_secret(manager, SECRET)

    def handler(event, context):
        if event["Step"] == failing:
            manager.put_secret_value(
                SecretId=MASTER, SecretString=replace(database.admin, password="wrong").to_json()
            )
            if failing != "setSecret":  # which fails by itself with that
                raise RuntimeError("a fault of the test")
        program.lambda_handler(event, context)

    with pytest.raises(RotationFailed, match=f"ended in {failing} .*still valid") as error:
        rotate(handler, SECRET)
    assert error.value.step == failing
    assert read_secret(manager, SECRET) == before
    database.connect(before).close()
    manager.put_secret_value(SecretId=MASTER, SecretString=database.admin.to_json())
    rotate(program.lambda_handler, SECRET)
    assert read_secret(manager, SECRET).username == "app_clone"


def test_each_step_can_be_done_twice(manager, database, program):
    def twice(event, context):
        program.lambda_handler(event, context)
        program.lambda_handler(event, context)

    assert list(steps_of(twice, SECRET)) == list(STEPS)
    database.connect(read_secret(manager, SECRET)).close()


def test_a_step_that_is_none(program):
    with pytest.raises(ValueError, match="not one of createSecret"):
        program.lambda_handler({"Step": "rotate"}, None)
