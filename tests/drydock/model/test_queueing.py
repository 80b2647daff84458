"""Little's law and M/M/c: closed forms of small cases, limits, and a simulated line."""

import heapq
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.queueing import Queue, in_system, servers_for, time_in_system

PARTS = st.floats(0.01, 0.98)


def test_littles_law():
    assert in_system(50, 0.2) == 10
    assert time_in_system(50, 10) == pytest.approx(0.2)


@given(PARTS)
def test_one_server_is_the_textbook_case(busy):
    queue = Queue(busy, 1, 1)
    assert queue.probability_of_waiting == pytest.approx(busy)
    assert queue.mean_time == pytest.approx(1 / (1 - busy))
    assert queue.mean_waiting == pytest.approx(busy**2 / (1 - busy))


@given(PARTS)
def test_two_servers_are_the_textbook_case(busy):
    queue = Queue(2 * busy, 1, 2)
    assert queue.probability_of_waiting == pytest.approx(2 * busy**2 / (1 + busy))
    assert queue.mean_time == pytest.approx(1 / (1 - busy**2))


@given(st.floats(0.1, 500), st.integers(1, 40))
def test_erlang_c_is_its_sum(load, more):
    servers = math.floor(load) + more
    queue = Queue(load, 1, servers)
    logs = [n * math.log(load) - math.lgamma(n + 1) for n in range(servers + 1)]
    top = max(logs)
    last = math.exp(logs[-1] - top) / (1 - queue.utilization)
    total = sum(math.exp(value - top) for value in logs[:-1]) + last
    assert queue.probability_of_waiting == pytest.approx(last / total, rel=1e-6)


@given(st.floats(0.1, 50), st.integers(1, 20), PARTS)
def test_waits_grow_with_the_percentile_and_shrink_with_servers(load, more, part):
    servers = math.floor(load) + more
    queue, larger = Queue(load, 1, servers), Queue(load, 1, servers + 1)
    assert queue.wait_at(part) <= queue.wait_at((1 + part) / 2)
    assert larger.wait_at(part) <= queue.wait_at(part)
    assert larger.mean_wait <= queue.mean_wait


def test_a_simulated_line_waits_as_long():
    draw = random.Random(11)
    queue, free, clock, waits = Queue(4, 0.6, 3), [0.0] * 3, 0.0, []
    for _ in range(60_000):
        clock += draw.expovariate(4)
        begin = max(clock, heapq.heappop(free))
        heapq.heappush(free, begin + draw.expovariate(1 / 0.6))
        waits.append(begin - clock)
    waits.sort()
    assert sum(waits) / len(waits) == pytest.approx(queue.mean_wait, rel=0.1)
    assert waits[int(0.95 * len(waits))] == pytest.approx(queue.wait_at(0.95), rel=0.1)


@given(st.floats(0.1, 30), st.floats(0, 2), st.floats(0.5, 0.99))
def test_servers_for_is_the_fewest(load, longest, part):
    servers = servers_for(load, 1, longest, part)
    assert Queue(load, 1, servers).wait_at(part) <= longest
    if servers - 1 > load:
        assert Queue(load, 1, servers - 1).wait_at(part) > longest


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Queue(10, 1, 10), "10 servers cannot keep up.*type servers=11"),
        (lambda: Queue(0, 1, 1), "arrival_rate is 0"),
        (lambda: Queue(1, math.nan, 1), "service_time is nan"),
        (lambda: Queue(1, 0.1, 1.5), "servers is 1.5"),
        (lambda: Queue(1, 0.1, 1).wait_at(1), "part is 1"),
        (lambda: in_system(-1, 1), "arrival_rate is -1"),
        (lambda: servers_for(1, 1, -1), "longest_wait is -1"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()
