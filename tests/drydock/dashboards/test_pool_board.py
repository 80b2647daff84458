"""The board of pools: Little's law, and the connections of an instance class."""

import pytest

from drydock.dashboards import PoolBoard
from drydock.dashboards.pools import Pooling


def pooling(**changed) -> Pooling:
    given = {"instance_class": "db.t4g.micro", "tasks": 10, "size": 4, "rate": 40, "seconds": 0.05}
    return Pooling(**given | changed)


def test_connections_busy_are_rate_times_time():
    assert pooling().busy == pytest.approx(2)
    assert pooling(rate=100, seconds=0.2).busy == pytest.approx(20)


def test_a_pool_that_cannot_keep_up_waits_for_ever_and_says_so():
    assert pooling(size=2).wait(2) is None
    assert "cannot keep up with 2.0 busy" in pooling(size=2).words()


def test_more_connections_wait_less():
    waits = [pooling().wait(size) for size in range(3, 9)]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] == 0


@pytest.mark.parametrize(("size", "words"), [(11, "110 connections fit"), (12, "do NOT fit")])
def test_all_pools_together_are_held_against_max_connections(size, words):
    assert words in pooling(size=size).words()
    assert "112 of db.t4g.micro" in pooling(size=size).words()


def test_the_chart_draws_the_wait_of_each_size():
    (axes,) = pooling().chart().axes
    sizes = [int(label.get_text()) for label in axes.get_xticklabels()]
    assert sizes[0] == 3
    drawn = [bar.get_height() for bar in axes.patches]
    assert drawn == [pytest.approx(pooling().wait(size) * 1000) for size in sizes]


def test_a_slider_changes_words_and_picture():
    board = PoolBoard("db.t4g.micro")
    words, picture = board._words.value, board._picture.value
    board.size.value = 20
    assert board.value.wanted == 200
    assert board._words.value != words
    assert board._picture.value != picture
    assert "200 connections" in repr(board)


@pytest.mark.parametrize("size", [1, 30])
def test_the_ends_of_the_sliders_can_be_drawn(size):
    board = PoolBoard("db.t4g.micro")
    board.rate.value, board.milliseconds.value, board.size.value = 200, 200, size
    assert bytes(board._picture.value).startswith(b"\x89PNG")
