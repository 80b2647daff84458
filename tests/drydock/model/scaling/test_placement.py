"""ECS placement strategies and packing: small worlds, and that nothing is overfilled or lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.scaling import capacity
from drydock.model.scaling.placement import Instance, pack, place

NEED = {"cpu": 1, "memory": 2}
SIZES = st.fixed_dictionaries({"cpu": st.integers(0, 8), "memory": st.integers(0, 16)})


def world(**zones: str) -> list[Instance]:
    return [Instance(name, {"cpu": 4, "memory": 8}, {"zone": z}) for name, z in zones.items()]


def test_services_spread_over_zones():
    placed = place(world(a="1", b="1", c="2"), NEED, 4)
    assert Counter(placed) == {"a": 2, "c": 2}


def test_then_over_instances():
    strategies = [("spread", "zone"), ("spread", "instanceId")]
    placed = place(world(a="1", b="1", c="2"), NEED, 4, strategies=strategies)
    assert Counter(placed) == {"a": 1, "b": 1, "c": 2}


def test_binpack_fills_the_fullest_first():
    instances = [*world(a="1"), Instance("b", {"cpu": 2, "memory": 8})]
    placed = place(instances, NEED, 6, strategies=[("binpack", "cpu")])
    assert placed == ["b", "b", "a", "a", "a", "a"]
    assert place(instances, NEED, 1, strategies=[("binpack", "memory")]) == ["a"]


def test_full_instances_take_nothing():
    assert len(place(world(a="1"), NEED, 9)) == 4
    assert place(world(a="1"), {"gpu": 1}) == []


def test_distinct_instances():
    instances = [*world(a="1", b="2"), Instance("c", {"cpu": 4, "memory": 8}, {"zone": "3"}, 1)]
    assert sorted(place(instances, NEED, 9, distinct=True)) == ["a", "b"]


def test_random_is_seeded():
    instances = world(a="1", b="2", c="3")
    runs = [place(instances, NEED, 6, strategies=[("random", "")], seed=s) for s in (1, 1, 2, 3)]
    assert runs[0] == runs[1]
    assert len({tuple(run) for run in runs}) > 1


@given(st.lists(SIZES, max_size=25))
def test_packing_places_each_task_once_and_overfills_nothing(tasks):
    room = {"cpu": 8, "memory": 16}
    bins = pack(tasks, room)
    assert sorted(index for indexes in bins for index in indexes) == list(range(len(tasks)))
    for indexes in bins:
        for name, most in room.items():
            assert sum(tasks[index][name] for index in indexes) <= most


@given(st.integers(0, 40), SIZES)
def test_equal_tasks_are_packed_on_as_few_instances_as_can_be(count, need):
    room = {"cpu": 8, "memory": 16}
    assert len(pack([need] * count, room)) == capacity.instances_needed([(count, need)], room)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: place(world(a="1"), NEED, strategies=[("pack", "cpu")]), "type one of spread"),
        (lambda: place(world(a="1") * 2, NEED), "two have the same name"),
        (lambda: pack([NEED, {"cpu": 9}], {"cpu": 8, "memory": 8}), "task 1 needs"),
    ],
)
def test_bad_input_says_what_to_type(call, says):
    with pytest.raises(ValueError, match=says):
        call()
