"""Which nodes cost more than they give: empty ones, and those whose pods fit elsewhere for less.

Karpenter's order: all empty nodes, then several nodes at once, then one node; what is removed may
be replaced by one machine at most, and that must be cheaper than all that goes.
https://karpenter.sh/docs/concepts/disruption/#consolidation
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from localcloud.karpenter import names
from localcloud.karpenter.packing import Machine, Pool, Room, plan

Object = dict[str, Any]
EMPTY, UNDERUTILIZED = "Empty", "Underutilized"
MOST_AT_ONCE = 50


@dataclass
class Candidate:
    """A node that may go now; ``pods`` are those that would have to go elsewhere."""

    claim: str
    pool: str
    price: Decimal
    capacity_type: str
    pods: list[Object]


@dataclass
class Command:
    """Remove these; start ``replacement`` first, if there is one."""

    reason: str
    claims: list[str]
    replacement: Machine | None = None


def allowed(budgets: list[Object], nodes: int, going: int, reason: str) -> int:
    """How many more nodes of a pool may go for this reason: the strictest budget decides.

    Percentages round up. A budget with a schedule counts always.
    """
    most = nodes
    for budget in budgets:
        if reason in budget.get("reasons", [reason]):
            given = budget["nodes"]
            share = math.ceil(nodes * int(given[:-1]) / 100) if given.endswith("%") else int(given)
            most = min(most, share)
    return max(0, most - going)


def decide(
    empty: list[Candidate],
    others: list[Candidate],
    rooms: list[Room],
    pools: list[Pool],
    budgets: dict[str, dict[str, int]],
) -> Command | None:
    """The next thing to do. ``empty`` and ``others`` may be removed for their reasons, and
    ``budgets`` says by pool and reason how many; ``rooms`` are all nodes, theirs included."""
    chosen = _within(empty, EMPTY, budgets)
    if chosen:
        return Command(EMPTY, [one.claim for one in chosen])
    ordered = sorted(others, key=lambda one: (len(one.pods), -one.price, one.claim))
    ordered = _within(ordered, UNDERUTILIZED, budgets)[:MOST_AT_ONCE]
    for count in range(len(ordered), 1, -1):
        found = _try(ordered[:count], rooms, pools)
        if found:
            return found
    return next(filter(None, (_try([one], rooms, pools) for one in ordered)), None)


def _within(
    found: list[Candidate], reason: str, budgets: dict[str, dict[str, int]]
) -> list[Candidate]:
    left = {pool: reasons[reason] for pool, reasons in budgets.items()}
    chosen = []
    for one in found:
        if left.get(one.pool, 0) > 0:
            left[one.pool] -= 1
            chosen.append(one)
    return chosen


def _try(going: list[Candidate], rooms: list[Room], pools: list[Pool]) -> Command | None:
    claims = {one.claim for one in going}
    staying = [copy.copy(room) for room in rooms if room.name not in claims]
    for room in staying:
        room.free, room.pods = dict(room.free), list(room.pods)
    pods = [pod for one in going for pod in one.pods]
    found = plan(pods, staying, pools)
    if found.refused or len(found.machines) > 1:
        return None
    if not found.machines:
        return Command(UNDERUTILIZED, sorted(claims))
    [machine] = found.machines
    # As Karpenter without its feature gate: a Spot machine is not replaced by another.
    spot = all(one.capacity_type == names.SPOT for one in going)
    if spot and machine.offer.capacity_type == names.SPOT:
        return None
    if machine.offer.price >= sum(one.price for one in going):
        return None
    return Command(UNDERUTILIZED, sorted(claims), machine)
