"""A search for passwords and tokens in all that the local cloud keeps, logs, shows and runs."""

import os

import boto3
import psutil
import psycopg
import pytest
from rds_orders import ORDER, connect, wait_available

from drydock import cloud as local_cloud

FIRST, SECOND, WRONG = "canary-first-9d2c", "canary-second-51ab", "canary-wrong-77e0"


def test_no_password_is_in_any_file_log_or_process(home):
    info = local_cloud.start(home, port=0)
    rds = boto3.client(
        "rds",
        endpoint_url=info.endpoint,
        region_name="us-east-1",
        aws_access_key_id="drydock",
        aws_secret_access_key="drydock",
    )
    order = {"MasterUserPassword": FIRST, "EnableIAMDatabaseAuthentication": True}
    made = rds.create_db_instance(**ORDER | order)
    instance = wait_available(rds)
    place = instance["Endpoint"]
    token = rds.generate_db_auth_token(place["Address"], place["Port"], "etl")
    with connect(info, instance, password=FIRST) as connection:
        connection.execute("CREATE USER etl")
        connection.execute("GRANT rds_iam TO etl")
        connect(info, instance, user="etl", password=token).close()
        with pytest.raises(psycopg.OperationalError):
            connect(info, instance, password=WRONG)
        with pytest.raises(psycopg.OperationalError):
            connect(info, instance, user="etl", password=WRONG)
        with pytest.raises(psycopg.OperationalError):
            connect(info, instance, user="etl", password=token.replace("900", "901"))
        server = psutil.Process(info.pid)
        running = [_shown(process) for process in [server, *server.children(recursive=True)]]
    changed = rds.modify_db_instance(DBInstanceIdentifier="books", MasterUserPassword=SECOND)
    connect(info, wait_available(rds), password=SECOND).close()
    local_cloud.stop(home)  # which writes all that is still in memory

    signature = token.rpartition("=")[2]
    hidden = [word.encode() for word in (FIRST, SECOND, WRONG, signature)]
    assert (
        len([one for one in running if one]) > 5
    )  # the server, its door, PostgreSQL and what that forks
    seen = [str(made).encode(), str(changed).encode(), *running]
    assert not [text for text in seen if any(word in text for word in hidden)]
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"server.log", "postgresql.log", "plan.json"} <= {path.name for path in files}
    assert not [path for path in files if any(word in path.read_bytes() for word in hidden)]


def _shown(process):
    try:
        words = [*process.cmdline(), *(f"{k}={v}" for k, v in process.environ().items())]
    except psutil.NoSuchProcess:  # PostgreSQL forks for a moment's work
        return b""
    return os.fsencode("\n".join(words))
