"""Amdahl and the USL: known values, limits, and fits that find what the points were made of."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.model.throughput import Usl, amdahl, fit_usl

LAWS = st.builds(Usl, st.floats(1, 1e6), st.floats(0.001, 0.5), st.floats(0.0001, 0.02))
WORKERS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]


@pytest.mark.parametrize(
    ("workers", "serial", "speedup"),
    [(1, 0.3, 1), (8, 0, 8), (8, 1, 1), (4, 0.5, 1.6), (10, 0.1, 10 / 1.9), (1e12, 0.05, 20)],
)
def test_amdahl(workers, serial, speedup):
    assert amdahl(workers, serial) == pytest.approx(speedup)


@given(st.floats(1, 1000), st.floats(0, 1))
def test_usl_without_crosstalk_is_amdahl(workers, serial):
    assert Usl(1, serial, 0).throughput(workers) == pytest.approx(amdahl(workers, serial))


@given(LAWS)
def test_throughput_is_highest_at_the_peak(law):
    best = law.throughput(law.peak)
    assert law.throughput(law.peak * 1.1) <= best
    assert law.throughput(max(1, law.peak / 1.1)) <= best


def test_peaks():
    assert Usl(1, 0.02, 0.0005).peak == pytest.approx(math.sqrt(0.98 / 0.0005))
    assert Usl(1, 0.1, 0).peak == math.inf
    assert Usl(1, 1, 0).peak == 1
    assert Usl(1, 0.5, 2).peak == 1


@settings(max_examples=25, deadline=None)
@given(LAWS)
def test_a_fit_finds_the_law_behind_exact_points(law):
    fit = fit_usl(WORKERS, [law.throughput(n) for n in WORKERS])
    assert fit.law.rate == pytest.approx(law.rate, rel=1e-3)
    assert fit.law.contention == pytest.approx(law.contention, rel=1e-2, abs=1e-4)
    assert fit.law.crosstalk == pytest.approx(law.crosstalk, rel=1e-2, abs=1e-5)


def test_intervals_hold_the_law_about_as_often_as_they_say():
    import numpy as np

    law, random = Usl(1000, 0.05, 0.002), np.random.default_rng(7)
    held = {"rate": 0, "contention": 0, "crosstalk": 0, "at 20": 0}
    for _ in range(150):
        noise = random.normal(0, 60, len(WORKERS))
        points = [law.throughput(n) + e for n, e in zip(WORKERS, noise, strict=True)]
        fit = fit_usl(WORKERS, points)
        for name, (low, high) in fit.intervals.items():
            held[name] += low <= getattr(law, name) <= high
        low, high = fit.interval(20)
        held["at 20"] += low <= law.throughput(20) <= high
    assert all(0.90 <= count / 150 <= 0.995 for count in held.values()), held


def test_more_confidence_is_wider():
    points = [100, 190, 370, 650, 900, 1010]
    narrow, wide = (fit_usl([1, 2, 4, 8, 16, 32], points, part) for part in (0.5, 0.99))
    for name, (low, high) in narrow.intervals.items():
        assert wide.intervals[name][0] <= low
        assert wide.intervals[name][1] > high
    assert wide.interval(8)[0] < narrow.interval(8)[0]


def test_points_that_scale_perfectly_have_no_contention():
    fit = fit_usl([1, 2, 4, 8], [10, 20, 40, 80])
    assert fit.law.rate == pytest.approx(10, rel=1e-3)
    assert fit.law.contention == pytest.approx(0, abs=1e-3)
    assert fit.law.crosstalk == pytest.approx(0, abs=1e-3)


def test_scipy_is_loaded_only_for_a_fit():
    code = "import sys, drydock.model.throughput; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: amdahl(0, 0.5), "workers is 0"),
        (lambda: amdahl(2, 1.5), "serial is 1.5"),
        (lambda: fit_usl([1, 2, 3], [1, 2, 3]), "3 points are too few"),
        (lambda: fit_usl([1, 1, 2, 2], [1, 1, 2, 2]), "3 different worker counts"),
        (lambda: fit_usl([1, 2, 3, 0], [1, 2, 3, 4]), "workers is 0"),
        (lambda: fit_usl([1, 2, 3, 4], [1, 2, 3, 0]), "throughput is 0"),
        (lambda: fit_usl([1, 2, 3, 4], [1, 2, 3, math.nan]), "throughput is nan"),
        (lambda: fit_usl([1, 2, 3, 4], [1, 2, 3, 4], 95), "confidence is 95"),
        (lambda: fit_usl([1, 2, 3, 4], [1, 2, 3]), "shorter"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()
