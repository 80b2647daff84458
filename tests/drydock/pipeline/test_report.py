"""The run report finds every figure that does not add up."""

import copy
import io
from decimal import Decimal

import pytest
from rich.console import Console

from drydock.pipeline.etl_tasks import TaskRun
from drydock.pipeline.report import RunReport


def manifest(read: int, curated: int, quarantined: int, delay: int) -> dict:
    return {
        "rows": {"read": read, "curated": curated, "quarantined": quarantined},
        "sums": {"dep_delay": delay, "arr_delay": 2 * delay, "distance": 3 * delay},
    }


@pytest.fixture
def report() -> RunReport:
    return RunReport(
        tasks=[TaskRun("2013-02", "t1", 0, "", 2.0, 2.5, 131.0, 60, 0)],
        manifests={"2013-01": manifest(100, 98, 2, 500), "2013-02": manifest(60, 60, 0, 100)},
        raw={"rows": 158, "dep_delay": 600, "arr_delay": 1200, "distance": 1800},
        served={"rows": 158, "dep_delay": 600, "arr_delay": 1200},
        etl_seconds=2.0,
        wall_seconds=9.0,
        cost=Decimal("0.00082284"),
        price_note="a source, a date",
        api_url="http://127.0.0.9:8000",
    )


def test_a_run_that_adds_up_has_no_problems(report):
    assert report.problems() == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: r.raw.update(rows=159), "raw objects without quarantined lines = curated"),
        (lambda r: r.served.update(rows=157), "raw objects = data API"),
        (lambda r: r.raw.update(dep_delay=601), "sum of dep_delay: raw = curated"),
        (lambda r: r.served.update(arr_delay=1), "sum of arr_delay: raw = data API"),
        (lambda r: r.raw.update(distance=0), "sum of distance: raw = curated"),
        (
            lambda r: r.manifests["2013-01"]["rows"].update(quarantined=1),
            "read by tasks = curated + quarantined",
        ),
    ],
)
def test_one_wrong_figure_is_found_and_named(report, change, named):
    broken = copy.deepcopy(report)
    change(broken)
    assert any(named in problem for problem in broken.problems())


def test_the_summary_counts_this_run_and_the_checks_count_all_months(report):
    assert report.to_json()["rows"] == {"read": 60, "curated": 60, "quarantined": 0}
    assert report.rows("read") == 160


def test_money_is_not_rounded_in_json(report):
    assert report.to_json()["cost_usd"] == "0.00082284"


def test_the_printed_report_names_what_does_not_add_up(report):
    report.raw["rows"] = 159
    text = io.StringIO()
    report.print(Console(file=text, width=120))
    assert "problem: rows: raw objects" in text.getvalue()
    assert "DIFFERENT" in text.getvalue()
