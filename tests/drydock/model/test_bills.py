"""Bills of every service: rules that examples do not show, what must always hold, bad input."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model import (
    api_gateway,
    clusters,
    databases,
    ec2,
    emr,
    fargate,
    functions,
    glue,
    network,
    operations,
    prices,
    step_functions,
    storage,
    tiers,
)

QUANTITY = st.integers(0, 10**11)
GROWING = {
    "lambda": lambda n: functions.on_demand(n, 120, 1536),
    "lambda, free tier": lambda n: functions.on_demand(n, 120, 1536, free_tier=True),
    "rest": api_gateway.rest,
    "http": api_gateway.http,
    "websocket": api_gateway.websocket,
    "data api": databases.data_api,
    "endpoint": lambda n: network.interface_endpoints(1, gb=n),
    "express": lambda n: step_functions.express(n, 100, 64),
    "standard": lambda n: step_functions.standard(n, 3, free_tier=True),
    "hybrid": clusters.eks_hybrid,
    "ec2": lambda n: ec2.on_demand("m5.large", n),
    "glue": lambda n: glue.spark_job(n, 10),
    "catalog": lambda n: glue.catalog(objects=n, requests=n, free_tier=True),
    "emr": lambda n: emr.serverless(n, vcpu=4, memory_gb=16),
    "sqs": operations.sqs,
    "gp3": lambda n: ec2.ebs(100, iops=n, mbps=n),
}


def total(bill) -> Decimal:
    return bill.total()


@pytest.mark.parametrize("name", GROWING)
@given(QUANTITY, QUANTITY)
def test_more_never_costs_less(name, one, other):
    less, more = sorted((one, other))
    assert total(GROWING[name](less)) <= total(GROWING[name](more))


@given(st.integers(0, 10**11), st.integers(0, 10**11))
def test_a_month_split_in_two_costs_the_same(first, second):
    name = "lambda/X86_64/gb-second"
    whole = tiers.tiered("x", first + second, name)
    split = tiers.tiered("x", first, name) + tiers.tiered("x", second, name, used=first)
    assert sum(line.amount for line in whole) == sum(line.amount for line in split)


@given(st.integers(0, 10**12))
def test_tiers_lose_nothing(quantity):
    lines = tiers.tiered("x", quantity, "lambda/ARM64/gb-second")
    assert sum(line.quantity for line in lines) == quantity


def test_tier_ends_belong_to_the_lower_tier():
    assert [line.what for line in tiers.tiered("calls", 333, "api-gateway/rest/requests")] == [
        "calls, first 333"
    ]
    assert [line.what for line in tiers.tiered("calls", 30000, "api-gateway/rest/requests")] == [
        "calls, first 333",
        "calls, next 667",
        "calls, next 19,000",
        "calls, over 20,000",
    ]


def test_windows_tasks_pay_five_minutes_and_a_licence():
    bill = fargate.task_cost(10, 1, 2, system="WINDOWS")
    rates = [Decimal("0.0000254167"), 2 * Decimal("0.0000027778"), Decimal("0.0000127778")]
    assert [line.amount for line in bill.lines] == [300 * rate for rate in rates]
    assert len(fargate.sizes("ECS", "WINDOWS")) < len(fargate.sizes("ECS"))


def test_spot_takes_its_part_off_vcpu_and_memory_but_not_off_disk():
    full = fargate.task_cost(3600, 1, 2, ephemeral_gb=30).lines
    spot = fargate.task_cost(3600, 1, 2, ephemeral_gb=30, discount="0.7").lines
    ratios = [after.amount / before.amount for after, before in zip(spot, full, strict=True)]
    assert ratios == [Decimal("0.3"), Decimal("0.3"), 1]


def test_ec2_types_have_gpus_and_room_for_pods():
    types = ec2.instance_types()
    assert len(types) == 52
    assert types["g4dn.12xlarge"].gpu == ec2.Gpu(4, "T4", 16384)
    assert types["m5.large"].gpu is None
    assert types["p5.48xlarge"].hour.value == Decimal("55.04")
    for kind in types.values():
        assert 0 < kind.allocatable_millicpu < kind.vcpu * 1000
        assert 0 < kind.allocatable_mib < kind.memory_mib
        assert kind.max_pods > 0


@pytest.mark.parametrize(("ran", "seconds"), [(0, 60), (59.5, 60), (60.1, 61), (3600, 3600)])
def test_ec2_bills_whole_seconds_and_at_least_a_minute(ran, seconds):
    assert ec2.on_demand("t3.medium", ran).lines[0].quantity == Decimal(seconds) / 3600


def test_management_fees_are_published_estimated_or_refused():
    assert clusters.management_fee("auto-mode", "m5.large").value == Decimal("0.01152")
    estimate = clusters.management_fee("auto-mode", "m7i.large")
    assert estimate.value == Decimal("0.1008") * Decimal("0.12")
    assert "estimate" in estimate.unit
    with pytest.raises(ValueError, match="the auto-mode fee of g5"):
        clusters.eks_auto_mode("g5.xlarge", 3600)
    assert clusters.eks_auto_mode("g5.xlarge", 3600, fee_per_hour="0.1").total() == Decimal("0.1")
    bill = clusters.ecs_managed_instances("c6a.2xlarge", 30)
    assert bill.total("total", 6) == Decimal("0.000617")


def test_hybrid_nodes_and_anywhere():
    assert clusters.eks_hybrid(600_000).total() == 576_000 * Decimal("0.020") + 24_000 * Decimal(
        "0.014"
    )
    assert clusters.ecs_anywhere(100, instances=2).total() == Decimal("2.05")


def test_glue_minimums_flex_and_catalog():
    assert glue.spark_job(10, 2).total() == glue.spark_job(60, 2).total()
    assert glue.crawler(60).total() == glue.crawler(600).total()
    assert glue.crawler(60, minimum_seconds=60).total() < glue.crawler(600).total()
    assert glue.spark_job(3600, 10, execution_class="FLEX").total() == Decimal("2.9")
    assert glue.python_shell(3600).total() == Decimal("0.0275")
    assert glue.catalog(objects=2_000_000, requests=2_000_000, free_tier=True).total() == 11
    assert glue.databrew(sessions=3, node_hours=10).total() == Decimal("7.8")


def test_emr_serverless_disk_beyond_20_gb_is_billed():
    with_disk = emr.serverless(3600, vcpu=4, memory_gb=16, workers=2, storage_gb=120)
    assert with_disk.lines[-1].amount == 200 * Decimal("0.000111")
    assert len(emr.serverless(3600, vcpu=4, memory_gb=16).lines) == 2


def test_rds_has_a_minimum_of_ten_minutes_and_gp3_includes_iops():
    def iops(gb, n):
        return databases.postgres("db.t3.large", 3600, storage_gb=gb, iops=n).lines[2:]

    short, ten = (databases.postgres("db.t4g.micro", s).total() for s in (60, 600))
    assert short == ten
    assert iops(399, 3000) == ()
    assert iops(399, 4000)[0].quantity == 1000
    assert iops(400, 12000) == ()


@pytest.mark.parametrize(
    ("kwargs", "billed"), [({"vcpu": 1}, 2), ({"vcpu": 4}, 4), ({"acu": 2}, 8)]
)
def test_rds_proxy_has_a_minimum(kwargs, billed):
    assert databases.proxy(1, **kwargs).total() == billed * Decimal("0.015")


@pytest.mark.parametrize(
    ("instance_class", "connections"),
    [
        ("db.t4g.micro", 112),
        ("db.t3.large", 901),
        ("db.m6g.xlarge", 1802),
        ("db.r6g.2xlarge", 5000),
    ],
)
def test_max_connections(instance_class, connections):
    assert databases.max_connections(instance_class) == connections


def test_aurora_io_optimized_has_its_requests_included():
    bill = databases.aurora_serverless(0, storage_gb=100, io_requests=10**9, io_optimized=True)
    assert bill.total() == Decimal("22.5")
    bill = databases.aurora_serverless(0, storage_gb=100, io_requests=10**9)
    assert bill.total() == Decimal(210)


@pytest.mark.parametrize(("kb", "metered"), [(0, 1), (512, 1), (512.1, 2), (1024, 2)])
def test_http_requests_are_metered_by_512_kb(kb, metered):
    assert api_gateway.http(1_000_000, request_kb=kb).total() == metered


def test_lcus_take_the_largest_dimension():
    assert network.lcus(new_connections=50) == 2
    assert network.lcus(new_connections=25, connection_seconds=600) == 5
    assert network.lcus(new_connections=25, connection_seconds=600, mutual_tls=True) == 10
    assert network.lcus(gb_per_hour=1, lambda_gb_per_hour=2) == 6
    assert network.lcus(requests=1000, rules=10) == 0
    assert network.lcus(requests=1000, rules=13, gb_per_hour=2) == 3


def test_parts_of_hours_are_whole_hours_for_gateways():
    assert network.nat_gateway("0.01").total() == network.nat_gateway(1).total()
    assert network.interface_endpoints(1.5, zones=3).lines[0].quantity == 6


def test_free_transfer_comes_before_the_first_tier():
    assert network.data_transfer(100, free_tier=True).total() == 0
    assert network.data_transfer(101, free_tier=True).total() == Decimal("0.09")


@pytest.mark.parametrize(("kept", "billed"), [(1, 300), (300, 300), (301, 600)])
def test_provisioned_concurrency_is_billed_by_five_minutes(kept, billed):
    bill = functions.provisioned_concurrency(1, kept, 1024)
    assert bill.lines[0].quantity == billed


def test_lambda_bills_whole_milliseconds():
    assert functions.gb_seconds(1000, "0.1", 1024) == 1
    assert functions.gb_seconds(1000, "1.1", 1024) == 2


@pytest.mark.parametrize(("ms", "mb"), [(1, 1), (100, 64), (50, 33)])
def test_express_workflows_are_rounded_up_to_100_ms_and_64_mb(ms, mb):
    assert (
        step_functions.express(10**6, ms, mb).total()
        == step_functions.express(10**6, 100, 64).total()
    )


def test_storage_and_operations():
    assert storage.s3(gb=100, writes=1000, reads=1000, months=2).total() == Decimal("4.6054")
    assert storage.ecr(2).total() == Decimal("0.2")
    assert operations.kms(1, requests=10_000).total() == Decimal("1.03")
    assert functions.response_streaming(10).total() == Decimal("0.08")
    assert functions.snap_start(100, 2048, restores=10).total() == Decimal(
        "0.00030092"
    ) + 20 * Decimal("0.0001397998")


def test_anything_priced_can_be_billed():
    assert tiers.usage("nat/gb", 2).total() == Decimal("0.09")
    assert len(tiers.usage("api-gateway/http/requests", 400).lines) == 2
    both = prices.combined([tiers.usage("nat/gb", 2), tiers.usage("nat/hour", 1)])
    assert [line.what for line in both.lines] == ["nat/gb", "nat/hour"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ec2.on_demand("m5.lrge", 60), "no instance type is called 'm5.lrge'.*'m5.large'"),
        (lambda: ec2.on_demand("m5.large", -1), "seconds is -1"),
        (lambda: ec2.on_demand("m5.large", 1, instances=0.5), "instances is 0.5: type a whole"),
        (lambda: ec2.ebs(10, kind="st1"), "kind 'st1' has no price here"),
        (lambda: ec2.ebs(10, kind="gp2", iops=1), "gp2 takes no iops"),
        (lambda: clusters.eks(1, support="none"), "'standard', 'extended'"),
        (lambda: glue.spark_job(60, 2, worker_type="G.3X"), "no Glue worker type is called"),
        (lambda: glue.spark_job(60, 2, worker_type="R.1X"), "no price of an M-DPU-hour"),
        (lambda: glue.spark_job(60, 2, execution_class="SPOT"), "'STANDARD', 'FLEX'"),
        (lambda: glue.python_shell(60, dpu=2), "0.0625 or 1"),
        (lambda: emr.on_ec2("m5.large", 60), "no price is called 'emr/ec2/m5.large-hour'"),
        (lambda: functions.on_demand(1, 1, 127), "memory_mb is 127: type 128 to 10240"),
        (lambda: functions.on_demand(1, 1, 128, ephemeral_mb=511), "type 512"),
        (lambda: functions.on_demand(1, 1, 128, architecture="arm"), "'X86_64', 'ARM64'"),
        (lambda: databases.postgres("db.t9.huge", 1), "no price is called"),
        (lambda: databases.postgres("db.t3.large", 1, storage_gb=1, storage="x"), "'gp2', 'gp3'"),
        (lambda: databases.proxy(1), "type either vcpu="),
        (lambda: databases.aurora_serverless(1, io_optimized=True), "no ACU price"),
        (lambda: databases.max_connections("db.t4g.nano"), "no instance class is called"),
        (lambda: api_gateway.cache(1, gb=2), "no price is called 'api-gateway/cache/2-hour'"),
        (lambda: network.alb(0, processed_gb=1), "hours is 0"),
        (lambda: network.data_transfer(1, to="moon"), "type 'internet', 'zone'"),
        (lambda: network.data_transfer(200_000), "known to 153,600 only"),
        (lambda: storage.s3(gb=60_000), "known to 51,200 only"),
        (lambda: fargate.task_cost(1, 0.25, 1, system="WINDOWS"), "Fargate has no size"),
        (lambda: fargate.task_cost(1, 1, 2, system="MACOS"), "type one of 'LINUX', 'WINDOWS'"),
        (lambda: fargate.task_cost(1, 1, 2, system="WINDOWS", discount=0.5), "on demand"),
        (lambda: tiers.usage("nat/gib", 1), "no price is called 'nat/gib'.*'nat/gb'"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()
