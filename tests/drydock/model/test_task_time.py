"""The time of one task by its size: fitted to measured points, and tried on one left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.throughput import TaskTime, fit_task_time
from drydock.pipeline import measure

ABOVE = st.floats(0.01, 1000, allow_nan=False)


@given(ABOVE, ABOVE)
def test_a_fit_finds_the_law_that_made_its_points(fixed, work):
    law = TaskTime(fixed, work)
    sizes = (0.25, 0.5, 1.0, 2.0)
    found = fit_task_time(sizes, [law.seconds(size) for size in sizes])
    assert found.fixed == pytest.approx(fixed, rel=1e-6, abs=1e-6 * work)
    assert found.work == pytest.approx(work, rel=1e-6)


def test_the_size_that_was_left_out_is_predicted_within_15_percent():
    table = measure.stored()
    seen = [p for p in table.sizes if p.vcpu <= 1 and p.cpu_units != measure.LEFT_OUT]
    law = fit_task_time([p.vcpu for p in seen], [p.seconds for p in seen])
    for point in table.sizes:
        if point.cpu_units == measure.LEFT_OUT:
            assert law.seconds(point.vcpu) == pytest.approx(point.seconds, rel=0.15)


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="one size tells nothing"):
        fit_task_time([1, 1], [2, 3])
    with pytest.raises(ValueError, match="vcpu is 0"):
        TaskTime(1, 1).seconds(0)
