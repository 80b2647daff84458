"""The figures' data: what each bar stands for, how long it is, and what is written beside it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest

from drydock import charts
from drydock.model.fargate import run_cost

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass
class Task:
    month: str
    rows: int
    seconds: float
    exit_code: int | None = 0


def ecs_task(month, times, code=0):
    """A task as describe_tasks gives it; `times` in seconds after START."""
    moments = {name: START + dt.timedelta(seconds=second) for name, second in times.items()}
    container = {} if code is None else {"exitCode": code}
    tags = [{"key": "month", "value": month}] if month else []
    arn = "arn:aws:ecs:us-east-1:123456789012:task/drydock/0123456789abcdef"
    return {"taskArn": arn, "tags": tags, "containers": [container]} | moments


WHOLE = {
    "createdAt": 0,
    "pullStartedAt": 1,
    "startedAt": 3,
    "stoppingAt": 10.5,
    "executionStoppedAt": 10,
    "stoppedAt": 11,
}


def texts(figure):
    axes = figure.axes[0]
    return [text.get_text() for text in axes.texts]


def widths(figure):
    return [bar.get_width() for bar in figure.axes[0].patches]


def words(figure):
    """Everything that is written outside the bars."""
    axes = figure.axes[0]
    legend = axes.get_legend()
    return " ".join(
        [
            figure.get_suptitle(),
            figure.get_supxlabel(),
            axes.get_xlabel(),
            axes.get_ylabel(),
            *([text.get_text() for text in legend.get_texts()] if legend else []),
        ]
    )


def test_throughput_is_rows_by_the_seconds_of_the_program():
    tasks = [Task("2013-02", 30_000, 2), Task("2013-01", 10_000, 4)]
    assert charts.throughputs(tasks) == {"2013-01": 2500, "2013-02": 15_000}
    figure = charts.throughput_per_task(tasks)
    assert widths(figure) == [2.5, 15]
    assert texts(figure) == ["2.5", "15.0", "median 8.8"]
    assert "thousand rows a second" in words(figure)
    assert "Measured on this machine" in words(figure)


def test_failed_task_has_no_bar_but_says_so_and_is_not_in_the_median():
    tasks = [Task("2013-01", 0, 2, 137), Task("2013-02", 9_000, 3), Task("2013-03", 0, 0, None)]
    figure = charts.throughput_per_task(tasks)
    assert widths(figure) == [0, 3, 0]
    assert texts(figure) == [
        "failed: exit code 137",
        "3.0",
        "failed: exit code None",
        "median 3.0",
    ]


def test_a_run_without_success_has_no_median():
    figure = charts.throughput_per_task([Task("2013-01", 0, 2, 1)])
    assert texts(figure) == ["failed: exit code 1"]


def test_cost_of_a_million_rows_is_split_by_line_and_sourced():
    bills = {"small": run_cost([60], 0.25, 0.5), "disk": run_cost([60], 1, 2, ephemeral_gb=30)}
    costs = charts.costs_per_million_rows(bills, 500_000)
    assert costs["small"]["vCPU"] == Decimal("0.000011244") * 60 / 4 * 2
    assert list(costs["disk"]) == ["vCPU", "memory", "ephemeral storage"]

    figure = charts.cost_per_million_rows(bills, 500_000)
    small = float(sum(costs["small"].values())) * 100
    disk = float(sum(costs["disk"].values())) * 100
    bars = widths(figure)
    assert sum(bars[0::2]) == pytest.approx(small)
    assert sum(bars[1::2]) == pytest.approx(disk)
    assert texts(figure) == [f"{small:.3g} ¢", f"{disk:.3g} ¢"]
    for word in ("US cents", "us-east-1", "https://aws.amazon.com/fargate/pricing/", "2026-"):
        assert word in words(figure)
    assert "vCPU memory ephemeral storage" in words(figure)


def test_cost_needs_rows():
    with pytest.raises(ValueError, match="rows is 0"):
        charts.cost_per_million_rows({"small": run_cost([60], 1, 2)}, 0)


def test_life_of_a_task_is_told_in_the_states_of_ecs():
    (life,) = charts.task_lives([ecs_task("2013-01", WHOLE)])
    assert [(p.name, p.start, p.end) for p in life.phases] == [
        ("PROVISIONING", 0, 1),
        ("PENDING", 1, 3),
        ("RUNNING", 3, 10),
    ]
    assert (life.label, life.outcome, life.failed) == ("2013-01", "10.0 s", False)


@pytest.mark.parametrize(
    ("times", "code", "phases", "outcome"),
    [
        (WHOLE, 137, ["PROVISIONING", "PENDING", "RUNNING"], "exit code 137"),
        (
            {"createdAt": 0, "pullStartedAt": 1, "stoppingAt": 2, "stoppedAt": 3},
            None,
            ["PROVISIONING", "PENDING"],
            "did not start",
        ),
        (
            {"createdAt": 0, "stoppingAt": 2, "stoppedAt": 3},
            None,
            ["PROVISIONING"],
            "did not start",
        ),
        ({"createdAt": 0}, None, [], "0.0 s so far"),
        (
            {"createdAt": 0, "pullStartedAt": 1, "startedAt": 2},
            None,
            ["PROVISIONING", "PENDING"],
            "2.0 s so far",
        ),
    ],
)
def test_unusual_lives(times, code, phases, outcome):
    (life,) = charts.task_lives([ecs_task("2013-01", times, code)])
    assert [phase.name for phase in life.phases] == phases
    assert life.outcome == outcome


def test_time_line_has_a_row_for_each_task_in_order_of_creation():
    later = {name: second + 5 for name, second in WHOLE.items()}
    figure = charts.task_timeline([ecs_task("2013-02", later, 1), ecs_task("2013-01", WHOLE)])
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["2013-01", "2013-02"]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [
        (0, 1),
        (1, 2),
        (3, 7),
        (5, 1),
        (6, 2),
        (8, 7),
    ]
    assert texts(figure) == ["10.0 s", "exit code 1"]
    assert "PROVISIONING PENDING RUNNING" in words(figure)


def test_task_without_a_month_is_called_by_its_id():
    (life,) = charts.task_lives([ecs_task("", WHOLE)])
    assert life.label == "01234567"


def test_a_chart_shows_itself_without_pyplot_and_without_an_address():
    figure = charts.throughput_per_task([Task("2013-01", 10, 1)])
    png, size = figure._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert size == {"width": 800}
    assert " at 0x" not in repr(figure)
