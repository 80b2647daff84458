"""The lookup tables in a real PostgreSQL that RDS starts: airlines, airports, planes, weather."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from drydock.connect.secrets import DatabaseSecret, read_secret
from drydock.errors import DrydockError
from drydock.lab import Lab
from drydock.pipeline.raw_data import LOOKUP_TABLES, source_file

INSTANCE = "drydock-lookup"
DATABASE = "lookup"
MASTER = "drydock_admin"
READER = "etl"
READER_SECRET = "drydock/lookup/etl"
TABLES_SQL = Path(__file__).parents[3] / "data" / "lookup_tables.sql"

Say = Callable[[str], None]


class DatabaseFailed(DrydockError):
    """RDS could not bring the database up."""


def create_instance(lab: Lab, say: Say) -> dict:
    """Return the available instance `drydock-lookup`; create it, or start it, when it has to be.

    The master password is made and kept by RDS in Secrets Manager (ManageMasterUserPassword). An
    instance that has failed is made anew: all that it holds comes from the source.
    """
    rds = lab.client("rds")
    status = _settled_status(rds)
    if status == "failed":
        say(f"the database {INSTANCE} is damaged: it is made anew")
        rds.delete_db_instance(DBInstanceIdentifier=INSTANCE, SkipFinalSnapshot=True)
        status = _settled_status(rds)
    if status == "stopped":
        say(f"starting the database {INSTANCE}, which was stopped")
        rds.start_db_instance(DBInstanceIdentifier=INSTANCE)
    elif status is None:
        say(f"creating the database {INSTANCE} (PostgreSQL)")
        rds.create_db_instance(
            DBInstanceIdentifier=INSTANCE,
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20,
            DBName=DATABASE,
            MasterUsername=MASTER,
            ManageMasterUserPassword=True,
            PubliclyAccessible=False,
        )
    if _settled_status(rds) != "available":
        reasons = [info["Message"] for info in _describe(rds).get("StatusInfos", [])]
        raise DatabaseFailed(
            f"the database {INSTANCE} does not start: {'; '.join(reasons)}; "
            "mend that, then type: drydock run"
        )
    return _describe(rds)


def load_lookups(lab: Lab, instance: dict, say: Say) -> dict[str, int]:
    """Load the four tables with COPY, in one transaction; return the rows of each.

    Tables that hold what was loaded from the same source are left alone: a second call is quick,
    and a table in which somebody changed a value is loaded again.
    """
    expected = {table: _source_rows(table) for table in LOOKUP_TABLES}
    with _connect_as_master(lab, instance) as connection:
        connection.execute("SET timezone = 'UTC'")  # rows are compared as text
        if not all(_is_as_loaded(connection, table) for table in LOOKUP_TABLES):
            say(f"loading {sum(expected.values()):,} lookup rows with COPY")
            for table in LOOKUP_TABLES:
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
            connection.execute(TABLES_SQL.read_text())
            for table, rows in expected.items():
                if _copy(connection, table) != rows:
                    raise RuntimeError(f"COPY did not load every row into {INSTANCE}.{table}")
                _remember(connection, table)
    return expected


def create_reader(lab: Lab, instance: dict) -> str:
    """Give the ETL task a user that may only read; return the ARN of its secret.

    The password is made by Secrets Manager and kept nowhere else. When secret and database disagree
    (one of them was restored or half-made), the database is brought back to the secret.
    """
    secrets = lab.client("secretsmanager")
    endpoint = instance["Endpoint"]
    try:
        secret = read_secret(secrets, READER_SECRET)
    except secrets.exceptions.ResourceNotFoundException:
        password = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)
        secret = _reader_secret(endpoint, password["RandomPassword"])
        secrets.create_secret(Name=READER_SECRET, SecretString=secret.to_json())
    if (secret.host, secret.port) != (endpoint["Address"], endpoint["Port"]):
        secret = _reader_secret(endpoint, secret.password)
        secrets.put_secret_value(SecretId=READER_SECRET, SecretString=secret.to_json())
    with _connect_as_master(lab, instance) as connection:
        _grant_reading(connection, secret.password)
    return secrets.describe_secret(SecretId=READER_SECRET)["ARN"]


def _settled_status(rds) -> str | None:
    """Wait out what is under way; return "available", "stopped", "failed", or None: no instance."""
    while True:
        try:
            status = _describe(rds)["DBInstanceStatus"]
        except rds.exceptions.DBInstanceNotFoundFault:
            return None
        if status in ("available", "stopped", "failed"):
            return status
        time.sleep(0.25)


def _describe(rds) -> dict:
    return rds.describe_db_instances(DBInstanceIdentifier=INSTANCE)["DBInstances"][0]


def _reader_secret(endpoint: dict, password: str) -> DatabaseSecret:
    return DatabaseSecret(
        host=endpoint["Address"],
        port=endpoint["Port"],
        username=READER,
        dbname=DATABASE,
        password=password,
    )


def _grant_reading(connection: psycopg.Connection, password: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone()
    verb = sql.SQL("ALTER" if exists else "CREATE")
    role = sql.Identifier(READER)
    # Only the SCRAM verifier travels: a statement's text can end up in the server's log.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), READER.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(verifier))
    )
    connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))


def master_secret(secretsmanager, instance: dict) -> DatabaseSecret:
    """Return where an instance is and its master user, whose password RDS keeps."""
    arn = instance["MasterUserSecret"]["SecretArn"]
    value = json.loads(secretsmanager.get_secret_value(SecretId=arn)["SecretString"])
    return DatabaseSecret(
        host=instance["Endpoint"]["Address"],
        port=instance["Endpoint"]["Port"],
        username=value["username"],
        dbname=instance["DBName"],
        password=value["password"],
    )


def _connect_as_master(lab: Lab, instance: dict) -> psycopg.Connection:
    master = master_secret(lab.client("secretsmanager"), instance)
    return psycopg.connect(
        host=master.host,
        port=master.port,
        dbname=master.dbname,
        user=master.username,
        password=master.password,
        sslmode="verify-full",
        sslrootcert=str(lab.certificates),
        connect_timeout=10,
    )


def _source_rows(table: str) -> int:
    with source_file(f"{table}.csv").open("rb") as lines:
        return sum(1 for _ in lines) - 1


def _is_as_loaded(connection: psycopg.Connection, table: str) -> bool:
    """Whether a table is there and holds what its comment says was loaded into it."""
    comment = connection.execute(
        "SELECT obj_description(to_regclass(%s), 'pg_class')", [table]
    ).fetchone()[0]
    return comment is not None and comment == _checksums(connection, table)


def _remember(connection: psycopg.Connection, table: str) -> None:
    connection.execute(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(
            sql.Identifier(table), sql.Literal(_checksums(connection, table))
        )
    )


def _checksums(connection: psycopg.Connection, table: str) -> str:
    """Checksums of the source file, and of the table's rows as sorted text."""
    source = hashlib.md5(source_file(f"{table}.csv").read_bytes(), usedforsecurity=False)
    query = sql.SQL("SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {} AS t")
    rows = connection.execute(query.format(sql.Identifier(table))).fetchone()[0]
    return f"source {source.hexdigest()}, rows {rows}"


def _copy(connection: psycopg.Connection, table: str) -> int:
    """Load a table from its source file; return how many rows PostgreSQL says it took."""
    statement = sql.SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER, NULL 'NA')")
    with connection.cursor() as cursor:
        with (
            cursor.copy(statement.format(sql.Identifier(table))) as copy,
            source_file(f"{table}.csv").open("rb") as lines,
        ):
            while block := lines.read(1 << 16):
                copy.write(block)
        return cursor.rowcount
