"""The numbers behind the charts of cost and speed, and that each chart is drawn with them."""

from decimal import Decimal

import pytest

from drydock import tune_charts
from drydock.model.prices import Bill, Line, price, rounded
from drydock.model.simulation import Fleet, day_of_arrivals, durations, simulate
from drydock.model.throughput import Usl, fit_usl


def text_of(chart) -> str:
    axes = [words for one in chart.axes for words in (one.get_xlabel(), one.get_ylabel())]
    return " ".join([chart.get_suptitle(), chart.get_supxlabel(), *axes])


def test_a_month_by_launch_type_to_the_cent():
    bills = tune_charts.launch_types(Decimal(8))
    # Fargate by the hour: 4 * 0.04048 + 16 * 0.004445 = 0.23304; Glue: one DPU at 0.44.
    assert {name: str(rounded(bill.total())) for name, bill in bills.items()} == {
        "Fargate": "55.93",
        "Fargate Spot": "22.37",
        "EC2, all month": "145.15",
        "EKS on EC2, all month": "217.15",
        "Glue G.1X": "105.60",
        "EMR Serverless": "72.71",
        # 30 * 8 h * 3600 s * 10 GB * 0.0000166667, and 960 requests.
        "Lambda, 10 GB": "144.00",
    }


@pytest.mark.parametrize(
    "one, other, hours",
    [
        ("Fargate", "EC2, all month", "20.76"),
        ("Glue G.1X", "EC2, all month", "11.00"),
        ("Fargate Spot", "EC2, all month", None),
        ("Fargate", "Fargate", None),
    ],
)
def test_where_two_launch_types_cost_the_same(one, other, hours):
    found = tune_charts.crossing(one, other)
    assert (found and str(found)) == hours
    if found:
        bills = tune_charts.launch_types(found)
        assert bills[one].total() == pytest.approx(bills[other].total(), rel=Decimal("0.001"))


def test_the_front_has_only_what_nothing_beats():
    points = {
        "slow, cheap": (9.0, Decimal(1)),
        "fast, dear": (1.0, Decimal(9)),
        "worse": (9.5, Decimal(2)),
        "middle": (4.0, Decimal(3)),
        "as fast, dearer": (1.0, Decimal(10)),
    }
    assert tune_charts.pareto(points) == ["fast, dear", "middle", "slow, cheap"]
    assert "cents" in text_of(tune_charts.pareto_front(points, "a machine"))


def test_each_chart_has_title_units_and_says_what_is_simulated():
    law = Usl(100, 0.05, 0.001)
    workers = (1, 2, 3, 4, 6, 8)
    rates = [law.throughput(one) for one in workers]
    speed = tune_charts.parallel_speed(workers, rates, fit_usl(workers, rates), "a machine")
    assert "rows a second" in text_of(speed) and "Measured on a machine" in text_of(speed)
    arrivals = day_of_arrivals([60] * 4, 1)
    result = simulate(arrivals, durations(len(arrivals), 60, 0.5, 1), Fleet("backlog", 0, 9))
    day = text_of(tune_charts.scaling_day({"backlog": result}))
    assert "Simulated, not measured" in day and "tasks that wait" in day
    bill = Bill((Line("NAT", Decimal(100), price("nat/hour")),))
    assert "US dollars a month" in text_of(tune_charts.breakdown({"network": bill}))
    assert "US dollars a month" in text_of(tune_charts.launch_type_costs())
    moved = tune_charts.sensitivity(Decimal(5), {"hours": (Decimal(4), Decimal(7))})
    assert [patch.get_width() for patch in moved.axes[0].patches] == [-1.0, 2.0]
