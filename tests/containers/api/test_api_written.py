"""Pages that are cut out of written JSON are those that the database would answer."""

import json

import pytest
from api import formats
from api.pages import Pages
from api_support import flight
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_api_pages import FILTERS, LAKES, fill  # noqa: F401


@given(
    lake=LAKES,
    filters=FILTERS,
    limit=st.integers(1, 30),
    after=st.one_of(st.just(-1), st.integers(0, 80)),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_written_pages_are_the_databases(fill, store, tmp_path, lake, filters, limit, after):  # noqa: F811
    fill(lake)
    with store.cursor() as cursor:
        written = Pages.written(cursor, tmp_path)
        positions = [row[0] for row in cursor.execute("SELECT position FROM flights").fetchall()]
        start = after if after < 0 else sorted(positions)[after % len(positions)]
        page = store.flights(cursor, filters, start, limit)
    items, last = written.page(filters, start, limit)
    assert formats.page(items, "x") == formats.written(page.rows, "x", formats.JSON, {})
    assert last == page.last


def test_rows_far_apart_are_found_and_come_out_in_order(fill, store, tmp_path):  # noqa: F811
    """Further apart than the rows that are looked at together."""
    rows = [
        flight(
            day=1 + n // 600, hour=n // 100 % 6, number=n % 100, dest="BOS" if n % 997 else "XYZ"
        )
        for n in range(9_000)
    ]
    fill({"2013-01": rows})
    with store.cursor() as cursor:
        written = Pages.written(cursor, tmp_path)
        page = store.flights(cursor, {"dest": "XYZ"}, -1, 1000)
    items, last = written.page({"dest": "XYZ"}, -1, 1000)
    found = json.loads(b"[" + items + b"]")
    assert [row["flight_key"] for row in found] == [row["flight_key"] for row in page.rows]
    assert (len(found), last) == (10, None)


def test_a_new_month_is_served_and_an_old_one_is_not(bucket, refresher, client):
    for months in (["2013-01"], ["2013-01", "2013-02"], ["2013-02"]):
        for month in {"2013-01", "2013-02"} - set(months):
            bucket.delete(bucket.manifest_key(month))
        for month in months:
            bucket.publish(month, [flight(month=month, carrier_name='"Æ" \\ \n')])
        refresher.refresh()
        items = client.get("/flights").json()["items"]
        assert [row["month"] for row in items] == months
        assert items[0]["carrier_name"] == '"Æ" \\ \n'


def test_without_room_for_written_pages_the_database_answers(
    bucket, refresher, client, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    bucket.publish("2013-01", [flight(number=7)])
    monkeypatch.setattr(Pages, "written", full)
    refresher.refresh()
    assert refresher.pages is None
    answer = client.get("/flights")
    assert [row["flight"] for row in answer.json()["items"]] == [7]


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_both_ways_give_the_same_bytes(bucket, refresher, client, limit):
    rows = [flight(number=n, tailnum=None if n % 2 else "N1") for n in range(1, 6)]
    bucket.publish("2013-01", rows)
    refresher.refresh()
    answers = []
    for pages in (refresher.pages, None):
        refresher.pages = pages
        answer = client.get(f"/flights?limit={limit}&carrier=UA")
        answers.append((answer.content, answer.headers["etag"], answer.headers.get("link")))
    assert answers[0] == answers[1]
