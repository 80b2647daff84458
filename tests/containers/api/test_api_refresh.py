"""What is served is what manifests name, whole and verified, and nothing else."""

import io

import polars as pl
import pytest
from api_support import flight, parquet
from botocore.exceptions import ClientError

JANUARY = [flight(number=n) for n in (1, 2, 3)]
FEBRUARY = [flight(number=n, month="2013-02") for n in (1, 2)]


def numbers(store, **filters):
    with store.cursor() as cursor:
        return [row["flight"] for row in store.flights(cursor, filters, -1, 1000).rows]


def test_published_months_are_served(bucket, refresher, store):
    bucket.publish("2013-01", JANUARY)
    bucket.publish("2013-02", FEBRUARY)
    refresher.refresh()
    assert refresher.status.problem is None
    assert refresher.status.rows == {"2013-01": 3, "2013-02": 2}
    assert numbers(store) == [1, 2, 3, 1, 2]


def test_a_file_without_manifest_is_not_served(bucket, refresher, store):
    bucket.put_file("2013-01", parquet(JANUARY))
    refresher.refresh()
    assert "no published month" in refresher.status.problem
    assert (refresher.status.rows, numbers(store)) == ({}, [])


def test_a_new_manifest_replaces_its_month_and_no_other(bucket, refresher, store):
    bucket.publish("2013-01", JANUARY)
    bucket.publish("2013-02", FEBRUARY)
    refresher.refresh()
    bucket.publish("2013-01", [flight(number=9)])
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [9, 1, 2]
    assert refresher.status.rows == {"2013-01": 1, "2013-02": 2}


def test_a_withdrawn_manifest_takes_its_month_away(bucket, refresher, store):
    bucket.publish("2013-01", JANUARY)
    bucket.publish("2013-02", FEBRUARY)
    refresher.refresh()
    bucket.delete(bucket.manifest_key("2013-01"))
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [1, 2]


def test_between_file_and_manifest_the_old_rows_stay(bucket, refresher, store):
    bucket.publish("2013-01", JANUARY)
    refresher.refresh()
    new = parquet([flight(number=9)])
    bucket.put_file("2013-01", new)
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [1, 2, 3]
    bucket.put_manifest("2013-01", new, 1)
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [9]


def test_a_file_that_went_while_it_was_read_is_read_where_the_new_manifest_is(
    bucket, refresher, store
):
    old = parquet(JANUARY)
    bucket.put_file("2013-01", old)
    bucket.put_manifest("2013-01", old, 3)
    fetch = refresher.lake.fetch

    def fetch_too_late(manifest):
        if manifest.key == bucket.file_key("2013-01", old):
            bucket.publish("2013-01", [flight(number=9)])
            bucket.delete(manifest.key)
        return fetch(manifest)

    refresher.lake.fetch = fetch_too_late
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [9]
    refresher.lake.fetch = None  # what is served is known by its manifest: nothing is read again
    refresher.refresh()
    assert refresher.status.problem is None


def break_hash(bucket):
    file = {"key": bucket.file_key("2013-01", parquet(JANUARY)), "sha256": "0" * 64}
    bucket.put_manifest("2013-01", parquet(JANUARY), 3, {"file": file})


def break_file(bucket):
    bucket.put_manifest("2013-01", b"never put", 3)


def break_rows(bucket):
    bucket.put_manifest("2013-01", parquet(JANUARY), 4)


def break_parquet(bucket):
    bucket.put_file("2013-01", b"PAR1 no Parquet at all")
    bucket.put_manifest("2013-01", b"PAR1 no Parquet at all", 3)


def break_columns(bucket):
    buffer = io.BytesIO()
    pl.DataFrame({"flight_key": [1, 2, 3]}).write_parquet(buffer)
    bucket.put_file("2013-01", buffer.getvalue())
    bucket.put_manifest("2013-01", buffer.getvalue(), 3)


def break_json(bucket):
    bucket.put(bucket.manifest_key("2013-01"), b"{")


def break_shape(bucket):
    bucket.put(bucket.manifest_key("2013-01"), b'{"month": "2013-01"}')


def break_month(bucket):
    bucket.put_manifest("2013-01", parquet(JANUARY), 3, {"month": "2013-03"})


def break_path(bucket):
    file = {"key": bucket.file_key("2013-01", parquet(JANUARY)), "sha256": "../../x"}
    bucket.put_manifest("2013-01", parquet(JANUARY), 3, {"file": file})


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (break_hash, "is not what its manifest describes"),
        (break_file, "which its manifest names, is not there"),
        (break_rows, "holds 3 rows, its manifest says 4"),
        (break_parquet, "cannot be read"),
        (break_columns, "cannot be read"),
        (break_json, "is no manifest"),
        (break_shape, "is no manifest"),
        (break_month, "is no manifest of 2013-01"),
        (break_path, "is no manifest of 2013-01"),
    ],
)
@pytest.mark.parametrize("served_before", [True, False])
def test_a_broken_month_is_named_and_stops_no_other(
    bucket, refresher, store, break_it, says, served_before
):
    bucket.publish("2013-01", JANUARY)
    if served_before:
        refresher.refresh()
    break_it(bucket)
    bucket.publish("2013-02", FEBRUARY)
    refresher.refresh()
    problem = refresher.status.problem
    assert says in problem
    assert "2013-01" in problem
    assert "\n" not in problem
    assert numbers(store) == ([1, 2, 3, 1, 2] if served_before else [1, 2])

    bucket.publish("2013-01", [flight(number=9)])
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [9, 1, 2]


def test_a_damaged_copy_in_the_cache_is_fetched_again(bucket, refresher, store):
    bucket.publish("2013-01", JANUARY)
    refresher.refresh()
    (copy,) = refresher.lake.cache.glob("*.parquet")
    copy.write_bytes(b"damaged")
    bucket.publish("2013-01", [flight(number=9)])
    refresher.refresh()
    copy.write_bytes(b"damaged")
    bucket.publish("2013-01", JANUARY)
    refresher.refresh()
    assert refresher.status.problem is None
    assert numbers(store) == [1, 2, 3]


def test_the_cache_keeps_only_what_is_served(bucket, refresher):
    bucket.publish("2013-01", JANUARY)
    refresher.refresh()
    bucket.publish("2013-01", [flight(number=9)])
    refresher.refresh()
    assert len(list(refresher.lake.cache.iterdir())) == 1


def test_a_bucket_that_is_gone_leaves_what_is_served(bucket, refresher, store):
    bucket.publish("2013-01", JANUARY)
    refresher.refresh()
    refresher.lake.bucket = "no-such-bucket"
    with pytest.raises(ClientError):
        refresher.refresh()
    assert numbers(store) == [1, 2, 3]
