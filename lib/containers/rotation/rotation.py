"""Rotates the password of a PostgreSQL user with two users that alternate: a Lambda handler.

Secrets Manager calls it once for each step with {"SecretId", "ClientRequestToken", "Step"}. The
secret has RDS's keys and `masterarn`, the ARN of the secret of a user who may create users. While
user `app` is in use the password of `app_clone` changes, and the other way round, so a password is
never changed under those who use it. Environment: RDS_CA_BUNDLE, the authority to verify with.
Source of the steps: AWS Secrets Manager user guide, "Lambda rotation functions".
"""

import json
import os

import boto3
import psycopg
from botocore.exceptions import ClientError
from psycopg import sql

CLONE = "_clone"
# What a connection string or a shell would take for its own.
NOT_IN_PASSWORD = "/@\"'\\ {};%`$"
CONNECT_SECONDS = 10


def lambda_handler(event: dict, context: object) -> None:
    """Do one step; raise to have the rotation given up, with the old secret in use."""
    steps = {
        "createSecret": create_secret,
        "setSecret": set_secret,
        "testSecret": check_secret,
        "finishSecret": finish_secret,
    }
    if event["Step"] not in steps:
        raise ValueError(f"Step is {event['Step']!r}, not one of {', '.join(steps)}")
    manager = boto3.client("secretsmanager")
    steps[event["Step"]](manager, event["SecretId"], event["ClientRequestToken"])


def create_secret(manager, secret_id: str, token: str) -> None:
    """Store the other user with a new password as AWSPENDING; again changes nothing."""
    current = _read(manager, secret_id, VersionStage="AWSCURRENT")
    try:
        _read(manager, secret_id, VersionId=token, VersionStage="AWSPENDING")
        return
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    password = manager.get_random_password(
        PasswordLength=32, ExcludeCharacters=NOT_IN_PASSWORD, RequireEachIncludedType=False
    )["RandomPassword"]
    changed = {"username": other_user(current["username"]), "password": password}
    manager.put_secret_value(
        SecretId=secret_id,
        ClientRequestToken=token,
        SecretString=json.dumps(current | changed),
        VersionStages=["AWSPENDING"],
    )


def set_secret(manager, secret_id: str, token: str) -> None:
    """Give the database the new password; make the other user if there is none yet."""
    pending = _read(manager, secret_id, VersionId=token, VersionStage="AWSPENDING")
    current = _read(manager, secret_id, VersionStage="AWSCURRENT")
    master = _read(manager, pending["masterarn"], VersionStage="AWSCURRENT")
    place = {key: current[key] for key in ("host", "port", "dbname")}
    user, model = sql.Identifier(pending["username"]), sql.Identifier(current["username"])
    with _connected(master | place) as connection:
        # hashed here, so that the server's log never sees the password
        verifier = connection.pgconn.encrypt_password(
            pending["password"].encode(), pending["username"].encode(), b"scram-sha-256"
        ).decode()
        exists = connection.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", [pending["username"]]
        ).fetchone()
        if exists:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(user, sql.Literal(verifier)))
        else:
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
            connection.execute(statement.format(user, sql.Literal(verifier), model))


def check_secret(manager, secret_id: str, token: str) -> None:
    """Log in as applications will."""
    pending = _read(manager, secret_id, VersionId=token, VersionStage="AWSPENDING")
    with _connected(pending) as connection:
        connection.execute("SELECT 1")


def finish_secret(manager, secret_id: str, token: str) -> None:
    """Make the pending version the one in use; the one before stays as AWSPREVIOUS."""
    versions = manager.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    current = next(version for version, stages in versions.items() if "AWSCURRENT" in stages)
    if current != token:
        manager.update_secret_version_stage(
            SecretId=secret_id,
            VersionStage="AWSCURRENT",
            MoveToVersionId=token,
            RemoveFromVersionId=current,
        )


def other_user(name: str) -> str:
    """Return app_clone for app, and app for app_clone."""
    return name.removesuffix(CLONE) if name.endswith(CLONE) else name + CLONE


def _read(manager, secret_id: str, **version: str) -> dict:
    answer = manager.get_secret_value(SecretId=secret_id, **version)
    return json.loads(answer["SecretString"])


def _connected(secret: dict) -> psycopg.Connection:
    return psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        sslmode="verify-full",
        sslrootcert=os.environ["RDS_CA_BUNDLE"],
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    )
