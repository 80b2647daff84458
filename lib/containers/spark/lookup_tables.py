"""The lookup tables from PostgreSQL with Spark's own JDBC source, weather in parallel."""

import json
import os

import boto3
from pyspark.sql import DataFrame, SparkSession

# Weather is the one table worth several connections: a month is a partition's unit.
PARTITIONS = {
    "weather": {
        "partitionColumn": "month",
        "lowerBound": "1",
        "upperBound": "13",
        "numPartitions": "4",
    }
}
NEEDED = ("host", "port", "username", "password", "dbname")


def read_lookups(
    spark: SparkSession, secret: str, tables: dict[str, dict[str, str]]
) -> dict[str, DataFrame]:
    """Frames by table, with the columns named. `secret` is the id of a secret in RDS's format,
    which only the driver reads; PGSSLROOTCERT names the authority that the server is verified
    with."""
    login = read_secret(secret)
    settings = {
        "url": url(login),
        "user": login["username"],
        "password": login["password"],
        "driver": "org.postgresql.Driver",
        "fetchsize": "10000",
    }
    return {
        table: spark.read.format("jdbc")
        .options(**settings, **PARTITIONS.get(table, {}))
        .option("dbtable", f"(SELECT {', '.join(columns)} FROM {table}) AS {table}")
        .load()
        for table, columns in tables.items()
    }


def read_secret(secret: str) -> dict[str, str]:
    text = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    values = json.loads(text)
    missing = [name for name in NEEDED if name not in values]
    if missing:
        raise SystemExit(f"secret {secret} has no {', '.join(missing)}: it is not in RDS's format")
    return values


def url(login: dict[str, str]) -> str:
    address = f"jdbc:postgresql://{login['host']}:{login['port']}/{login['dbname']}"
    authority = os.environ.get("PGSSLROOTCERT")
    return f"{address}?sslmode=verify-full&sslrootcert={authority}" if authority else address
