"""A bucket, a PostgreSQL with TLS and the raw objects, for tests that run the ETL program."""

import os
import secrets
import signal
import subprocess
import sys
from dataclasses import replace

import boto3
import psycopg
import pytest
from etl_support import PASSWORD, PROGRAM, TABLES, Database, Lake, monthly_objects, source_file
from moto.server import ThreadedMotoServer
from postgres_server import running


@pytest.fixture(scope="session")
def raw() -> dict[str, bytes]:
    """The twelve raw objects by month."""
    return monthly_objects()


@pytest.fixture(scope="session")
def s3():
    """A boto3 client of an S3 of this machine."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="drydock",
        aws_secret_access_key="drydock",
    )
    server.stop()


@pytest.fixture
def lake(s3) -> Lake:
    bucket = f"lake-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=bucket)
    return Lake(s3, bucket)


@pytest.fixture(scope="session")
def server() -> Database:
    """PostgreSQL with the four tables; removed with its data at the end."""
    with running() as (port, password, certificate):
        database = Database(port, password, certificate)
        with database.admin("postgres") as connection:
            connection.execute("CREATE DATABASE lookup")
            connection.execute(
                psycopg.sql.SQL("CREATE ROLE etl LOGIN PASSWORD {}").format(PASSWORD)
            )
        with database.admin() as connection:
            for table, columns in TABLES.items():
                connection.execute(f"CREATE TABLE {table} ({columns})")
                connection.execute(f"GRANT SELECT ON {table} TO etl")
                copy = f"COPY {table} FROM STDIN (FORMAT csv, HEADER, NULL 'NA')"
                with connection.cursor().copy(copy) as lines:
                    lines.write(source_file(f"{table}.csv").read_bytes())
        yield database


@pytest.fixture
def database(server):
    """A copy of the tables that a test may change."""
    name = f"copy_{secrets.token_hex(4)}"
    with server.admin("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE lookup")
        yield replace(server, dbname=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def environment(lake, server) -> dict[str, str]:
    """What a task's environment holds."""
    return {
        "PATH": os.environ["PATH"],
        "LAKE_BUCKET": lake.bucket,
        "DB_SECRET": server.secret(),
        "AWS_ENDPOINT_URL": lake.s3.meta.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "drydock",
        "AWS_SECRET_ACCESS_KEY": "drydock",
    } | {name: os.environ[name] for name in ("CONDA_PREFIX",) if name in os.environ}


@pytest.fixture
def etl(environment):
    """Run the program as a task does; changes to its environment by keyword."""

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "etl", *arguments],
            cwd=PROGRAM,
            env=environment | changes,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="session", autouse=True)
def java():
    """Start the one JVM of this process as drydock does, whose tests may follow in the process."""
    from drydock.connect import java

    java.start()


@pytest.fixture
def main(environment, monkeypatch, capfd):
    """Call the program's main in this process: the same answers as `etl` gives, sooner."""
    from etl.__main__ import main

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for name in [name for name in os.environ if name.startswith(("AWS_", "PG"))]:
        monkeypatch.delenv(name)

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess:
        for name, value in (environment | changes).items():
            monkeypatch.setenv(name, value)
        boto3.DEFAULT_SESSION = None
        code = main(list(arguments))
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
