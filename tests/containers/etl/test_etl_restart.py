"""Killed at any moment and run again, the program leaves exactly one copy of each row."""

import gzip
import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from etl_support import PROGRAM

MONTHS = ("2013-01", "2013-02")
# Runs the program and kills it with SIGKILL before its n-th call of S3.
KILLED = """
import os, signal, sys
import etl.__main__, etl.store
left = int(sys.argv[1])
def killing(method):
    def call(*arguments):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*arguments)
    return call
for name in ("keys", "etag", "get", "put", "replace", "delete"):
    setattr(etl.store.S3Store, name, killing(getattr(etl.store.S3Store, name)))
sys.exit(etl.__main__.main(sys.argv[2:]))
"""
# Runs the program and prints the peak of its own memory in kB.
MEASURED = """
import sys, etl.__main__
code = etl.__main__.main(sys.argv[1:])
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
sys.exit(code)
"""


def whole(lake, months) -> int:
    """Rows of `months`, after checking that what is published is whole and there once."""
    keys = lake.keys("curated/")
    rows = pl.concat(
        pl.read_parquet(io.BytesIO(lake.get(key))) for key in keys if key.endswith(".parquet")
    )
    assert rows["flight_key"].is_unique().all()
    no_manifest_lies(lake)
    assert len(keys) == 2 * len(months)
    named = [lake.manifest(month)["quarantine"] for month in months]
    assert lake.keys("quarantine/") == [key for key in named if key]
    return rows.height


def no_manifest_lies(lake) -> None:
    """Every published month can be read, and its quarantined rows are as many as it says."""
    for key in lake.keys("curated/_manifests/"):
        manifest = lake.json(key)
        curated = lake.get(manifest["file"]["key"])
        assert manifest["file"]["sha256"] == hashlib.sha256(curated).hexdigest()
        aside = manifest["quarantine"]
        lines = lake.get(aside).splitlines() if aside else []
        assert len(lines) == manifest["rows"]["quarantined"]


def damaged(data: bytes) -> bytes:
    """A raw object with two bad lines in place of good ones."""
    lines = gzip.decompress(data).split(b"\n")
    lines[9], lines[20] = b"rubbish", b"more"
    return gzip.compress(b"\n".join(lines))


@pytest.mark.parametrize("first", ["nothing", "good", "bad"])
def test_killed_at_each_step_and_run_again(main, lake, raw, environment, first):
    """Whatever a month held before, at each step it holds that or what is new, and can be read."""
    month, old = "2013-02", None
    good, bad = raw[month], damaged(raw[month])
    if first != "nothing":
        lake.put_raw(month, good if first == "good" else bad)
        assert main(month).returncode == 0
        old = lake.manifest(month)
    lake.put_raw(month, bad if first == "good" else good)
    steps, published = 0, []
    while True:
        steps += 1
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(steps), month],
            cwd=PROGRAM,
            env=environment,
            capture_output=True,
        )
        no_manifest_lies(lake)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        names = lake.keys("curated/_manifests/")
        published.append(bool(names) and lake.manifest(month) != old)
    assert published == sorted(published), "it went back to the old rows"
    assert published[:3] == [False] * 3, "published before the file was read back"
    assert whole(lake, [month]) == (24_949 if first == "good" else 24_951)


def test_another_task_publishes_the_month_between_any_two_steps(main, lake, raw, monkeypatch):
    """Both succeed, what is published is there, and is of the input as it is now."""
    from etl.store import S3Store

    month = "2013-02"
    good, bad = raw[month], damaged(raw[month])
    left = 0

    def meddling(method):
        def call(*arguments):
            nonlocal left
            left -= 1
            if left == 0:
                lake.put_raw(month, bad)
                assert main(month).returncode == 0
                no_manifest_lies(lake)
            return method(*arguments)

        return call

    for name in ("keys", "etag", "get", "put", "replace", "delete"):
        monkeypatch.setattr(S3Store, name, meddling(getattr(S3Store, name)))
    for step in range(1, 40):
        lake.put_raw(month, good)
        left = step
        done = main(month)
        assert done.returncode == 0, done.stderr
        assert whole(lake, [month]) == (24_951 if left > 0 else 24_949)
        if left > 0:
            break
    assert step > 8, "the other task came between too few steps"


def test_a_month_is_one_file_for_who_reads_the_folders(main, lake, raw):
    """Readers without manifests, such as Athena, read all that lies in the month's folder."""
    for data in (raw["2013-02"], damaged(raw["2013-02"]), raw["2013-02"]):
        lake.put_raw("2013-02", data)
        lake.put("curated/flights/month=2013-02/flights.parquet", b"what an older version left")
        assert main("2013-02").returncode == 0
        assert lake.keys("curated/flights/") == [lake.manifest("2013-02")["file"]["key"]]


def test_killed_at_random_moments_and_run_again(main, lake, raw, environment):
    for month in MONTHS:
        lake.put_raw(month, raw[month])
    moments = random.Random(13)
    for _ in range(6):
        task = subprocess.Popen(
            [sys.executable, "-m", "etl", *MONTHS],
            cwd=PROGRAM,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0, 1.2))
        task.kill()
        task.wait()
        no_manifest_lies(lake)
    assert main(*MONTHS).returncode == 0
    assert whole(lake, MONTHS) == 27_004 + 24_951


def test_two_at_once_leave_one_copy(lake, raw, environment):
    lake.put_raw("2013-02", raw["2013-02"])
    tasks = [
        subprocess.Popen(
            [sys.executable, "-m", "etl", "2013-02"],
            cwd=PROGRAM,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    assert [task.wait() for task in tasks] == [0, 0]
    assert whole(lake, ["2013-02"]) == 24_951


@pytest.mark.parametrize("driver", ["odbc", "jdbc"])  # Java has handlers of its own
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_by_a_signal(lake, raw, environment, number, code, driver):
    for month, data in raw.items():
        lake.put_raw(month, data)
    task = subprocess.Popen(
        [sys.executable, "-m", "etl", *raw],
        cwd=PROGRAM,
        env=environment | {"DATABASE_DRIVER": driver},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    task.stdout.readline()  # the lookups are read: now it is at work
    os.kill(task.pid, number)
    _, error = task.communicate(timeout=20)
    assert task.returncode == code
    assert error.count("\n") == 1
    assert error.startswith(f"etl: stopped by {number.name}")
    no_manifest_lies(lake)


def test_a_file_that_the_store_changed_is_not_published(main, lake, raw, monkeypatch):
    from etl.store import S3Store

    lake.put_raw("2013-02", raw["2013-02"])
    honest = S3Store.put
    monkeypatch.setattr(S3Store, "put", lambda store, key, data: honest(store, key, data[:-1]))
    done = main("2013-02")
    assert done.returncode == 3
    assert "is not what was written" in done.stderr
    assert lake.keys("curated/_manifests/") == []


def test_memory_does_not_grow_with_the_number_of_objects(lake, raw, environment):
    lines = gzip.decompress(raw["2013-02"])
    months = []
    for year in range(2013, 2043):
        shifted = lines.replace(b"\n2013,", b"\n%d," % year).replace(b",2013-", b",%d-" % year)
        months.append(f"{year}-02")
        lake.put_raw(months[-1], gzip.compress(shifted, 1))

    def peak(count: int) -> int:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *months[:count]],
            cwd=PROGRAM,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout.split()[-1])

    # Ten times the objects: what the allocator keeps differs a little, an object is about 20 MB.
    assert peak(30) < peak(3) + 40_000
