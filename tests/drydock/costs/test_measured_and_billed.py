"""`drydock measure` and `drydock bill` on a cloud that really runs the ETL."""

import datetime as dt
from decimal import Decimal

import pytest

from drydock.costs import cloud_bill
from drydock.errors import WrongInput
from drydock.lab import CLUSTER, open_lab
from drydock.model import fargate
from drydock.model.prices import rounded
from drydock.pipeline import measure


@pytest.fixture(scope="module")
def lab(cloud):
    return open_lab()


@pytest.fixture(scope="module")
def table(lab):
    return measure.measure(
        lab,
        "2026-11-23",
        repeat=1,
        sizes=((1024, 2048),),
        limits_mib=(64,),
        side_by_side=(1, 2),
    )


def test_what_was_measured_really_ran(table, tmp_path):
    [size] = table.sizes
    assert (size.rows, size.exit_code, size.tasks) == (336_776, 0, 1)
    assert size.rows_per_second > 0 and size.peak_mib > 10
    [limit] = table.limits
    assert (limit.exit_code, limit.rows, limit.rows_per_second) == (137, 0, 0.0)
    one, two = table.side_by_side
    assert (one.rows, two.rows) == (27_004, 27_004 + 24_951)
    table.save(tmp_path / "new" / "measured.json")
    assert measure.load(tmp_path / "new" / "measured.json") == table


def test_the_bill_has_every_task_with_its_recorded_time(lab, table):
    ecs = lab.client("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, family=measure.FAMILY, desiredStatus="STOPPED")
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns["taskArns"])["tasks"]
    assert len(tasks) == 5
    quarters = [task for task in tasks if task["cpu"] == "256"]
    times = [
        (task.get("executionStoppedAt", task["stoppedAt"]) - task["pullStartedAt"]).total_seconds()
        for task in quarters
    ]
    items, left_out = cloud_bill.read(lab, dt.datetime.now(dt.UTC))
    by_name = {(item.what, item.used.split(",")[0]): item for item in items}
    item = by_name[f"Fargate: {measure.FAMILY}", "3 x 0.25 vCPU / 0.5 GB"]
    expected = fargate.run_cost(times, Decimal("0.25"), Decimal("0.5"))
    assert item.bill == expected
    addresses = fargate.run_cost(times, "0.25", "0.5", public_ipv4=True).total() - expected.total()
    gone = f"3 tasks of {measure.FAMILY}, whose network interfaces are gone: "
    assert f"{gone}${rounded(addresses, 4)} if they had public IPv4 addresses" in left_out
    kinds = {item.what.split(":")[0] for item in items}
    assert {"Fargate", "RDS", "S3", "Secrets Manager", "CloudWatch Logs"} <= kinds


def test_a_table_that_is_not_one_is_refused(tmp_path):
    with pytest.raises(WrongInput, match="type: drydock measure"):
        measure.load(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"day": 1}')
    with pytest.raises(WrongInput, match="no table of measurements"):
        measure.load(tmp_path / "bad.json")
