"""The simulated fleet: the fast loop against SimPy, against theory, and what must always hold."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.model.queueing import Queue
from drydock.model.scaling import ecs
from drydock.model.simulation import Fleet, day_of_arrivals, durations, engine, reference, simulate

DAY = [10, 5, 5, 5, 10, 20, 60, 120, 200, 220, 200, 180, 160, 180, 200, 190, 150, 90]
FLEETS = {
    "fixed": Fleet("fixed", 7, 7),
    "fixed on spot": Fleet("fixed", 7, 7, 35.5, interrupted_every=500, checkpoint=7.5),
    "backlog": Fleet("backlog", 0, 30, 35.5, target=1.5),
    "backlog, no cold start": Fleet("backlog", 1, 30, 0.0, target=2),
    "backlog on spot": Fleet("backlog", 0, 30, 35.5, interrupted_every=400, checkpoint=10),
    "backlog on spot, all saved": Fleet(
        "backlog", 0, 30, 35.5, interrupted_every=400, checkpoint=0
    ),
    "backlog on spot, nothing saved": Fleet("backlog", 0, 30, 35.5, interrupted_every=400),
    "target": Fleet("target", 2, 25, 70.25, target=0.6),
    "target on spot": Fleet("target", 2, 25, 70.25, target=0.6, interrupted_every=900),
    "task": Fleet("task", 0, 12, 35.5),
    "task on spot": Fleet("task", 0, 12, 35.5, interrupted_every=300, checkpoint=5),
}


def day(seed=3):
    arrivals = day_of_arrivals(DAY, seed)
    return arrivals, durations(len(arrivals), 55, 0.8, seed)


@pytest.mark.parametrize("name", FLEETS)
def test_each_task_ends_as_in_simpy(name):
    arrivals, work = day()
    fast, slow = (
        one(arrivals, work, FLEETS[name], seed=5) for one in (simulate, reference.simulate)
    )
    np.testing.assert_array_equal(fast.begin, slow.begin)
    np.testing.assert_array_equal(fast.finish, slow.finish)
    np.testing.assert_array_equal(fast.starts, slow.starts)
    np.testing.assert_array_equal(fast.ends, slow.ends)
    assert fast.interruptions == slow.interruptions
    assert fast.worked == pytest.approx(slow.worked)
    assert ("spot" in name) == (fast.interruptions > 0)


@pytest.mark.parametrize("name", ["target", "backlog on spot", "task on spot"])
def test_plain_python_gives_what_the_compiled_loop_gives(name, monkeypatch):
    arrivals, work = day()
    compiled = simulate(arrivals, work, FLEETS[name], seed=5)
    monkeypatch.setattr(engine, "run", engine.run.py_func)
    plain = simulate(arrivals, work, FLEETS[name], seed=5)
    np.testing.assert_array_equal(compiled.finish, plain.finish)
    np.testing.assert_array_equal(compiled.ends, plain.ends)


@pytest.mark.parametrize("servers, load", [(1, 0.6), (4, 0.8), (20, 0.9)])
def test_waits_are_those_of_an_mmc_queue(servers, load):
    luck = np.random.default_rng(11)
    count = 400_000
    arrivals = np.cumsum(luck.exponential(1.0, count))
    work = luck.exponential(servers * load, count)
    result = simulate(arrivals, work, Fleet("fixed", servers, servers), horizon=1e9)
    theory = Queue(1.0, servers * load, servers)
    # Waits of neighbours go together, so their mean converges slowly: 5 % is over 3 sigma here.
    assert result.waits.mean() == pytest.approx(theory.mean_wait, rel=0.05)
    assert result.utilization == pytest.approx(load, rel=0.01)
    assert (result.waits > 0).mean() == pytest.approx(theory.probability_of_waiting, rel=0.02)


@pytest.mark.parametrize("name", FLEETS)
def test_littles_law_holds(name):
    arrivals, work = day()
    result = simulate(arrivals, work, FLEETS[name], seed=2)
    span = result.finish.max()
    moments = np.sort(np.concatenate([arrivals, result.finish, [0.0]]))
    inside = np.searchsorted(arrivals, moments, "right") - np.searchsorted(
        np.sort(result.finish), moments, "right"
    )
    mean_inside = (inside[:-1] * np.diff(moments)).sum() / span
    assert mean_inside == pytest.approx(len(arrivals) / span * result.times.mean())


fleets = st.builds(
    Fleet,
    policy=st.sampled_from(["fixed", "backlog", "target", "task"]),
    minimum=st.integers(1, 3),
    maximum=st.integers(3, 12),
    cold_start=st.floats(0, 200),
    target=st.floats(0.2, 3),
    interrupted_every=st.sampled_from([0.0, 600.0]),
    checkpoint=st.sampled_from([None, 0.0, 10.0]),
)


@settings(max_examples=40, deadline=None)
@given(fleets, st.integers(0, 10_000))
def test_tasks_are_conserved_and_workers_stay_in_bounds(fleet, seed):
    arrivals = day_of_arrivals([40, 120, 10], seed)
    work = durations(len(arrivals), 40, 0.5, seed)
    result = simulate(arrivals, work, fleet, seed)
    assert result.unfinished == 0 and len(result.finish) == len(arrivals)
    assert np.all(result.begin >= arrivals)
    assert np.all(result.finish - result.begin >= work - 1e-6)
    assert result.counts(30.0)["workers"].max(initial=0) <= fleet.maximum
    assert result.worked <= result.worker_seconds + 1e-6
    if fleet.checkpoint == 0:
        assert result.redone == pytest.approx(0, abs=1e-6)
    assert 0 <= result.utilization <= 1


def test_the_same_seed_is_the_same_day_and_another_is_not():
    first, again, other = (day(seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:5], other[:5])


def test_durations_have_the_mean_and_spread_that_were_asked_for():
    drawn = durations(200_000, 60, 0.5, 1)
    assert drawn.mean() == pytest.approx(60, rel=0.01)
    assert drawn.std() == pytest.approx(30, rel=0.02)
    assert set(durations(5, 60, 0, 1).round(9)) == {60.0}


def test_a_cold_start_delays_a_task_of_its_own_worker():
    result = simulate([0.0, 100.0], [10.0, 10.0], Fleet("task", 0, 10, 30))
    assert list(result.finish) == [40.0, 140.0]
    assert [worker.seconds for worker in result.workers()] == [40.0, 40.0]


def test_checkpoints_save_what_was_done_before_an_interruption(monkeypatch):
    lives = np.array([25.0, math.inf])
    monkeypatch.setattr(Fleet, "lives", lambda self, seed: lives)

    def finish(checkpoint):
        fleet = Fleet("fixed", 1, 1, 5, interrupted_every=1, checkpoint=checkpoint)
        return float(simulate([0.0], [40.0], fleet).finish[0])

    # Taken at 25, the next worker is ready at 30: with 40, 20 or 15 seconds left to do.
    assert (finish(None), finish(10.0), finish(0.0)) == (70.0, 50.0, 45.0)


def test_work_that_never_fits_between_interruptions_ends_unfinished():
    fleet = Fleet("fixed", 1, 1, 5, interrupted_every=60)
    result = simulate([0.0], [3600.0], fleet, horizon=86_400)
    assert result.unfinished == 1
    assert result.ends.max() == 86_400
    assert result.label.startswith("Simulated, not measured")


def test_target_tracking_has_the_constants_of_the_scaling_model():
    high, low = ecs.target_tracking_alarms(0.6)
    assert (high.points, low.points) == (engine._HIGH_SAMPLES, engine._LOW_SAMPLES)
    assert low.threshold == pytest.approx(0.6 * engine._LOW_PART)
    assert (reference.HIGH_SAMPLES, reference.LOW_SAMPLES, reference.LOW_PART) == (3, 15, 0.9)


def test_an_empty_day_costs_nothing():
    result = simulate([], [], FLEETS["task"])
    assert (result.worker_seconds, result.utilization, len(result.finish)) == (0, 0, 0)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"policy": "magic"}, "type one of fixed"),
        ({"minimum": 5, "maximum": 2}, "minimum 5 and maximum 2"),
        ({"minimum": 0}, "a fixed fleet needs workers"),
        ({"policy": "target", "minimum": 0}, "no utilisation"),
        ({"cold_start": -1}, "cold_start is -1"),
        ({"period": 0}, "period is 0"),
        ({"target": math.nan}, "target is nan"),
        ({"checkpoint": -3}, "checkpoint is -3"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(Fleet(), **change)


@pytest.mark.parametrize(
    "arrivals, work, words",
    [
        ([2.0, 1.0], [1.0, 1.0], "the earliest first"),
        ([1.0], [1.0, 2.0], "same length"),
        ([1.0], [0.0], "above 0"),
        ([math.nan], [1.0], "from 0 up"),
    ],
)
def test_a_load_that_cannot_be_is_refused(arrivals, work, words):
    with pytest.raises(ValueError, match=words):
        simulate(arrivals, work, Fleet())


def test_a_rate_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="from 0 up for each hour"):
        day_of_arrivals([1, -1], 0)
    with pytest.raises(ValueError, match="mean must be above 0"):
        durations(3, 0, 1, 0)
