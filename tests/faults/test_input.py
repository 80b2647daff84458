"""Bad input to the whole pipeline: one clear line, nothing lost, and the next run succeeds."""

import gzip
import json

import pytest

from drydock.pipeline import raw_data
from drydock.pipeline.etl_tasks import read_manifest, read_quarantine
from drydock.pipeline.run import TaskFailed, Watcher, run

KEY = raw_data.raw_key("2013-01")


@pytest.fixture(scope="module")
def january() -> bytes:
    return dict(raw_data.monthly_objects())["2013-01"]


def put(lab, body: bytes) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=lab.bucket)
    s3.put_object(Bucket=lab.bucket, Key=KEY, Body=body)


class Break(Watcher):
    """Breaks something once everything is in place, right before the tasks are launched."""

    def __init__(self, break_it):
        self.break_it = break_it

    def expect(self, objects: int, rows: int) -> None:
        self.break_it()


@pytest.mark.parametrize("month", ["2013-13", "1999-01", "hello", ""])
def test_unknown_month(command, month):
    command.run("--month", month).fails(2, repr(month), "drydock run --month 2013-01")


def test_a_word_that_is_no_option(command):
    assert command.run("--mnth", "2013-01").code == 2


def test_missing_object(lab, whole_again):
    s3 = lab.client("s3")
    breaking = Break(lambda: s3.delete_object(Bucket=lab.bucket, Key=KEY))
    with pytest.raises(TaskFailed, match=rf"2013-01 ended with exit code 2.*{KEY} does not exist"):
        run(lab, ["2013-01"], breaking)
    whole_again()


def test_truncated_gzip(command, lab, january, whole_again):
    put(lab, january[: len(january) // 2])
    ended = command.run("--keep-raw", "--month", "2013-01")
    ended.fails(1, "exit code 2", KEY, "truncated", "drydock run --month 2013-01")
    whole_again()


def test_wrong_header(command, lab, january, whole_again):
    text = gzip.decompress(january).replace(b"dep_time", b"departure", 1)
    put(lab, gzip.compress(text))
    command.run("--keep-raw", "--month", "2013-01").fails(1, "wrong header", "departure")
    whole_again()


def test_bad_rows_go_to_quarantine_and_come_back(command, lab, january, whole_again):
    lines = gzip.decompress(january).decode().splitlines()
    lines[7] = ",".join(lines[7].split(",")[:5])
    lines[9] = lines[9].replace("2013,1,1,", "2013,1,32,", 1)
    put(lab, gzip.compress("\n".join(lines).encode()))
    ended = command.run("--keep-raw", "--month", "2013-01")
    assert ended.code == 0, ended
    rows = read_quarantine(lab, read_manifest(lab, "2013-01"))
    assert [row["line"] for row in rows] == [8, 10]
    whole_again()


def test_an_object_that_changed_after_it_was_curated(command, lab, january, whole_again):
    whole_again()
    put(lab, gzip.compress(gzip.decompress(january)[:100_000].rsplit(b"\n", 1)[0]))
    ended = command.run("--keep-raw", "--month", "2013-02")
    ended.fails(1, KEY, "changed since it was curated", "--keep-raw --month 2013-01")
    whole_again()


def test_wrong_password(lab, whole_again):
    secrets = lab.client("secretsmanager")

    def spoil() -> None:
        text = secrets.get_secret_value(SecretId="drydock/lookup/etl")["SecretString"]
        wrong = json.loads(text) | {"password": "not-the-password"}
        secrets.put_secret_value(SecretId="drydock/lookup/etl", SecretString=json.dumps(wrong))

    with pytest.raises(TaskFailed) as failure:
        run(lab, ["2013-01"], Break(spoil))
    assert "exit code 3" in str(failure.value)
    assert "refused user etl: wrong password" in str(failure.value)
    assert "not-the-password" not in str(failure.value)
    whole_again()
