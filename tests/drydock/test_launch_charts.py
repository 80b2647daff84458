"""What a month costs on Fargate and on instances, and the chart of it."""

from decimal import Decimal

import pytest

from drydock import launch_charts

WISH = {"vcpu": 1, "memory_gb": 3, "instance": "m7i.xlarge", "tasks_each": 4}


def test_fargate_is_a_line_and_ec2_a_staircase():
    costs = launch_charts.monthly_costs(range(1, 10), **WISH)
    one = Decimal("0.04048") * 730 + 3 * Decimal("0.004445") * 730
    machine = Decimal("0.2016") * 730
    assert {n: pair[0] for n, pair in costs.items()} == {n: n * one for n in range(1, 10)}
    assert [pair[1] / machine for pair in costs.values()] == [1, 1, 1, 1, 2, 2, 2, 2, 3]


def test_the_chart_draws_just_these_numbers_with_title_units_and_sources():
    chart = launch_charts.monthly_cost(range(1, 10), **WISH)
    (axes,) = chart.axes
    costs = launch_charts.monthly_costs(range(1, 10), **WISH)
    for line, which in zip(axes.lines, (0, 1), strict=True):
        assert list(line.get_xdata()) == list(costs)
        assert list(line.get_ydata()) == [float(pair[which]) for pair in costs.values()]
    assert axes.get_ylabel() == "US dollars a month"
    assert {text.get_text() for text in axes.texts} == {"Fargate", "m7i.xlarge"}
    assert "aws.amazon.com/fargate/pricing" in chart.get_supxlabel()


def test_what_cannot_be_drawn_says_what_to_type():
    with pytest.raises(ValueError, match="how many tasks fit"):
        launch_charts.monthly_costs([1], **WISH | {"tasks_each": 0})
    with pytest.raises(ValueError, match=r"m7i\.xlarge"):
        launch_charts.monthly_costs([1], **WISH | {"instance": "m7i.xlrge"})
    with pytest.raises(ValueError, match="no size"):
        launch_charts.monthly_costs([1], **WISH | {"memory_gb": 9})
