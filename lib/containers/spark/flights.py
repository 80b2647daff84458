"""The monthly ETL in Spark: raw flights from S3, lookup tables over JDBC, Parquet by month.

    spark-submit flights.py BUCKET SECRET [MONTH ...]        2013-01 2013-02 ...; without: all

Writes `spark/flights/month=2013-01/flights.parquet`, and rows that fail a check with the reason to
`spark/quarantine/month=2013-01/rows.jsonl`. A month is replaced as a whole, so that a run which
died is safe to repeat. Executors read and write S3 with boto3, so no Hadoop file system is needed.
"""

import gzip
import io
import json
import re
import sys
from collections.abc import Iterator

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from flights_sql import LOOKUP_COLUMNS, RAW_COLUMNS, checks, curated
from lookup_tables import read_lookups
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import expr

RAW = re.compile(r"raw/flights/(\d{4}-\d{2})\.csv\.gz")
CSV = {"nullValue": "NA", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ssX"}
MIDNIGHT = "cast(unix_date(make_date(year, month, day)) AS bigint) * 86400"
HOURS_AHEAD = f"((unix_timestamp(time_hour) - {MIDNIGHT}) / 3600 - hour)"


def main(bucket: str, secret: str, *months: str) -> None:
    spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    for table, frame in read_lookups(spark, secret, LOOKUP_COLUMNS).items():
        frame.createOrReplaceTempView(table)
    keys = raw_keys(bucket, months)
    rows = read_raw(spark, bucket, keys).cache()
    bad = write(rows.where("reason IS NOT NULL"), bucket, "quarantine", as_lines)
    rows.where("reason IS NULL").dropDuplicates(
        ["object", "time_hour", "carrier", "flight"]
    ).createOrReplaceTempView("good")
    good = write(transform(spark), bucket, "flights", as_parquet)
    for month in sorted(keys):
        print(f"{month}: {good.get(month, 0):,} rows written, {bad.get(month, 0):,} in quarantine")
    print(f"all: {sum(good.values()):,} rows written, {sum(bad.values()):,} in quarantine")
    spark.stop()


def raw_keys(bucket: str, months: tuple[str, ...]) -> dict[str, str]:
    """Keys of the raw objects by month; ends the program where a month has none."""
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    found = {}
    for page in pages.paginate(Bucket=bucket, Prefix="raw/flights/"):
        for one in page.get("Contents", []):
            if match := RAW.fullmatch(one["Key"]):
                found[match[1]] = one["Key"]
    missing = [month for month in months if month not in found]
    if missing or not found:
        named = ", ".join(missing) or "any month"
        sys.exit(f"no raw object for {named} in s3://{bucket}/raw/flights/: upload it first")
    return {month: key for month, key in found.items() if not months or month in months}


def read_raw(spark: SparkSession, bucket: str, keys: dict[str, str]) -> DataFrame:
    """All rows, each with its `object` (the month), its `line`, and the `reason` it fails, if any.

    One partition for each object: a gzip file cannot be split, so a month is the unit of work.
    """

    def lines(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
        s3 = boto3.client("s3")
        for month, key in pairs:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            text = gzip.decompress(body).decode().splitlines()
            if text[:1] != [",".join(RAW_COLUMNS)]:
                raise ValueError(f"s3://{bucket}/{key}: unexpected header {text[:1]}")
            for number, line in enumerate(text[1:], start=2):
                yield f"{month},{number},{line}"

    columns = {"object": "string", "line": "int", **RAW_COLUMNS, "_corrupt_record": "string"}
    schema = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    objects = spark.sparkContext.parallelize(sorted(keys.items()), len(keys))
    rows = spark.read.options(**CSV, mode="PERMISSIVE").csv(objects.mapPartitions(lines), schema)
    wanted = checks(matches="{} RLIKE '{}'", hours_ahead=HOURS_AHEAD, object_month="object")
    whens = " ".join(f"WHEN NOT coalesce({ok}, false) THEN '{name}'" for name, ok in wanted.items())
    broken = "WHEN _corrupt_record IS NOT NULL THEN 'not a row of 19 columns'"
    return rows.withColumn("reason", expr(f"CASE {broken} {whens} END"))


def transform(spark: SparkSession) -> DataFrame:
    select = curated(
        rows="good",
        epoch_hour="(unix_timestamp(f.time_hour) DIV 3600)",
        carrier_number="cast(conv(f.carrier, 36, 10) AS bigint)",
        sched_dep="timestampadd(MINUTE, f.minute, f.time_hour)",
        speed="floor(cast(distance AS int) * 60 / air_time)",
    )
    return spark.sql(select)


def write(rows: DataFrame, bucket: str, folder: str, encode) -> dict[str, int]:
    """Write each month as one object from an executor; return the rows written by month."""

    def put(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        s3, counts = boto3.client("s3"), {}
        held = [batch for batch in batches if batch.num_rows]
        table = pa.Table.from_batches(held) if held else None
        for month in table["object"].unique().to_pylist() if table else []:
            part = table.filter(pa.compute.equal(table["object"], month)).drop_columns("object")
            name, body = encode(part)
            s3.put_object(Bucket=bucket, Key=f"spark/{folder}/month={month}/{name}", Body=body)
            counts[month] = part.num_rows
        yield pa.record_batch(
            {
                "month": pa.array(list(counts), pa.string()),
                "rows": pa.array(list(counts.values()), pa.int64()),
            }
        )

    months = rows.select("object").distinct().count()
    placed = rows.repartition(max(1, months), "object")
    found = placed.mapInArrow(put, "month string, rows bigint").collect()
    return {row.month: row.rows for row in found}


def as_parquet(table: pa.Table) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    pq.write_table(table.sort_by("flight_key"), buffer, compression="zstd")
    return "flights.parquet", buffer.getvalue()


def as_lines(table: pa.Table) -> tuple[str, bytes]:
    rows = table.select(["line", "reason", "_corrupt_record"]).sort_by("line").to_pylist()
    return "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
