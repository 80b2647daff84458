"""Closed and open loops on servers that really answer, stand still, refuse, or are not there."""

import pytest

from drydock import load
from drydock.pausing import pausing


@pytest.fixture(scope="module")
def both():
    """One pause of a second, seen by one client in a loop, and by arrivals at a rate."""
    with pausing(after=0.3, seconds=1.0) as url:
        closed = load.closed_loop(url, clients=1, seconds=2.0)
    with pausing(after=0.3, seconds=1.0) as url:
        opened = load.open_loop(url, rate=50, seconds=2.0)
    return closed, opened


def test_a_closed_loop_leaves_out_what_a_pause_would_have_hit(both):
    closed, _ = both
    assert closed.slower_than(0.9) == 1
    assert set(closed.statuses) == {200}


def test_an_open_loop_counts_everybody_who_came_meanwhile(both):
    _, opened = both
    assert opened.requests == 100
    assert opened.slower_than(0.1) >= 40
    assert opened.at(0.99) > 0.5


def test_nobody_there_is_counted_and_not_raised():
    found = load.open_loop("http://127.0.0.1:9", rate=20, seconds=0.2)
    assert found.statuses == {load.NO_ANSWER: 4}


def test_percentiles_are_answers_that_there_were():
    found = load.Load(seconds=[0.4, 0.1, 0.2, 0.3])
    assert (found.at(0.5), found.at(0.75), found.at(0.76), found.at(1)) == (0.2, 0.3, 0.4, 0.4)
    for part in (0, 1.1, -1):
        with pytest.raises(ValueError, match="part is"):
            found.at(part)
    with pytest.raises(ValueError, match="no answers"):
        load.Load().at(0.5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: load.closed_loop("http://x", 0, 1), "clients is 0"),
        (lambda: load.closed_loop("http://x", 1, 0), "seconds is 0"),
        (lambda: load.open_loop("http://x", -1, 1), "rate is -1"),
        (lambda: load.open_loop("http://x", 1, float("inf")), "seconds is inf"),
    ],
)
def test_what_is_no_load_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_statuses_are_told_in_order():
    assert load.words([429, 200, 200]) == "200: 2, 429: 1"
