"""The server's rules and the book's formulas, held against the same published cases."""

import pytest

from drydock.model.scaling import ecs as book
from localcloud.scaling import rules

OUT, IN = "GreaterThanThreshold", "LessThanThreshold"


@pytest.mark.parametrize(
    ("samples", "high", "low"),
    [
        ([10, 31, 31, 31], True, False),
        ([31, 31, 30], False, False),
        ([31, 31], False, False),
        ([31, None, 31], False, False),
        ([26.9] * 15, False, True),
        ([26.9] * 14, False, False),
    ],
)
def test_alarms_of_target_tracking_at_thirty(samples, high, low):
    """AlarmHigh > 30 for 3 of 3 minutes, AlarmLow < 27 for 15 of 15."""
    book_high, book_low = book.target_tracking_alarms(30)
    assert (book_high.fires(samples), book_low.fires(samples)) == (high, low)
    assert rules.fires(samples, OUT, 30, rules.HIGH_POINTS, rules.HIGH_POINTS) == high
    last = rules.LOW_POINTS
    assert rules.fires(samples, IN, 30 * rules.LOW_SHARE, last, last) == low


@pytest.mark.parametrize(
    ("running", "samples", "scale_in", "wanted"),
    [
        (4, [90] * 3, True, 8),
        (4, [61, 61, 46], True, 5),
        (4, [90] * 2, True, 4),
        (8, [20] * 15, True, 4),
        (8, [20] * 14, True, 8),
        (8, [20] * 15, False, 8),
        (0, [], True, 0),
    ],
)
def test_target_tracking_at_forty_five(running, samples, scale_in, wanted):
    bounds = {"minimum": 0, "maximum": 100, "scale_in": scale_in}
    assert book.target_tracking(running, samples, 45, **bounds) == wanted
    assert rules.tracked(running, samples, 45, scale_in) == wanted


@pytest.mark.parametrize(
    ("proposals", "count"), [([6, 8], 8), ([3, 8], 8), ([3, 4], 4), ([3, None], 5), ([], 5)]
)
def test_any_scales_out_and_all_agree_to_scale_in(proposals, count):
    assert book.several(5, proposals) == rules.together(5, proposals) == count


@pytest.mark.parametrize(
    ("metric", "out", "steps", "adjustment", "least", "count"),
    [
        (49.9, True, [(0, 10, 1), (10, None, 3)], "ChangeInCapacity", 0, 10),
        (50, True, [(0, 10, 1), (10, None, 3)], "ChangeInCapacity", 0, 11),
        (59.9, True, [(0, 10, 1), (10, None, 3)], "ChangeInCapacity", 0, 11),
        (60, True, [(0, 10, 1), (10, None, 3)], "ChangeInCapacity", 0, 13),
        (50.1, False, [(-10, 0, -1), (None, -10, -3)], "ChangeInCapacity", 0, 10),
        (50, False, [(-10, 0, -1), (None, -10, -3)], "ChangeInCapacity", 0, 9),
        (40.1, False, [(-10, 0, -1), (None, -10, -3)], "ChangeInCapacity", 0, 9),
        (40, False, [(-10, 0, -1), (None, -10, -3)], "ChangeInCapacity", 0, 7),
        (80, True, [(0, None, 7)], "ExactCapacity", 0, 7),
        (80, True, [(0, None, 15)], "PercentChangeInCapacity", 0, 11),
        (80, True, [(0, None, 3)], "PercentChangeInCapacity", 0, 11),
        (80, True, [(0, None, 3)], "PercentChangeInCapacity", 4, 14),
        (80, True, [(0, None, -27)], "PercentChangeInCapacity", 0, 8),
    ],
)
def test_steps_around_fifty(metric, out, steps, adjustment, least, count):
    """The bounds and roundings of API_StepAdjustment and the Application Auto Scaling guide."""
    of_book = book.step_scaling(
        10,
        metric,
        50,
        [book.Step(*step) for step in steps],
        scale_out=out,
        adjustment=adjustment,
        least_change=least,
        maximum=100,
    )
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    policy = {"AdjustmentType": adjustment, "MinAdjustmentMagnitude": least}
    policy["StepAdjustments"] = [
        {name: value for name, value in zip(names, step, strict=True) if value is not None}
        for step in steps
    ]
    assert of_book == rules.stepped(10, metric - 50, policy, out) == count


@pytest.mark.parametrize(
    ("wanted", "out", "shrunk", "added", "count"),
    [
        (8, None, None, 0, 8),
        (8, 200, None, 2, 6),
        (8, 200, None, 5, 5),
        (8, None, 290, 0, 8),
        (2, None, 290, 0, 5),
        (2, 290, None, 0, 5),
        (2, None, None, 0, 2),
    ],
)
def test_cooldowns_of_three_hundred_seconds(wanted, out, shrunk, added, count):
    since = {
        "since_out": None if out is None else 300 - out,
        "since_in": None if shrunk is None else 300 - shrunk,
    }
    assert book.after_cooldown(5, wanted, added=added, **since) == count
    assert rules.after_cooldown(5, wanted, out, shrunk, added) == count
