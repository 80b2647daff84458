"""Spark's partition bounds: known splits, and that no row is read twice or never."""

import datetime as dt
import itertools
import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.jdbc import partitions


def test_even_bounds():
    assert partitions("id", 0, 1000, 4) == [
        "id < 250 or id is null",
        "id >= 250 AND id < 500",
        "id >= 500 AND id < 750",
        "id >= 750",
    ]


def test_half_of_what_the_stride_loses_goes_in_front():
    # 100 / 7 is 14.28: 7 strides of 14 leave 2, of which 1 moves the start
    assert partitions("id", 0, 100, 7)[0] == "id < 15 or id is null"
    assert partitions("id", 0, 100, 7)[-1] == "id >= 85"


@pytest.mark.parametrize(("lower", "first"), [(0, 12), (-100, -88)])
def test_the_start_moves_by_half_of_four(lower, first):
    # 104 / 10 is 10.4: 10 strides of 10 leave 4
    assert partitions("id", lower, lower + 104, 10)[0] == f"id < {first} or id is null"


def test_never_more_partitions_than_values():
    assert partitions("id", 1, 4, 3) == [
        "id < 2 or id is null",
        "id >= 2 AND id < 3",
        "id >= 3",
    ]
    assert len(partitions("id", 0, 3, 10)) == 3


@pytest.mark.parametrize(("lower", "upper", "count"), [(0, 100, 1), (5, 5, 4), (5, 6, 4)])
def test_one_partition_reads_all(lower, upper, count):
    assert partitions("id", lower, upper, count) == [None]


def test_dates():
    found = partitions("day", dt.date(2013, 1, 1), dt.date(2013, 1, 31), 3)
    assert found == [
        "day < '2013-01-11' or day is null",
        "day >= '2013-01-11' AND day < '2013-01-21'",
        "day >= '2013-01-21'",
    ]


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9), st.integers(1, 64))
def test_bounds_rise_by_one_stride(lower, width, count):
    clauses = partitions("x", lower, lower + width, count)
    edges = [int(clause.split("< ")[1].split(" or")[0]) for clause in clauses[:-1] if clause]
    assert len({after - before for before, after in itertools.pairwise(edges)}) <= 1
    assert all(lower <= edge <= lower + width for edge in edges)
    assert len(clauses) <= count


def test_each_row_is_read_once_also_outside_the_bounds():
    table = sqlite3.connect(":memory:")
    table.execute("create table t (x integer)")
    table.executemany("insert into t values (?)", [(x,) for x in [None, *range(-50, 250)]])
    clauses = partitions("x", 0, 100, 7)
    rows = [table.execute(f"select x from t where {clause}").fetchall() for clause in clauses]
    assert sum(len(part) for part in rows) == 301
    assert len({row for part in rows for row in part}) == 301


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((10, 5, 2), "lower 10 is above upper 5"),
        ((0, 5, 0), "count is 0"),
        ((0, 5, 1.5), "count is 1.5"),
        ((0, dt.date(2013, 1, 1), 2), "two whole numbers or two dates"),
    ],
)
def test_bad_input_says_what_to_type(arguments, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        partitions("x", *arguments)
