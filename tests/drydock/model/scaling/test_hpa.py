"""The HPA: the controller's own cases as data, the edges of its rules, and its brakes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.scaling import hpa
from drydock.model.scaling.hpa import Controller, Pod, Tolerance
from drydock.model.scaling.hpa_behavior import Behavior, History, Policy, Rules, decide

FILE = Path(__file__).parents[1] / "cases" / "hpa.json"
CASES = json.loads(FILE.read_text())["cases"]
PODS = st.builds(
    Pod,
    usage=st.one_of(st.none(), st.integers(0, 5000)),
    request=st.integers(1, 2000),
    ready=st.booleans(),
    phase=st.sampled_from(["Running", "Pending", "Failed"]),
    age=st.floats(0, 1000),
)
UPSTREAM = Controller(cpu_initialization=120, initial_readiness_delay=10)


def answer(case: dict) -> int:
    current, target = case["current"], case["target"]
    if case["kind"] == "object":
        return hpa.object_replicas(current, case["value"], target, ready=case["ready"])
    if case["kind"] == "average":
        return hpa.object_average_replicas(current, case["value"], target)
    pods = [Pod(**pod) for pod in case["pods"]]
    if case["kind"] == "resource":
        return hpa.resource_replicas(pods, current, target, controller=UPSTREAM)
    return hpa.pod_metric_replicas(pods, current, target, controller=UPSTREAM)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case_of_the_controller(case):
    assert answer(case) == case["replicas"]


@pytest.mark.parametrize(
    ("ratio", "covered"), [(0.9, True), (1.1, True), (0.89, False), (1.11, False)]
)
def test_tolerance_includes_its_ends(ratio, covered):
    assert Tolerance().covers(ratio) is covered


def test_at_one_and_a_tenth_nothing_changes():
    assert hpa.resource_replicas([Pod(1100, 1000)] * 10, 10, 100) == 10
    assert hpa.resource_replicas([Pod(1110, 1000)] * 10, 10, 100) == 12
    narrow = Controller(tolerance=Tolerance(up=0.05))
    assert hpa.resource_replicas([Pod(1100, 1000)] * 10, 10, 100, controller=narrow) == 11


def test_missing_pods_count_as_the_target_above_100_percent():
    pods = [Pod(1000, 1000), Pod(None, 1000)]
    assert hpa.resource_replicas(pods, 2, 200) == 2


def test_at_the_target_a_missing_pod_lowers_a_value_but_not_a_utilisation():
    pods = [Pod(1000, 1000), Pod(None, 1000)]
    assert hpa.resource_replicas(pods, 2, 100) == 2
    assert hpa.pod_metric_replicas(pods, 2, 1000) == 1


def test_readiness_rules_for_cpu():
    busy = [Pod(1000, 1000)]

    def replicas(**young):
        return hpa.resource_replicas([*busy, Pod(1000, 1000, **young)], 2, 50)

    assert replicas() == 4
    # Young: its sample must be taken a whole window after it became ready.
    assert replicas(age=100, ready_changed=60, metric_age=5, metric_window=30) == 4
    assert replicas(age=100, ready_changed=80, metric_age=5, metric_window=30) == 2
    # Older: set aside only if it has never been ready.
    assert replicas(age=1000, ready=False, ready_changed=20) == 2
    assert replicas(age=1000, ready=False, ready_changed=40) == 4


def test_memory_has_no_readiness_rules():
    pods = [Pod(1000, 1000), Pod(1000, 1000, ready=False, age=5)]
    assert hpa.resource_replicas(pods, 2, 50, resource="memory") == 4


def test_from_zero_the_ratio_counts():
    assert hpa.object_replicas(0, 25, 10, ready=0) == 3
    assert hpa.object_average_replicas(0, 25, 10) == 3


@pytest.mark.parametrize(
    ("proposals", "replicas"),
    [([3, 7], 7), ([3, 2], 3), ([None, 7], 7), ([None, 3], 5), ([None, 5], 5)],
)
def test_several_metrics_take_the_largest_and_a_failed_one_blocks_scaling_down(proposals, replicas):
    assert hpa.several(5, proposals) == replicas


@given(st.lists(PODS, min_size=1, max_size=12), st.integers(1, 300))
def test_replicas_follow_the_direction_of_the_metric(pods, target):
    counted = [p for p in pods if p.phase != "Failed"]
    try:
        replicas = hpa.resource_replicas(pods, len(counted), target)
    except ValueError:
        return
    every = [p.usage for p in counted if p.usage is not None]
    if all(p.ready and p.age > 300 and p.phase == "Running" for p in counted) and len(every) == len(
        counted
    ):
        usage = sum(every) * 100 // sum(p.request for p in counted)
        assert (replicas > len(counted)) <= (usage > target)
        assert (replicas < len(counted)) <= (usage < target)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: hpa.resource_replicas([Pod(1)], 1, 50), "missing request for cpu"),
        (lambda: hpa.resource_replicas([], 1, 50), "no pods"),
        (lambda: hpa.resource_replicas([Pod(None, 1)], 1, 50), "no metrics for any ready pod"),
        (lambda: hpa.resource_replicas([Pod(1, 0)], 1, 50), "add up to 0"),
        (lambda: hpa.resource_replicas([Pod(1, 1)], 1, 0), "target is 0"),
        (lambda: hpa.several(1, [None]), "no metric gave an answer"),
        (lambda: Pod(1, phase="Done"), "phase 'Done' is unknown"),
        (lambda: Policy("Nodes", 1, 1), "type 'Pods' or 'Percent'"),
        (lambda: Policy("Pods", 1, 1801), "1 to 1800"),
        (lambda: Policy("Pods", 0, 60), "value is 0"),
        (lambda: Rules(0, (), "Most"), "select 'Most' is unknown"),
        (lambda: Rules(3601, ()), "0 to 3600"),
        (lambda: Behavior(5, 2), "minimum <= maximum"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def run(current: int, wanted: list[int], behavior: Behavior, step: float = 15) -> list[int]:
    """Replicas after each evaluation, `step` seconds apart."""
    history, seen = History(), []
    for index, desired in enumerate(wanted):
        current, history = decide(current, desired, index * step, behavior, history)
        seen.append(current)
    return seen


def test_defaults_add_four_or_double_every_15_seconds():
    assert run(1, [100] * 6, Behavior(1, 100)) == [5, 10, 20, 40, 80, 100]


def test_down_waits_for_the_highest_of_five_minutes():
    seen = run(10, [10] + [2] * 21, Behavior(1, 10))
    assert seen[:20] == [10] * 20
    assert seen[20] == 2


def test_a_percentage_downwards_takes_the_larger_step():
    rules = Rules(0, (Policy("Percent", 10, 60),))
    assert run(80, [1] * 4, Behavior(1, 100, down=rules), step=60) == [72, 64, 57, 51]


def test_a_policy_counts_what_was_done_in_its_period():
    rules = Rules(0, (Policy("Pods", 4, 60),))
    assert run(10, [30] * 6, Behavior(1, 30, up=rules)) == [14, 14, 14, 14, 18, 18]


@pytest.mark.parametrize(("select", "replicas"), [("Max", 20), ("Min", 12), ("Disabled", 10)])
def test_select_policy(select, replicas):
    rules = Rules(0, (Policy("Pods", 2, 60), Policy("Percent", 100, 60)), select)
    assert run(10, [50], Behavior(1, 50, up=rules)) == [replicas]


def test_stabilisation_upwards_takes_the_lowest():
    rules = Rules(60, (Policy("Percent", 900, 15),))
    assert run(2, [2, 8, 8, 8, 8], Behavior(1, 50, up=rules)) == [2, 2, 2, 2, 8]


def test_outside_the_limits_it_goes_there_at_once():
    assert run(50, [50], Behavior(1, 10)) == [10]
    assert run(1, [1], Behavior(3, 10)) == [3]
    assert run(0, [5], Behavior(1, 10)) == [0]


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=40),
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(0, 80),
)
def test_replicas_stay_within_the_limits(wanted, current, minimum, room):
    behavior = Behavior(minimum, minimum + room)
    assert all(minimum <= n <= minimum + room for n in run(current, wanted, behavior))
