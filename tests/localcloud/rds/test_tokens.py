"""IAM database authentication: tokens that boto3 signs, and a PostgreSQL that asks about them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import boto3
import psycopg
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.exceptions import ClientError
from live import client, wait_for
from rds_orders import ORDER, connect, described, wait_available

from drydock.connect import native
from drydock.connect.errors import LoginRefused
from drydock.connect.pools import pool
from drydock.connect.sources import TokenSource

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
REFUSED = r'(PAM|LDAP) authentication failed for user "etl"'


@pytest.fixture(scope="module")
def signing(cloud, rds):
    """An instance with IAM authentication, and its user etl who may only use tokens."""
    order = ORDER | {"DBInstanceIdentifier": "signing", "EnableIAMDatabaseAuthentication": True}
    rds.create_db_instance(**order)
    instance = wait_available(rds, "signing")
    with connect(cloud, instance) as connection:
        connection.execute("CREATE USER etl PASSWORD 'a-password'")
        connection.execute("GRANT rds_iam TO etl")
        connection.execute("CREATE USER plain PASSWORD 'a-password'")
    yield instance
    rds.delete_db_instance(DBInstanceIdentifier="signing", SkipFinalSnapshot=True)
    wait_for(lambda: not (cloud.home / "rds" / "signing").exists(), "removal")


@pytest.fixture(scope="module")
def session(cloud, signing):
    """Makes sessions of a new role with this policy on rds-db:connect, or of a new IAM user."""
    iam, sts = client(cloud, "iam"), client(cloud, "sts")

    def of_role(name, effect="Allow", resource=None, action="rds-db:connect"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(
            RoleName=name, PolicyName="p", PolicyDocument=policy(effect, resource, action)
        )
        arn = f"arn:aws:iam::123456789012:role/{name}"
        keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1"
        )

    def policy(effect, resource, action):
        arn = f"arn:aws:rds-db:us-east-1:123456789012:dbuser:{signing['DbiResourceId']}/etl"
        statement = {"Effect": effect, "Action": action, "Resource": resource or arn}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    return of_role


def token(instance, of=None, **changed):
    endpoint = instance["Endpoint"]
    asked = {"DBHostname": endpoint["Address"], "Port": endpoint["Port"], "DBUsername": "etl"}
    session = of or boto3.Session("drydock", "drydock", region_name="us-east-1")
    return session.client("rds", endpoint_url="http://unused").generate_db_auth_token(
        **asked | changed
    )


def login(cloud, instance, password, **changed):
    with connect(cloud, instance, user="etl", password=password, **changed) as connection:
        return connection.execute("SELECT current_user").fetchone()[0]


def test_a_token_lets_in_whose_keys_made_it(cloud, signing, session):
    assert signing["IAMDatabaseAuthenticationEnabled"] is True
    assert login(cloud, signing, token(signing)) == "etl"
    allowed = session("rds-allowed")
    assert "X-Amz-Security-Token" in token(signing, allowed)
    assert login(cloud, signing, token(signing, allowed)) == "etl"
    iam = client(cloud, "iam")
    iam.create_user(UserName="anna")
    key = iam.create_access_key(UserName="anna")["AccessKey"]
    anna = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    with pytest.raises(psycopg.OperationalError, match=REFUSED):
        login(cloud, signing, token(signing, anna))
    iam.attach_user_policy(UserName="anna", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert login(cloud, signing, token(signing, anna)) == "etl"


@pytest.mark.parametrize("driver", ["psycopg", "odbc"])
def test_a_pool_gets_in_with_a_new_token_for_each_connection(cloud, signing, driver):
    rds = boto3.Session("drydock", "drydock", region_name="us-east-1").client(
        "rds", endpoint_url=cloud.endpoint
    )
    place = signing["Endpoint"]
    source = TokenSource(rds, place["Address"], place["Port"], "etl", "library")
    engine = pool(source, cloud.home / "rds" / "ca.pem", driver=driver)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "etl"
    engine.dispose()
    refused = TokenSource(rds, place["Address"], place["Port"] + 1, "etl", "library")()
    with pytest.raises(LoginRefused, match="refuses user etl") as error:
        native.connect(replace(refused, port=place["Port"]), cloud.home / "rds" / "ca.pem")
    assert error.value.sqlstate == "28000"
    assert refused.password not in str(error.value)


@pytest.mark.parametrize(
    "policy",
    [
        {"effect": "Deny"},
        {"action": "rds:*"},
        {"resource": "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-OTHER/etl"},
        {"resource": "arn:aws:rds-db:us-east-1:123456789012:dbuser:*/plain"},
    ],
    ids=["denied", "other action", "other database", "other user"],
)
def test_the_role_needs_rds_db_connect_on_that_user(cloud, signing, session, policy, request):
    role = session(f"rds-{request.node.callspec.id.replace(' ', '-')}", **policy)
    with pytest.raises(psycopg.OperationalError, match=REFUSED) as error:
        login(cloud, signing, token(signing, role))
    assert "X-Amz" not in str(error.value)
    wait_for(
        lambda: "is not authorized to perform rds-db:connect" in log(cloud), "the reason in the log"
    )


def test_what_is_not_good_about_a_token(cloud, signing, session):
    port = signing["Endpoint"]["Port"]
    good = token(signing)
    stranger = boto3.Session("drydock", "guessed", region_name="us-east-1")
    unknown = boto3.Session("AKIAUNKNOWNUNKNOWN00", "secret", region_name="us-east-1")
    role = session("rds-whole")
    stolen = role.get_credentials()
    half = boto3.Session(stolen.access_key, stolen.secret_key, region_name="us-east-1")
    for bad in (
        "a-password",
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace("X-Amz-Expires=900", "X-Amz-Expires=90000"),
        good.replace("127.0.0.1", "localhost"),
        token(signing, DBUsername="plain"),
        token(signing, Port=port + 1),
        token(signing, DBHostname="db.example"),
        token(signing, Region="eu-west-1"),
        token(signing, stranger),
        token(signing, unknown),
        token(signing, half),
        "127.0.0.1/?" + "X-Amz-Signature=1",
    ):
        with pytest.raises(psycopg.OperationalError, match=REFUSED) as error:
            login(cloud, signing, bad)
        assert error.value.__class__.__name__ == "OperationalError"
    assert login(cloud, signing, good) == "etl"
    assert good not in log(cloud)


@pytest.mark.parametrize(("minutes", "good"), [(-16, False), (-14, True), (4, True), (6, False)])
def test_a_token_is_good_for_fifteen_minutes(cloud, signing, monkeypatch, minutes, good):
    signed = signed_at(datetime.now(UTC) + timedelta(minutes=minutes), signing, monkeypatch)
    assert parse_qs(signed)["X-Amz-Expires"] == ["900"]
    if good:
        assert login(cloud, signing, signed) == "etl"
    else:
        with pytest.raises(psycopg.OperationalError, match=REFUSED):
            login(cloud, signing, signed)


def signed_at(moment, instance, monkeypatch):
    """A token as a clock of another time would have signed it."""
    add_auth = SigV4QueryAuth._modify_request_before_signing

    def stamped(self, request):
        request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
        return add_auth(self, request)

    with monkeypatch.context() as patch:
        patch.setattr(SigV4QueryAuth, "_modify_request_before_signing", stamped)
        return token(instance)


def test_a_token_needs_tls_even_where_a_password_does_not(cloud, rds, signing):
    group = "without-tls"
    rds.create_db_parameter_group(
        DBParameterGroupName=group, DBParameterGroupFamily="postgres15", Description="a test's"
    )
    rds.modify_db_instance(DBInstanceIdentifier="signing", DBParameterGroupName=group)
    wait_available(rds, "signing")
    plaintext = {"sslmode": "disable", "sslrootcert": None}
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry .* no encryption"):
        connect(cloud, signing, user="plain", password="a-password", **plaintext)
    force_ssl(rds, group, "0")
    wait_for(lambda: lets_in(cloud, signing, user="plain", **plaintext), "TLS no longer forced")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba.conf rejects .* no encryption"):
        connect(cloud, signing, user="etl", password=token(signing), **plaintext)
    assert login(cloud, signing, token(signing)) == "etl"
    force_ssl(rds, group, "1")
    wait_for(lambda: not lets_in(cloud, signing, user="plain", **plaintext), "TLS forced again")


def force_ssl(rds, group, value):
    changed = {
        "ParameterName": "rds.force_ssl",
        "ParameterValue": value,
        "ApplyMethod": "immediate",
    }
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[changed])


def lets_in(cloud, instance, **who):
    try:
        connect(cloud, instance, password="a-password", **who).close()
    except psycopg.OperationalError as error:
        assert "no encryption" in str(error)
        return False
    return True


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_conections", "5", "Could not find parameter with name: max_conections"),
        ("max_connections", "many", "allowed values are: 1-262143"),
        ("rds.force_ssl", "2", "allowed values are: 0-1"),
        ("archive_command", "rm", "cannot be modified"),
        ("port", "1", "cannot be modified"),
        ("autovacuum", "perhaps", "allowed values are: boolean"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(rds, signing, name, value, said):
    with pytest.raises(ClientError, match=said):
        rds.modify_db_parameter_group(
            DBParameterGroupName="without-tls",
            Parameters=[{"ParameterName": name, "ParameterValue": value}],
        )


def test_switching_it_off_and_on(cloud, rds, signing):
    for enabled in (False, True):
        rds.modify_db_instance(
            DBInstanceIdentifier="signing", EnableIAMDatabaseAuthentication=enabled
        )
        now = wait_available(rds, "signing")
        assert now["IAMDatabaseAuthenticationEnabled"] is enabled
        if enabled:
            assert login(cloud, now, token(now)) == "etl"
        else:
            with pytest.raises(psycopg.OperationalError, match="authentication failed"):
                login(cloud, now, token(now))
    assert described(rds, "signing")["DbiResourceId"] == signing["DbiResourceId"]


def log(cloud):
    folder = cloud.home / "rds" / "signing"
    return (cloud.home / "server.log").read_text() + (folder / "postgresql.log").read_text()
