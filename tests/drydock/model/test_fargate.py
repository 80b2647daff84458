"""Fargate's sizes and bills: AWS's published examples to the cent, and what must always hold."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model import fargate
from drydock.model.fargate import Size, run_cost, task_cost

DURATIONS = st.floats(0, 1e6, allow_nan=False)
SIZES = st.sampled_from(fargate.sizes())


def amounts(bill, places=2):
    return {
        line.what: str(round(line.amount, 10).quantize(Decimal(1).scaleb(-places)))
        for line in bill.lines
    }


def test_published_example_of_ecs_tasks_with_a_larger_disk():
    # https://aws.amazon.com/fargate/pricing/ example 1: 5 tasks, 10 minutes a day, 30 days
    bill = run_cost([600] * 5 * 30, 1, 2, ephemeral_gb=30)
    assert amounts(bill) == {"vCPU": "1.01", "memory": "0.22", "ephemeral storage": "0.03"}
    assert bill.total("lines") == Decimal("1.26")


def test_published_example_of_eks_pods():
    # the same page, example 3: 10 pods, an hour a day, 30 days
    bill = run_cost([3600] * 10 * 30, 0.25, 1)
    assert amounts(bill) == {"vCPU": "3.04", "memory": "1.33"}
    assert bill.total("lines") == Decimal("4.37")


def test_price_list_example_by_the_hour():
    # infracost's golden file ecs_service_test, priced from the AWS Price List: 730 hours
    bill = task_cost(730 * 3600, 1, 2, rate="hour")
    assert amounts(bill) == {"vCPU": "29.55", "memory": "6.49"}


def test_arm_is_billed_at_its_own_rates():
    bill = task_cost(3600, 1, 2, architecture="ARM64")
    assert bill.total() == 3600 * (Decimal("0.0000089944") + 2 * Decimal("0.0000009889"))


def test_public_address_is_half_a_cent_an_hour_with_the_same_minimum():
    with_address = task_cost(5, 1, 2, public_ipv4=True).total() - task_cost(5, 1, 2).total()
    assert round(with_address * 60, 20) == Decimal("0.005")


@pytest.mark.parametrize(
    ("ran", "billed"), [(0, 60), (59.999, 60), (60, 60), (60.001, 61), (61, 61), ("75.2", 76)]
)
def test_seconds_are_rounded_up_and_at_least_a_minute(ran, billed):
    assert fargate.billed_seconds(ran) == billed


def test_every_task_pays_its_own_minimum():
    assert run_cost([1, 1, 1], 1, 2).total() == task_cost(180, 1, 2).total()


def test_no_task_costs_nothing():
    assert run_cost([], 1, 2).total("lines") == 0


def test_lines_and_total_round_differently():
    bill = run_cost([600] * 5 * 30, 1, 2, ephemeral_gb=30)
    assert bill.total("total") == Decimal("1.26")
    halves = run_cost([100], 1, 2)
    assert halves.total("lines", 4) == Decimal("0.0011") + Decimal("0.0002")
    assert halves.total("total", 4) == Decimal("0.0014")


@given(DURATIONS, DURATIONS, SIZES)
def test_longer_never_costs_less(one, other, size):
    short, long = sorted((one, other))
    cost = [task_cost(s, size.vcpu, size.memory_gb).total() for s in (short, long)]
    assert cost[0] <= cost[1]


@given(DURATIONS, SIZES, SIZES)
def test_more_of_both_never_costs_less(seconds, one, other):
    if one.cpu_units <= other.cpu_units and one.memory_mib <= other.memory_mib:
        assert (
            task_cost(seconds, one.vcpu, one.memory_gb).total()
            <= task_cost(seconds, other.vcpu, other.memory_gb).total()
        )


@given(st.lists(DURATIONS, max_size=20), SIZES)
def test_a_run_costs_what_its_tasks_cost(durations, size):
    each = [task_cost(s, size.vcpu, size.memory_gb).total() for s in durations]
    assert run_cost(durations, size.vcpu, size.memory_gb).total() == sum(each)


def test_there_are_77_sizes_for_ecs_and_74_for_eks():
    assert (len(fargate.sizes("ECS")), len(fargate.sizes("EKS"))) == (77, 74)
    assert fargate.sizes()[0] == Size(256, 512)
    assert str(fargate.sizes()[-1]) == "32 vCPU / 244 GB"


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        ((0, 0), Size(256, 512)),
        ((1, 8.25), Size(2048, 9 * 1024)),  # the EKS guide: 1 vCPU and 8 GB, with its 256 MB
        ((1, 2.5), Size(1024, 3072)),
        ((3, 1), Size(4096, 8192)),
        ((17, 61), Size(32768, 120 * 1024)),
    ],
)
def test_smallest_size_for_a_request(request_, size):
    assert fargate.smallest_size(*request_) == size


@given(st.floats(0, 32), st.floats(0, 244))
def test_smallest_size_holds_the_request(vcpu, memory_gb):
    size = fargate.smallest_size(vcpu, memory_gb)
    assert size.vcpu >= Decimal(str(vcpu))
    assert size.memory_gb >= Decimal(str(memory_gb))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: task_cost(60, 1, 16), "take 1 vCPU / 8 GB or 2 vCPU / 16 GB"),
        (lambda: task_cost(60, 3, 8), "take 2 vCPU / 8 GB or 4 vCPU / 8 GB"),
        (lambda: task_cost(60, 32, 121), "take 32 vCPU / 120 GB or 32 vCPU / 244 GB"),
        (lambda: task_cost(60, 64, 500), "take 32 vCPU / 244 GB"),
        (lambda: task_cost(-1, 1, 2), "seconds is -1: type a number"),
        (lambda: task_cost(math.nan, 1, 2), "seconds is nan: type a number"),
        (lambda: task_cost(math.inf, 1, 2), "seconds is inf: type a number"),
        (lambda: task_cost("soon", 1, 2), "seconds is 'soon': type a number"),
        (lambda: task_cost(None, 1, 2), "seconds is None: type a number"),
        (lambda: task_cost(True, 1, 2), "seconds is True: type a number"),
        (lambda: task_cost(60, "one", 2), "vcpu is 'one': type a number"),
        (lambda: task_cost(60, 1, 2, ephemeral_gb=10), "type 20 .* to 200"),
        (lambda: task_cost(60, 1, 2, ephemeral_gb=201), "type 20 .* to 200"),
        (lambda: task_cost(60, 1, 2, architecture="arm"), "type 'X86_64' or 'ARM64'"),
        (lambda: task_cost(60, 1, 2, rate="day"), "type 'second' or 'hour'"),
        (lambda: task_cost(60, 1, 2).total("up"), "type one of 'none', 'lines', 'total'"),
        (lambda: fargate.smallest_size(33, 1), "at most 32 vCPU / 244 GB"),
        (lambda: fargate.smallest_size(17, 1, "EKS"), "at most 16 vCPU / 120 GB"),
        (lambda: fargate.sizes("EC2"), "type 'ECS' or 'EKS'"),
        (lambda: fargate.cost_per_million_rows(Decimal(1), 0), "rows is 0: type"),
        (lambda: fargate.cost_per_million_rows(Decimal(-1), 5), "cost is"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_cost_per_million_rows():
    assert fargate.cost_per_million_rows(Decimal("0.5"), 250_000) == 2
