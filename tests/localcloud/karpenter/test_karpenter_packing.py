"""What Karpenter decides, for any pods: nobody without room, nothing dearer than need be."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.karpenter.consolidation import (
    EMPTY,
    UNDERUTILIZED,
    Candidate,
    allowed,
    decide,
)
from localcloud.karpenter.offers import offers, prices
from localcloud.karpenter.packing import Pool, Room, asked, plan

MIB = 2**20
REQUIREMENTS = [
    {"key": "karpenter.k8s.aws/instance-category", "operator": "In", "values": ["c", "m", "r", "t"]}
]


def pod(name, cpu, memory, labels=None, **spec):
    requests = {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}
    meta = {"name": name, "uid": name, "namespace": "default", "labels": labels or {}}
    containers = [{"name": "main", "resources": {"requests": requests}}]
    return {"metadata": meta, "spec": {"containers": containers, **spec}, "status": {}}


def pool(name="default", requirements=REQUIREMENTS, left=None, weight=0, taints=()):
    found = offers(requirements, ["us-east-1a"], {"karpenter.sh/nodepool": name})
    return Pool(name, found, list(taints), left or {}, weight, requirements)


def room(name, cpu, memory, taints=()):
    meta = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    node = {"metadata": meta, "spec": {"taints": list(taints)}}
    return Room(name, node, {"cpu": cpu, "memory": memory * MIB, "pods": 10})


some_pods = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(0, 60_000)), min_size=1, max_size=25
).map(lambda sizes: [pod(f"p{at}", *size) for at, size in enumerate(sizes)])
some_rooms = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 8000)), max_size=4).map(
    lambda sizes: [room(f"n{at}", *size) for at, size in enumerate(sizes)]
)


def total(pods, name):
    return sum(asked(one).get(name, 0) for one in pods)


@settings(max_examples=60, deadline=None)
@given(some_pods, some_rooms)
def test_nobody_is_placed_without_room_and_nobody_is_lost(pods, rooms):
    before = {one.name: dict(one.free) for one in rooms}
    found = plan(pods, rooms, [pool()])
    for machine in found.machines:
        for name in ("cpu", "memory", "pods"):
            assert total(machine.pods, name) <= machine.offer.allocatable[name]
    by_uid = {one["metadata"]["uid"]: one for one in pods}
    for name, free in before.items():
        there = [by_uid[uid] for uid, where in found.placed.items() if where == name]
        assert all(total(there, what) <= free[what] for what in free if total(there, what))
    new = [one["metadata"]["uid"] for machine in found.machines for one in machine.pods]
    assert sorted([*found.placed, *new, *found.refused]) == sorted(by_uid)


@settings(max_examples=60, deadline=None)
@given(some_pods)
def test_it_is_never_dearer_than_a_machine_for_each_pod(pods):
    found = plan(pods, [], [pool()])
    alone = Decimal(0)
    for one in pods:
        alone += plan([one], [], [pool()]).price
    assert found.price <= alone
    # Each machine is the cheapest that holds its pods.
    for machine in found.machines:
        cheaper = [o for o in pool().offers if o.price < machine.offer.price]
        needs = {name: total(machine.pods, name) for name in ("cpu", "memory", "pods")}
        assert not any(
            all(offer.allocatable[name] >= value for name, value in needs.items() if value)
            for offer in cheaper
        )


@settings(max_examples=40, deadline=None)
@given(some_pods, st.integers(0, 40))
def test_limits_hold(pods, cores):
    found = plan(pods, [], [pool(left={"cpu": cores * 1000})])
    assert sum(machine.offer.capacity["cpu"] for machine in found.machines) <= cores * 1000
    for why in found.refused.values():
        assert "exceed limits" in why or "no instance type satisfied" in why


@settings(max_examples=30, deadline=None)
@given(some_pods, st.integers(1, 6))
def test_consolidation_saves_money_and_leaves_no_pod_without_room(pods, count):
    """Nodes as a plan made them; then only some of the pods are still there."""
    machines = plan(pods, [], [pool()]).machines
    rooms, candidates = [], []
    for at, machine in enumerate(machines):
        free = dict(machine.offer.allocatable)
        node = {"metadata": {"name": f"n{at}", "labels": machine.offer.labels}, "spec": {}}
        there = Room(f"n{at}", node, free)
        for one in machine.pods[::count]:
            there.put(one)
        rooms.append(there)
        price = machine.offer.price
        candidates.append(Candidate(f"n{at}", "default", price, "on-demand", list(there.pods)))
    before = [dict(one.free) for one in rooms]
    budgets = {"default": {EMPTY: 10, UNDERUTILIZED: 10}}
    found = decide([], candidates, rooms, [pool()], budgets)
    assert [one.free for one in rooms] == before
    if found is None:
        return
    gone = [one for one in candidates if one.claim in found.claims]
    spent = found.replacement.offer.price if found.replacement else Decimal(0)
    assert spent < sum(one.price for one in gone)
    moving = [pod for one in gone for pod in one.pods]
    staying = [one for one in rooms if one.name not in found.claims]
    after = plan(moving, staying, [pool()])
    assert not after.refused and len(after.machines) <= 1


def test_seven_halves_share_one_machine_and_an_eighth_gets_its_own():
    requirements = [
        {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["c6i"]}
    ]
    halves = [pod(f"h{at}", 500, 128) for at in range(8)]
    found = plan(halves[:7], [], [pool(requirements=requirements)])
    assert [(one.offer.kind, len(one.pods)) for one in found.machines] == [("c6i.xlarge", 7)]
    assert found.price == prices()["c6i.xlarge"]
    found = plan(halves, [], [pool(requirements=requirements)])
    assert sorted(one.offer.kind for one in found.machines) == ["c6i.large", "c6i.xlarge"]


def test_selectors_taints_and_anti_affinity_are_kept():
    arm = pod("arm", 100, 100, nodeSelector={"kubernetes.io/arch": "arm64"})
    found = plan([arm], [room("x86", 4000, 4000)], [pool()])
    assert found.machines[0].offer.labels["kubernetes.io/arch"] == "arm64"
    taint = {"key": "team", "value": "a", "effect": "NoSchedule"}
    found = plan([pod("p", 100, 100)], [room("n", 4000, 4000, [taint])], [pool(taints=[taint])])
    assert found.refused == {
        "p": 'incompatible with nodepool "default", did not tolerate team=a:NoSchedule'
    }
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    apart = [pod(f"p{at}", 100, 100, {"a": "b"}, affinity=rule) for at in range(3)]
    found = plan(apart, [room("n", 4000, 4000)], [pool()])
    assert len(found.machines) == 2 and list(found.placed.values()) == ["n"]


def test_the_pool_of_most_weight_comes_first_until_its_limit():
    pods = [pod(f"p{at}", 1500, 100) for at in range(2)]
    first = pool("first", left={"cpu": 2000}, weight=10)
    found = plan(pods, [], [pool("second"), first])
    assert sorted(machine.pool.name for machine in found.machines) == ["first", "second"]


def test_spot_is_taken_where_it_is_allowed_and_on_demand_otherwise():
    both = [{"key": "karpenter.sh/capacity-type", "operator": "Exists"}]
    for requirements, wanted in ((both, "spot"), (REQUIREMENTS, "on-demand")):
        [machine] = plan([pod("p", 100, 100)], [], [pool(requirements=requirements)]).machines
        assert machine.offer.capacity_type == wanted


def test_budgets():
    assert allowed([{"nodes": "10%"}], 11, 0, EMPTY) == 2
    assert allowed([{"nodes": "10%"}], 11, 2, EMPTY) == 0
    assert allowed([{"nodes": "50%"}, {"nodes": "1"}], 10, 0, EMPTY) == 1
    assert allowed([{"nodes": "0", "reasons": [UNDERUTILIZED]}], 3, 0, EMPTY) == 3
