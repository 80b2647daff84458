"""The monthly ETL of lesson 1 as a Glue job: the rows of the pandas oracle, out of Spark."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from glue_lab import LOGS, GlueLab, allow, aws
from polars.testing import assert_frame_equal

from drydock.images import CONTAINERS
from drydock.lab import open_lab
from drydock.pipeline import lookup_database, raw_data

MONTH = "2013-02"
BROKEN_LINE = 100
MODULES = ("flights.py", "flights_sql.py", "lookup_tables.py")


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """The month as an object; one line has a tail number that is none."""
    ((month, body),) = raw_data.monthly_objects([MONTH])
    lines = gzip.decompress(body).decode().splitlines()
    fields = lines[BROKEN_LINE - 1].split(",")
    fields[11] = "N?"
    lines[BROKEN_LINE - 1] = ",".join(fields)
    folder = tmp_path_factory.mktemp("raw")
    (folder / f"{month}.csv.gz").write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))
    return folder


@pytest.fixture(scope="module")
def glue(cloud, raw) -> GlueLab:
    return GlueLab("glue-etl", "glue-etl")


@pytest.fixture(scope="module")
def secret(glue) -> str:
    lab = open_lab()
    instance = lookup_database.create_instance(lab, print)
    lookup_database.load_lookups(lab, instance, print)
    glue.put("authority.pem", Path(lab.certificates).read_text())
    return lookup_database.create_reader(lab, instance)


@pytest.fixture(scope="module")
def month(glue, raw, secret) -> dict:
    """The run, when it has ended."""
    body = (raw / f"{MONTH}.csv.gz").read_bytes()
    glue.s3.put_object(Bucket=glue.bucket, Key=f"raw/flights/{MONTH}.csv.gz", Body=body)
    spark = CONTAINERS / "spark"
    modules = [glue.put(f"modules/{name}", (spark / name).read_text()) for name in MODULES]
    lake = f"arn:aws:s3:::{glue.bucket}"
    role = glue.make_role(
        "glue-flights",
        allow("s3:ListBucket", lake),
        allow(
            "s3:GetObject",
            [f"{lake}/{part}" for part in ("raw/*", "scripts/*", "modules/*", "authority.pem")],
        ),
        allow("s3:PutObject", f"{lake}/spark/*"),
        allow("secretsmanager:GetSecretValue", secret),
        allow(LOGS, "arn:aws:logs:*:*:*:/aws-glue/*"),
    )
    name = glue.job(
        "monthly",
        (spark / "glue_flights.py").read_text(),
        "glueetl",
        Role=role,
        DefaultArguments={
            "--extra-py-files": ",".join(modules),
            "--conf": "spark.sql.shuffle.partitions=4",
            "--bucket": glue.bucket,
            "--secret": secret,
            "--authority": f"s3://{glue.bucket}/authority.pem",
        },
    )
    run = glue.run(name, Arguments={"--months": MONTH})
    assert run["JobRunState"] == "SUCCEEDED", json.dumps(glue.said(run["Id"]))
    return run


def test_a_glue_job_writes_the_rows_of_the_pandas_oracle(glue, raw, month, tmp_path):
    lookups = raw_data.source_file("airlines.csv").parent
    program = CONTAINERS / "etl" / "plain_pandas.py"
    subprocess.run([sys.executable, program, raw, lookups, tmp_path], check=True)
    theirs = pl.read_parquet(tmp_path / f"month={MONTH}" / "flights.parquet")
    mine = pl.read_parquet(io.BytesIO(glue.get(f"spark/flights/month={MONTH}/flights.parquet")))
    mine = mine.select(theirs.columns).cast(dict(theirs.schema)).sort("flight_key")
    assert_frame_equal(mine, theirs.sort("flight_key"), check_exact=True)


def test_its_bad_row_is_in_quarantine(glue, month):
    lines = glue.get(f"spark/quarantine/month={MONTH}/rows.jsonl").splitlines()
    assert [(row["line"], row["reason"]) for row in map(json.loads, lines)] == [
        (BROKEN_LINE, "tailnum")
    ]


def test_its_output_says_so_and_the_password_is_in_no_log(glue, month, secret):
    said = glue.said(month["Id"])
    assert said["/aws-glue/jobs/output"][-1] == "all: 24,950 rows written, 1 in quarantine"
    text = aws("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    assert json.loads(text)["password"] not in json.dumps(said)
