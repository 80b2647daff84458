"""Paging: each flight exactly once, whatever the page size, also when data changes between."""

import pytest
from api import cursors
from api.manifests import Manifest
from api.store import Store
from api_support import flight, parquet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MONTHS = ("2013-01", "2013-02", "2014-01")
ROWS = st.builds(
    flight,
    day=st.integers(1, 3),
    hour=st.integers(0, 2),
    carrier=st.sampled_from(["UA", "9E"]),
    number=st.integers(1, 3),
    origin=st.sampled_from(["JFK", "EWR"]),
    cancelled=st.booleans(),
)
LAKES = st.dictionaries(
    st.sampled_from(MONTHS), st.lists(ROWS, min_size=1, max_size=25), min_size=1
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "month": st.sampled_from(MONTHS),
        "carrier": st.sampled_from(["UA", "9E"]),
        "origin": st.sampled_from(["JFK", "EWR"]),
        "cancelled": st.booleans(),
    },
)


@pytest.fixture
def fill(store: Store, tmp_path):
    """Make the store hold exactly the given months."""
    held = set()

    def replace(lake: dict) -> None:
        new = []
        for month, rows in lake.items():
            path = tmp_path / f"{month}.parquet"
            path.write_bytes(parquet(rows))
            new.append((Manifest(month, "etag", path.name, "", len(rows)), path))
        store.replace(new, held - set(lake))
        held.clear()
        held.update(lake)

    return replace


def pages(store, filters, limit, between=lambda: None):
    after, more = -1, True
    with store.cursor() as cursor:
        while more:
            page = store.flights(cursor, filters, after, limit)
            assert len(page.rows) <= limit
            yield from page.rows
            more = page.last is not None
            if more:
                assert len(page.rows) == limit
                after = cursors.decode(cursors.encode(page.last, filters), filters)
            between()


def expected(lake, filters):
    wanted = {name: value for name, value in filters.items() if name != "month"}
    return sorted(
        (row["flight_key"], month, row["origin"], row["cancelled"])
        for month, rows in lake.items()
        if filters.get("month", month) == month
        for row in rows
        if all(row[name] == value for name, value in wanted.items())
    )


def seen(rows):
    return [(r["flight_key"], r["month"], r["origin"], r["cancelled"]) for r in rows]


QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(LAKES, FILTERS, st.integers(1, 30))
def test_every_flight_is_listed_exactly_once_in_order_of_its_key(fill, store, lake, filters, limit):
    fill(lake)
    rows = list(pages(store, filters, limit))
    assert sorted(seen(rows)) == expected(lake, filters)
    keys = [row["flight_key"] for row in rows]
    assert keys == sorted(keys)


@QUICK
@given(LAKES, LAKES, st.integers(1, 5), st.integers(0, 3))
def test_a_flight_that_stays_is_listed_exactly_once_when_data_is_replaced_between_pages(
    fill, store, before, after, limit, swap_at
):
    # Keys that occur once in their month and month that has them before and after: they stay.
    fill(before)
    turn = 0

    def between():
        nonlocal turn
        if turn == swap_at:
            fill(after)
        turn += 1

    rows = seen(pages(store, {}, limit, between))
    once = [
        {
            row
            for row in expected(lake, {})
            if [r[:2] for r in expected(lake, {})].count(row[:2]) == 1
        }
        for lake in (before, after)
    ]
    for row in once[0] & once[1]:
        assert rows.count(row) == 1
    assert set(rows) <= set(expected(before, {})) | set(expected(after, {}))
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


@pytest.mark.parametrize("filters", [{}, {"carrier": "UA", "cancelled": False}])
@pytest.mark.parametrize("position", [0, 1, 603126459218257001, 2**63 - 1])
def test_a_cursor_comes_back_as_it_went(position, filters):
    assert cursors.decode(cursors.encode(position, filters), filters) == position


def test_an_altered_cursor_is_refused_at_every_letter():
    cursor = cursors.encode(603126459218257001, {})
    for i in range(len(cursor)):
        for letter in "A_z=":
            altered = cursor[:i] + letter + cursor[i + 1 :]
            if altered != cursor:
                with pytest.raises(cursors.BadCursor):
                    cursors.decode(altered, {})


@given(st.text(max_size=40))
def test_no_text_is_taken_for_a_cursor(text):
    with pytest.raises(cursors.BadCursor):
        cursors.decode(text, {})


def test_a_cursor_of_other_filters_is_refused():
    with pytest.raises(cursors.BadCursor):
        cursors.decode(cursors.encode(7, {"carrier": "UA"}), {"carrier": "AA"})
