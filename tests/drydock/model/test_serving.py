"""What serving costs: sums by hand from the prices, and crossings that are crossings."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.serving import WAYS, Traffic, bills, crossing, per_million

SMALL = Traffic(requests=1_000_000)
LAMBDA, GATEWAY, ALB, DATA_API = (
    "Lambda behind API Gateway",
    "ECS behind API Gateway",
    "ECS behind ALB",
    "RDS Data API",
)


def test_a_million_requests_in_functions_by_hand():
    # 40 ms x 1769 MB = 0.0691015625 GB-s each; and 0.20 and 1.00 a million.
    compute = Decimal("69101.5625") * Decimal("0.0000166667")
    assert bills(SMALL)[LAMBDA].total() == compute + Decimal("1.20")


def test_two_tasks_and_a_balancer_by_hand():
    seconds = 2 * 730 * 3600
    tasks = seconds * (Decimal("0.25") * Decimal("0.000011244") + Decimal("0.000001235"))
    balancer = 730 * Decimal("0.0225") + 20 * Decimal("0.008")  # 20 GB are 20 LCU-hours
    assert bills(SMALL)[ALB].total() == pytest.approx(tasks + balancer)
    assert bills(SMALL)[GATEWAY].total() == pytest.approx(tasks + balancer + 1)


def test_half_a_capacity_unit_is_the_least_and_more_follow_the_rate():
    assert SMALL.acu == Decimal("0.5")
    assert bills(SMALL)[DATA_API].total() == Decimal("0.5") * 730 * Decimal("0.12") + Decimal(
        "0.35"
    )
    assert Traffic(requests=2_628_000_000, rate_per_acu=50).acu == 20  # 1,000 requests a second


def test_tasks_are_enough_for_the_peak():
    assert SMALL.tasks == 2
    assert Traffic(requests=2_628_000 * 100, peak=3, rate_per_task=50).tasks == 6


@given(
    way=st.sampled_from(list(WAYS)),
    than=st.sampled_from(list(WAYS)),
    milliseconds=st.integers(5, 500),
    rate=st.integers(5, 500),
)
def test_a_crossing_is_where_the_cheaper_one_changes(way, than, milliseconds, rate):
    traffic = Traffic(requests=1, milliseconds=milliseconds, rate_per_task=rate)
    found = crossing(way, than, traffic)

    def cheaper(requests):
        both = bills(replace(traffic, requests=requests))
        return both[way].total() < both[than].total()

    if found is None:
        assert not cheaper(10**10)
    else:
        assert cheaper(found)
        assert found == 0 or not cheaper(found - 1)


def test_a_way_never_crosses_itself():
    assert crossing(ALB, ALB, SMALL) is None


@pytest.mark.parametrize("way", WAYS)
def test_more_requests_never_cost_less(way):
    totals = [bills(replace(SMALL, requests=10**n))[way].total() for n in range(10)]
    assert totals == sorted(totals)


def test_a_million_of_a_million_is_the_bill():
    assert per_million(ALB, SMALL) == bills(SMALL)[ALB].total()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"requests": -1}, "requests"),
        ({"requests": 1.5}, "requests"),
        ({"rate_per_task": 0}, "rate_per_task is 0"),
        ({"peak": 0.5}, "no peak is below the mean"),
        ({"milliseconds": float("nan")}, "milliseconds"),
    ],
)
def test_impossible_traffic_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Traffic(**{"requests": 1} | wrong)


def test_unknown_ways_are_refused():
    with pytest.raises(ValueError, match="no way is called 'EKS': type one of"):
        crossing("EKS", ALB, SMALL)
    with pytest.raises(ValueError, match="requests is 0"):
        per_million(ALB, Traffic(requests=0))
