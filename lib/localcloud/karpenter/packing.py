"""Where pods that wait would go: nodes that are there, and the cheapest machines for the rest.

Karpenter's order (largest pod first; nodes that are there, then machines already planned, then a
new one of the NodePool of most weight), with one rule of our own: a pod joins a planned machine
only if the machine then costs no more than before and one for the pod alone. So the plan is never
dearer than a machine for each pod. https://karpenter.sh/docs/concepts/scheduling/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from localcloud.karpenter.offers import Offer
from localcloud.kubernetes import quantities, selectors, sizes
from localcloud.kubernetes.scheduler import selects, tolerates

Object = dict[str, Any]
HOSTNAME = "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass
class Room:
    """A node, or one on its way: ``node`` has its labels and taints, ``free`` what is left."""

    name: str
    node: Object
    free: sizes.Amounts
    pods: list[Object] = field(default_factory=list)

    def takes(self, pod: Object) -> bool:
        wanted = asked(pod)
        return (
            all(value <= self.free.get(name, 0) for name, value in wanted.items() if value)
            and not untolerated(pod, self.node["spec"].get("taints", []))
            and selects(pod["spec"], self.node, self.node["metadata"].get("labels", {}))
            and not apart(pod, self.pods)
        )

    def put(self, pod: Object) -> None:
        for name, value in asked(pod).items():
            self.free[name] = self.free.get(name, 0) - value
        self.pods.append(pod)


@dataclass
class Pool:
    """A NodePool: ``offers`` cheapest first; ``left`` what its limits still allow."""

    name: str
    offers: list[Offer]
    taints: list[Object] = field(default_factory=list)
    left: sizes.Amounts = field(default_factory=dict)
    weight: int = 0
    requirements: list[Object] = field(default_factory=list)


@dataclass
class Machine:
    """One to be started, for these pods."""

    pool: Pool
    offer: Offer
    pods: list[Object]


@dataclass
class Plan:
    """``placed`` has the room of each pod's uid, ``refused`` the reason why a pod has none."""

    placed: dict[str, str] = field(default_factory=dict)
    machines: list[Machine] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def price(self) -> Decimal:
        """US dollars an hour of the new machines."""
        return sum((one.offer.price for one in self.machines), Decimal(0))


def plan(pods: list[Object], rooms: list[Room], pools: list[Pool]) -> Plan:
    """``rooms`` are filled while it plans: hand it copies to keep them."""
    found = Plan()
    pools = sorted(pools, key=lambda pool: (-pool.weight, pool.name))
    for pod in sorted(pods, key=_size, reverse=True):
        uid = pod["metadata"]["uid"]
        room = next((room for room in rooms if room.takes(pod)), None)
        if room:
            room.put(pod)
            found.placed[uid] = room.name
            continue
        alone = _alone(pod, pools, found.machines)
        if not _join(pod, alone, found.machines):
            if isinstance(alone, str):
                found.refused[uid] = alone
            else:
                found.machines.append(alone)
    return found


def _size(pod: Object) -> tuple:
    wanted, meta = asked(pod), pod["metadata"]
    return wanted.get(sizes.CPU, 0), wanted.get(sizes.MEMORY, 0), meta["name"], meta["uid"]


def _alone(pod: Object, pools: list[Pool], machines: list[Machine]) -> Machine | str:
    """A machine for this pod, or why no pool has one."""
    if not pools:
        return "no nodepools found"
    if _unknown_topology(pod):
        return "its affinity names a topology that is not modelled here"
    reasons = []
    for pool in pools:
        offer = _cheapest(pool, [pod], _left(pool, machines))
        if offer:
            return Machine(pool, offer, [pod])
        reasons.append(_why(pod, pool))
    return "; ".join(reasons)


def _join(pod: Object, alone: Machine | str, machines: list[Machine]) -> bool:
    """Put the pod on the planned machine for which that costs least, if it is worth it."""
    best: tuple[Decimal, Machine, Offer] | None = None
    for machine in machines:
        if apart(pod, machine.pods) or untolerated(pod, machine.pool.taints):
            continue
        if _holds(machine.offer, [*machine.pods, pod]):
            machine.pods.append(pod)
            return True
        if isinstance(alone, str):
            continue
        others = [one for one in machines if one is not machine]
        left = _left(machine.pool, others)
        offer = _cheapest(machine.pool, [*machine.pods, pod], left)
        if offer is None or offer.capacity_type != machine.offer.capacity_type:
            continue
        extra = offer.price - machine.offer.price
        if extra <= alone.offer.price and (best is None or extra < best[0]):
            best = (extra, machine, offer)
    if best is None:
        return False
    _, machine, machine.offer = best
    machine.pods.append(pod)
    return True


def _left(pool: Pool, machines: list[Machine]) -> sizes.Amounts:
    found = dict(pool.left)
    for machine in machines:
        if machine.pool is pool:
            for name in found:
                found[name] -= 1 if name == "nodes" else machine.offer.capacity.get(name, 0)
    return found


def _cheapest(pool: Pool, pods: list[Object], left: sizes.Amounts) -> Offer | None:
    if any(untolerated(pod, pool.taints) for pod in pods):
        return None
    return next((o for o in pool.offers if _within(o, left) and _holds(o, pods)), None)


def _within(offer: Offer, left: sizes.Amounts) -> bool:
    needed = {**offer.capacity, "nodes": 1}
    return all(needed.get(name, 0) <= value for name, value in left.items())


def _holds(offer: Offer, pods: list[Object]) -> bool:
    total: sizes.Amounts = {}
    for pod in pods:
        for name, value in asked(pod).items():
            total[name] = total.get(name, 0) + value
    if any(value > offer.allocatable.get(name, 0) for name, value in total.items() if value):
        return False
    node = {"metadata": {"name": ""}}
    return all(selects(pod["spec"], node, offer.labels) for pod in pods)


def _why(pod: Object, pool: Pool) -> str:
    """In the words of Karpenter's scheduler (pkg/controllers/provisioning/scheduling)."""
    taint = untolerated(pod, pool.taints)
    told = f'incompatible with nodepool "{pool.name}", '
    if taint:
        value = f"={taint['value']}" if taint.get("value") else ""
        return told + f"did not tolerate {taint['key']}{value}:{taint['effect']}"
    if any(_holds(offer, [pod]) for offer in pool.offers):
        return f'all available instance types exceed limits for nodepool: "{pool.name}"'
    wanted = asked(pod)
    shown = {n: quantities.cpu(v) if n == sizes.CPU else str(v) for n, v in wanted.items()}
    if wanted.get(sizes.MEMORY):
        shown[sizes.MEMORY] = quantities.size(wanted[sizes.MEMORY])
    amounts = ",".join(f'"{name}":"{value}"' for name, value in sorted(shown.items()) if value)
    needs = ", ".join(sorted(_told(one) for one in pool.requirements))
    return told + f"no instance type satisfied resources {{{amounts}}} and requirements {needs}"


def _told(one: Object) -> str:
    values = " ".join(one.get("values") or [])
    signs = {"Gt": f" >{values}", "Lt": f" <{values}", "Exists": " Exists"}
    signs["DoesNotExist"] = " DoesNotExist"
    return one["key"] + signs.get(one["operator"], f" {one['operator']} [{values}]")


def asked(pod: Object) -> sizes.Amounts:
    """What the pod takes of a node, itself included."""
    return {**sizes.requests(pod["spec"]), "pods": 1}


def untolerated(pod: Object, taints: list[Object]) -> Object | None:
    hard = (taint for taint in taints if taint["effect"] != "PreferNoSchedule")
    return next((taint for taint in hard if not tolerates(pod["spec"], taint)), None)


def apart(pod: Object, others: list[Object]) -> bool:
    """Whether required anti-affinity by host name keeps the pod away from any of the others."""
    return any(_repels(pod, other) or _repels(other, pod) for other in others)


def _repels(one: Object, other: Object) -> bool:
    for term in _terms(one, "podAntiAffinity"):
        spaces = term.get("namespaces") or [one["metadata"].get("namespace")]
        chosen = selectors.of_object(term.get("labelSelector"))
        meta = other["metadata"]
        if meta.get("namespace") in spaces and chosen(meta.get("labels") or {}):
            return True
    return False


def _terms(pod: Object, kind: str) -> list[Object]:
    return pod["spec"].get("affinity", {}).get(kind, {}).get(REQUIRED, [])


def _unknown_topology(pod: Object) -> bool:
    keys = {term["topologyKey"] for term in _terms(pod, "podAntiAffinity")}
    return bool(_terms(pod, "podAffinity")) or bool(keys - {HOSTNAME})
