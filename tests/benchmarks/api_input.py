"""The table of the API's benchmark: all flights, as curated Parquet in S3 and as SQLite."""

import hashlib
import json
import sqlite3
import sys
import zipfile
from pathlib import Path

import polars as pl
from etl_input import source

LIB = Path(__file__).parents[2] / "lib" / "containers"
sys.path[:0] = [str(LIB / "api"), str(LIB / "etl")]

from api.store import NAMES, Store  # noqa: E402
from etl.curate import CURATED, to_parquet  # noqa: E402

SAME_NAME = ["flight", "tailnum", "origin", "dest", "distance", "sched_dep_time", "dep_time"]
SAME_NAME += ["dep_delay", "sched_arr_time", "arr_time", "arr_delay", "air_time", "carrier"]


def curated() -> pl.DataFrame:
    """Flights with the names of their airlines and airports; other columns are null."""
    with zipfile.ZipFile(source() / "flights.csv.zip") as archive:
        raw = pl.read_csv(archive.read("flights.csv"), null_values="NA")
    airlines = _names("airlines", "carrier", "carrier_name")
    origins, dests = (_names("airports", "faa", f"{end}_name") for end in ("origin", "dest"))
    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    carrier = pl.col("carrier").map_elements(lambda code: int(code, 36), pl.Int64)
    frame = (
        raw.join(airlines, on="carrier", how="left")
        .join(origins, left_on="origin", right_on="faa", how="left")
        .join(dests, left_on="dest", right_on="faa", how="left")
        .with_columns(
            flight_key=(hour.dt.epoch("s") // 3600 * 10_000 + carrier) * 10_000 + pl.col("flight"),
            flight_date=pl.date("year", "month", "day"),
            sched_dep=hour + pl.duration(minutes="minute"),
            cancelled=pl.col("dep_time").is_null(),
        )
    )
    missing = [pl.lit(None).alias(name) for name in CURATED if name not in frame.columns]
    return frame.with_columns(missing).select(
        "month", *(pl.col(name).cast(kind) for name, kind in CURATED.items())
    )


def _names(table: str, key: str, name: str) -> pl.DataFrame:
    frame = pl.read_csv(source() / f"{table}.csv", null_values="NA")
    return frame.select(key, pl.col("name").alias(name))


def publish(s3, bucket: str, flights: pl.DataFrame) -> None:
    """Publish every month as the ETL does."""
    s3.create_bucket(Bucket=bucket)
    for (number,), rows in flights.group_by("month"):
        month, body = f"2013-{number:02}", to_parquet(rows.drop("month"))
        digest = hashlib.sha256(body).hexdigest()
        key = f"curated/flights/month={month}/flights-{digest[:12]}.parquet"
        manifest = {
            "month": month,
            "rows": {"read": len(rows), "curated": len(rows), "quarantined": 0},
            "file": {"key": key, "bytes": len(body), "sha256": digest},
        }
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        name = f"curated/_manifests/{month}.json"
        s3.put_object(Bucket=bucket, Key=name, Body=json.dumps(manifest).encode())


def write_sqlite(path: Path, flights: pl.DataFrame, scratch: Path) -> list[int]:
    """Write the API's own columns as a table whose key is the API's position; return the keys."""
    from api.manifests import Manifest

    store = Store(scratch / "benchmark.duckdb")
    for (number,), rows in flights.group_by("month"):
        file = scratch / f"{number}.parquet"
        file.write_bytes(to_parquet(rows.drop("month")))
        store.replace([(Manifest(f"2013-{number:02}", "", "", "", len(rows)), file)], [])
        file.unlink()
    with store.cursor() as cursor:
        forms = {"sched_dep": "strftime(sched_dep, '%Y-%m-%dT%H:%M:%SZ')"}
        forms |= {"flight_date": "strftime(flight_date, '%Y-%m-%d')", "cancelled": "cancelled::INT"}
        columns = ", ".join(forms.get(name, name) for name in NAMES)
        found = cursor.execute(f"SELECT position, {columns} FROM flights ORDER BY position")
        with sqlite3.connect(path) as database:
            database.execute(
                f"CREATE TABLE flights (position INTEGER PRIMARY KEY, {', '.join(NAMES)})"
            )
            marks = ", ".join("?" * (len(NAMES) + 1))
            while rows := found.fetchmany(20_000):
                database.executemany(f"INSERT INTO flights VALUES ({marks})", rows)
            keys = [row[0] for row in database.execute("SELECT position FROM flights ORDER BY 1")]
    store.close()
    return keys
