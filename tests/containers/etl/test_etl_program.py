"""The program on all of the data, over both drivers, against the plain pandas version."""

import gzip
import hashlib
import io
import subprocess
import sys

import pandas as pd
import polars as pl
import pytest
from dockerfile_parse import DockerfileParser
from etl_support import PROGRAM, source_file
from polars.testing import assert_frame_equal

MONTHS = [f"2013-{number:02}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def plain(raw, tmp_path_factory):
    """Folder with what the plain pandas version makes of all months."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "raw").mkdir()
    for month, data in raw.items():
        (folder / "raw" / f"{month}.csv.gz").write_bytes(data)
    subprocess.run(
        [
            sys.executable,
            PROGRAM / "plain_pandas.py",
            folder / "raw",
            source_file("airlines.csv").parent,
            folder / "out",
        ],
        check=True,
    )
    return folder / "out"


def test_all_months_give_the_rows_of_the_plain_version(etl, lake, raw, plain):
    for month, data in raw.items():
        lake.put_raw(month, data)
    done = etl(*MONTHS)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1 + len(MONTHS)
    rows = 0
    for month in MONTHS:
        mine = pl.read_parquet(io.BytesIO(lake.curated(month))).cast({pl.Categorical: pl.String})
        theirs = pl.read_parquet(plain / f"month={month}" / "flights.parquet")
        assert mine.schema == theirs.schema
        assert_frame_equal(mine, theirs, check_exact=True)
        rows += mine.height
    assert rows == 336_776


def test_both_drivers_give_the_same_bytes(etl, lake, raw):
    """The whole year: what is published over JDBC is what is published over ODBC."""
    for month, data in raw.items():
        lake.put_raw(month, data)
    published = []
    for driver in ("odbc", "jdbc"):
        done = etl(*MONTHS, DATABASE_DRIVER=driver)
        assert (done.returncode, done.stderr) == (0, "")
        published.append([hashlib.sha256(lake.curated(month)).hexdigest() for month in MONTHS])
    assert published[0] == published[1]


def test_totals_are_those_of_the_raw_data(etl, lake, raw):
    month = "2013-02"
    lake.put_raw(month, raw[month])
    assert etl(month).returncode == 0
    manifest, flights = lake.manifest(month), pd.read_csv(io.BytesIO(gzip.decompress(raw[month])))
    assert manifest["rows"] == {"read": len(flights), "curated": 24_951, "quarantined": 0}
    assert manifest["cancelled"] == flights["dep_time"].isna().sum() == 1261
    summed = ("dep_delay", "arr_delay", "distance")
    assert manifest["sums"] == {name: int(flights[name].sum()) for name in summed}


def test_manifest_describes_source_and_file(etl, lake, raw):
    month = "2013-02"
    lake.put_raw(month, raw[month])
    assert etl(month).returncode == 0
    manifest, curated = lake.manifest(month), lake.curated(month)
    digest = hashlib.sha256(curated).hexdigest()
    key = f"curated/flights/month={month}/flights-1-{digest[:12]}.parquet"
    assert manifest["file"] == {"key": key, "bytes": len(curated), "sha256": digest}
    etag = hashlib.md5(raw[month]).hexdigest()
    source = f"raw/flights/{month}.csv.gz"
    assert manifest["source"] == {"key": source, "etag": etag, "bytes": len(raw[month])}
    assert (manifest["month"], manifest["program"], manifest["quarantine"]) == (month, "etl", None)
    assert lake.keys("quarantine/") == []


def test_the_same_input_gives_the_same_bytes_whatever_ran_before(etl, lake, raw):
    for month in ("2013-01", "2013-02"):
        lake.put_raw(month, raw[month])
    assert etl("2013-02").returncode == 0
    first = lake.curated("2013-02"), lake.manifest("2013-02")
    assert etl("2013-01", "2013-02", "2013-01").returncode == 0
    assert (lake.curated("2013-02"), lake.manifest("2013-02")) == first


def test_no_flight_is_lost_for_want_of_an_airport_a_plane_or_weather(etl, lake, raw):
    lake.put_raw("2013-12", raw["2013-12"])
    assert etl("2013-12").returncode == 0
    curated = pl.read_parquet(io.BytesIO(lake.curated("2013-12")))
    flights = pd.read_csv(io.BytesIO(gzip.decompress(raw["2013-12"])))
    known = {
        column: pd.read_csv(source_file(f"{table}.csv"))[key]
        for column, table, key in (("dest", "airports", "faa"), ("tailnum", "planes", "tailnum"))
    }
    assert curated.height == len(flights)
    assert curated["dest_name"].null_count() == (~flights["dest"].isin(known["dest"])).sum() > 0
    without_plane = (~flights["tailnum"].isin(known["tailnum"])).sum()
    assert curated["plane_manufacturer"].null_count() == without_plane > 0
    # The weather ends on 30 December.
    assert curated["temp"].null_count() > 700


def test_times_are_utc_whatever_the_time_zone_of_the_database(etl, lake, raw):
    lake.put_raw("2013-07", raw["2013-07"])
    assert etl("2013-07", TZ="Asia/Tokyo").returncode == 0
    first = pl.read_parquet(io.BytesIO(lake.curated("2013-07"))).row(0, named=True)
    # 20:29 in New York is 00:29 UTC of the next day; the weather is of that hour.
    assert first["sched_dep"].isoformat() == "2013-07-02T00:29:00+00:00"
    assert (first["origin"], first["temp"]) == ("JFK", 71.96)


def test_flight_key_is_unique_and_exact_in_json(etl, lake, raw):
    lake.put_raw("2013-07", raw["2013-07"])
    assert etl("2013-07").returncode == 0
    curated = pl.read_parquet(io.BytesIO(lake.curated("2013-07")))
    assert curated["flight_key"].is_unique().all()
    assert curated["flight_key"].max() < 2**53
    in_time = curated.sort("flight_key")["sched_dep"].dt.truncate("1h")
    assert in_time.is_sorted()


def test_requirements_of_the_image_are_those_of_the_lock():
    lock = (PROGRAM.parents[2] / "requirements.lock").read_text().lower()
    lines = (PROGRAM / "requirements.txt").read_text().lower().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) == 5
    assert [pin for pin in pins if f"\n{pin} " not in f"\n{lock}"] == []


def test_the_image_runs_the_program():
    image = DockerfileParser(str(PROGRAM / "Dockerfile"))
    by_name = {step["instruction"]: step["value"] for step in image.structure}
    assert by_name["ENTRYPOINT"] == '["python", "-m", "etl"]'
    assert by_name["WORKDIR"] == "/app"
    assert by_name["ARG"].startswith("BASE=")
    assert by_name["USER"] != "root"


def test_the_image_with_jdbc_adds_to_the_image_of_the_etl():
    folder = PROGRAM.parent / "etl_jdbc"
    image = DockerfileParser(str(folder / "Dockerfile"))
    steps = [(step["instruction"], step["value"]) for step in image.structure]
    assert ("FROM", "${BASE}") in steps
    assert ("ENV", "DATABASE_DRIVER=jdbc") in steps
    assert [value for name, value in steps if name == "USER"] == ["root", "etl"]
    lock = (PROGRAM.parents[2] / "requirements.lock").read_text().lower()
    pin = (folder / "requirements.txt").read_text().splitlines()[-1].lower()
    assert f"\n{pin} " in lock
