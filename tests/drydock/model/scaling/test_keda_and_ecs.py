"""KEDA's rules, ECS service auto scaling, capacity providers: published numbers and edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.scaling import capacity, ecs, keda
from drydock.model.scaling.ecs import Step


def test_thirty_messages_at_ten_each_are_three_pods():
    metric = keda.sqs_messages(20, 10, 99)
    assert metric == 30
    assert keda.replicas(metric, 10, current=1) == 3
    assert keda.sqs_messages(20, 10, 5, count_in_flight=False, count_delayed=True) == 25


@pytest.mark.parametrize(
    ("metric", "options", "replicas"),
    [
        (0, {"current": 0}, 0),
        (1, {"current": 0}, 1),
        (900, {"current": 0}, 1),  # KEDA brings the first one, the HPA the others
        (5, {"current": 0, "activation": 5}, 0),  # active only above
        (6, {"current": 0, "activation": 5}, 1),
        (0, {"current": 4, "idle_seconds": 300}, 1),
        (0, {"current": 4, "idle_seconds": 301}, 0),
        (50, {"current": 4, "activation": 60, "idle_seconds": 301}, 0),
        (0, {"current": 4, "minimum": 2, "idle_seconds": 999}, 2),
        (2000, {"current": 4}, 100),
        (43, {"current": 4}, 4),  # within the HPA's tolerance
    ],
)
def test_scaled_object(metric, options, replicas):
    assert keda.replicas(metric, 10, **options) == replicas


@pytest.mark.parametrize(
    ("strategy", "options", "jobs"),
    [
        ("default", {"running": 3}, 3),
        ("default", {"running": 9}, 0),
        ("custom", {"running": 3, "deduction": 1, "running_part": 0.5}, 4),
        ("accurate", {"running": 3, "pending": 2}, 4),
        ("accurate", {"running": 6, "pending": 2}, 4),
        ("eager", {"running": 3}, 6),
        ("eager", {"running": 5, "pending": 1}, 4),
    ],
)
def test_scaled_job_with_six_messages_and_room_for_ten(strategy, options, jobs):
    assert keda.new_jobs(6, 1, maximum=10, strategy=strategy, **options) == jobs


@given(
    st.sampled_from(keda.STRATEGIES),
    st.integers(0, 500),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_jobs_are_never_more_than_asked_for(strategy, queue, running, pending):
    new = keda.new_jobs(queue, 2, running=running, pending=min(pending, running), strategy=strategy)
    assert 0 <= new <= min(100, (queue + 1) // 2)


def test_alarms_of_target_tracking():
    high, low = ecs.target_tracking_alarms(30)
    assert (high.threshold, high.points, low.threshold, low.points) == (30, 3, 27, 15)
    assert high.fires([10, 31, 31, 31])
    assert not high.fires([31, 31, 30])
    assert not high.fires([31, 31])
    assert not high.fires([31, None, 31])
    assert low.fires([26.9] * 15)
    assert not low.fires([26.9] * 14)


@pytest.mark.parametrize(
    ("running", "samples", "options", "wanted"),
    [
        (4, [90] * 3, {}, 8),
        (4, [61, 61, 46], {}, 5),  # the newest value sets the size
        (4, [90] * 2, {}, 4),
        (8, [20] * 15, {}, 4),
        (8, [20] * 14, {}, 8),
        (8, [20] * 15, {"scale_in": False}, 8),
        (8, [90] * 3, {"maximum": 12}, 12),
        (8, [1] * 15, {"minimum": 3}, 3),
        (0, [], {}, 0),
    ],
)
def test_target_tracking(running, samples, options, wanted):
    assert ecs.target_tracking(running, samples, 45, **options) == wanted


@pytest.mark.parametrize(
    ("proposals", "count"), [([6, 8], 8), ([3, 8], 8), ([3, 4], 4), ([3, None], 5), ([], 5)]
)
def test_any_policy_scales_out_and_all_must_agree_to_scale_in(proposals, count):
    assert ecs.several(5, proposals) == count


@pytest.mark.parametrize(
    ("metric", "scale_out", "count"),
    [(49.9, True, 10), (50, True, 11), (59.9, True, 11), (60, True, 13), (200, True, 13)],
)
def test_steps_out_hold_their_lower_bound(metric, scale_out, count):
    steps = [Step(0, 10, 1), Step(10, None, 3)]
    assert ecs.step_scaling(10, metric, 50, steps, scale_out=scale_out, maximum=50) == count


@pytest.mark.parametrize(("metric", "count"), [(50.1, 10), (50, 9), (40.1, 9), (40, 7), (0, 7)])
def test_steps_in_hold_their_upper_bound(metric, count):
    steps = [Step(-10, 0, -1), Step(None, -10, -3)]
    assert ecs.step_scaling(10, metric, 50, steps, scale_out=False) == count


@pytest.mark.parametrize(
    ("adjustment", "change", "options", "count"),
    [
        ("ExactCapacity", 7, {}, 7),
        ("PercentChangeInCapacity", 15, {}, 11),  # 1.5 is cut to 1
        ("PercentChangeInCapacity", 3, {}, 11),  # 0.3 is at least 1
        ("PercentChangeInCapacity", 3, {"least_change": 4}, 14),
        ("PercentChangeInCapacity", -27, {}, 8),  # -2.7 is cut to -2
        ("ChangeInCapacity", 99, {}, 20),
    ],
)
def test_adjustments(adjustment, change, options, count):
    steps = [Step(0, None, change)]
    result = ecs.step_scaling(10, 80, 50, steps, adjustment=adjustment, maximum=20, **options)
    assert result == count


@pytest.mark.parametrize(
    ("wanted", "options", "count"),
    [
        (8, {}, 8),
        (8, {"since_out": 100, "added": 2}, 6),
        (8, {"since_out": 100, "added": 5}, 5),
        (8, {"since_out": 300, "added": 5}, 8),
        (8, {"since_in": 10}, 8),
        (2, {"since_in": 10}, 5),
        (2, {"since_out": 10}, 5),
        (2, {"since_in": 300}, 2),
    ],
)
def test_cooldowns(wanted, options, count):
    assert ecs.after_cooldown(5, wanted, **options) == count


@pytest.mark.parametrize(
    ("desired", "failures"), [(1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)]
)
def test_circuit_breaker(desired, failures):
    assert ecs.circuit_breaker_threshold(desired) == failures


def test_configured_circuit_breaker():
    assert ecs.circuit_breaker_threshold(800, kind="UNBOUNDED_PERCENT") == 400
    assert ecs.circuit_breaker_threshold(800, kind="COUNT", value=7) == 7
    assert ecs.circuit_breaker_threshold(100, value=10) == 10


@pytest.mark.parametrize(
    ("needed", "running", "percent"), [(0, 0, 100), (3, 0, 200), (2, 3, 200 / 3), (4, 2, 200)]
)
def test_reservation(needed, running, percent):
    assert capacity.reservation(needed, running) == pytest.approx(percent)


@pytest.mark.parametrize(("target", "instances"), [(100, 2), (50, 4)])
def test_managed_scaling(target, instances):
    assert capacity.managed_scaling(2, 3, target=target) == instances


def test_managed_scaling_goes_by_steps():
    assert capacity.managed_scaling(40, 3, most_step=10) == 13
    assert capacity.managed_scaling(4, 3, least_step=5) == 8


def test_instances_needed_is_the_largest_group_by_its_scarcest_resource():
    small = (10, {"cpu": 512, "memory": 512})
    hungry = (3, {"cpu": 256, "memory": 6000, "eni": 1})
    instance = {"cpu": 2048, "memory": 7900, "eni": 3}
    assert capacity.instances_needed([small], instance) == 3
    assert capacity.instances_needed([small, hungry], instance) == 3
    assert capacity.instances_needed([(7, hungry[1])], instance) == 7
    assert capacity.instances_needed([], instance) == 0


def test_base_first_then_weights():
    providers = {"FARGATE": (2, 1), "FARGATE_SPOT": (0, 3)}
    assert capacity.strategy(6, providers) == {"FARGATE": 3, "FARGATE_SPOT": 3}
    assert capacity.strategy(1, providers) == {"FARGATE": 1, "FARGATE_SPOT": 0}


@given(st.integers(0, 300), st.integers(0, 10), st.integers(1, 9), st.integers(0, 9))
def test_a_strategy_places_every_task_by_weight(count, base, first, second):
    placed = capacity.strategy(count, {"a": (base, first), "b": (0, second)})
    assert sum(placed.values()) == count
    left = max(count - base, 0)
    assert abs(placed["b"] - left * second / (first + second)) <= 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: keda.replicas(1, 1, current=1, minimum=5, maximum=2), "minimum 5 and maximum 2"),
        (lambda: keda.replicas(1, 0, current=1), "target is 0"),
        (lambda: keda.new_jobs(1, 1, strategy="gradual"), "default, custom, accurate, eager"),
        (lambda: keda.new_jobs(1, 0), "target is 0"),
        (lambda: ecs.target_tracking(1, [], 0), "target is 0"),
        (lambda: ecs.step_scaling(1, 1, 1, []), "steps: each needs"),
        (lambda: ecs.step_scaling(1, 1, 1, [Step(0, 1, 1), Step(2, 3, 1)]), "nor leave a gap"),
        (lambda: ecs.step_scaling(1, 1, 1, [Step(0, 2, 1), Step(1, 3, 1)]), "neither overlap"),
        (lambda: ecs.step_scaling(1, 1, 1, [Step(0, 1, 1)], adjustment="Add"), "type one of"),
        (lambda: ecs.circuit_breaker_threshold(1, kind="PERCENT"), "type 'BOUNDED_PERCENT'"),
        (lambda: capacity.strategy(1, {"a": (1, 1), "b": (1, 1)}), "only one may have it"),
        (lambda: capacity.strategy(1, {"a": (0, 0)}), "no provider has a weight"),
        (lambda: capacity.managed_scaling(1, 1, target=0), "1 to 100"),
        (lambda: capacity.instances_needed([(1, {"gpu": 1})], {"cpu": 1}), "larger instance type"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()
