"""The data behind lesson 4's charts, and what the charts say."""

from decimal import Decimal

import pytest

from drydock import eks_charts
from drydock.autoscaling_watch import Mark, Sample, Watch, predicted
from drydock.errors import DrydockError


@pytest.fixture
def watch():
    """One pod, a load of 210 thousandths from second 2 to 10, four pods from second 5 on."""
    made = Watch(api=None, name="worker")
    made.marks = [Mark(2, "load on", 210), Mark(10, "load off", 0)]
    made.samples = [
        Sample(0, None, 1, 1),
        Sample(3, 210, 1, 4),
        Sample(5, 52, 4, 4),
        Sample(11, 10, 4, 4),
        Sample(20, 0, 1, 1),
    ]
    return made


def test_the_model_knows_the_load_and_not_the_window(watch):
    assert predicted(watch, request=100, target=60, least=1, most=8) == [1, 4, 4, 1, 1]


def test_limits_hold_for_the_model(watch):
    assert max(predicted(watch, request=100, target=60, least=1, most=3)) == 3
    assert min(predicted(watch, request=100, target=60, least=2, most=3)) == 2


def test_within_the_tolerance_nothing_changes(watch):
    watch.samples = [Sample(3, 63, 3, 3)]  # 70 % of the request, where 66 are wanted
    assert predicted(watch, request=100, target=66, least=1, most=8) == [3]


def test_what_never_comes_is_told_with_the_next_command():
    class Silent:
        def read_namespaced_horizontal_pod_autoscaler(self, name, namespace):
            class Status:
                current_metrics, current_replicas, desired_replicas = None, 1, 0

            return type("Scaler", (), {"status": Status})

    with pytest.raises(DrydockError, match="type kubectl describe hpa worker"):
        Watch(Silent(), "worker").until(lambda now: now.replicas == 4, seconds=0.1)


def test_the_chart_shows_use_replicas_model_and_marks(watch):
    chart = eks_charts.autoscaling(watch, request=100, target=60, least=1, most=8)
    above, below = chart.axes
    assert list(above.lines[0].get_ydata()) == [210, 52, 10, 0]
    assert list(below.lines[0].get_ydata()) == [1, 1, 4, 4, 1]
    assert list(below.lines[1].get_ydata()) == [1, 4, 4, 1, 1]
    assert "% of the request" in above.get_ylabel() and below.get_ylabel() == "pods"
    assert "seconds" in below.get_xlabel()
    assert {text.get_text().strip() for text in above.texts} == {"load on", "load off"}
    names = [text.get_text() for text in below.get_legend().get_texts()]
    assert names == ["replicas", "the model, which knows the load"]


def test_eks_is_dearer_by_the_control_plane_on_the_same_machines():
    costs = eks_charts.monthly_costs([0, 3, 4], 500, 1024, "m5.large", pods_each=3)
    assert costs[0]["ECS on EC2"] == costs[0]["ECS on Fargate"] == 0
    assert costs[0]["EKS on Fargate"] == Decimal("73.00")
    for row in costs.values():
        assert row["EKS on EC2"] - row["ECS on EC2"] == Decimal("73.00")
    # m5.large: 0.096 an hour, one for three pods and two for four
    assert [costs[n]["ECS on EC2"] for n in (3, 4)] == [Decimal("70.080"), Decimal("140.160")]


def test_a_pod_on_fargate_pays_for_the_next_size():
    [row] = eks_charts.monthly_costs([1], 500, 1024, "m5.large", 3).values()
    # 0.5 vCPU with 1 GB on ECS, with 2 GB on EKS: 730 hours of 1 GB more, and the cluster
    more = row["EKS on Fargate"] - Decimal("73.00") - row["ECS on Fargate"]
    assert round(more, 2) == round(730 * Decimal("0.004445"), 2)


def test_no_pod_on_an_instance_is_refused():
    with pytest.raises(ValueError, match="pods_each is less than 1"):
        eks_charts.monthly_costs([1], 500, 1024, "m5.large", 0)


def test_the_cost_chart_tells_four_ways_units_and_sources():
    chart = eks_charts.monthly_cost([0, 3, 6], 500, 1024, "m5.large", 3)
    [axes] = chart.axes
    labels = [line.get_label() for line in axes.lines]
    assert labels == list(eks_charts.WAYS)
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(styles) == 4
    assert axes.get_ylabel() == "US dollars a month"
    assert "read 20" in chart._supxlabel.get_text()
