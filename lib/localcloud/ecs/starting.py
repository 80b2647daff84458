"""New tasks, each with its capacity provider and its machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from localcloud.ecs import capacity, errors, launch, placement
from localcloud.ecs.models import Item, State


@dataclass
class Started:
    """The tasks that exist now, and why there are not more: one of the two, or neither."""

    tasks: list[Item] = field(default_factory=list)
    unplaced: placement.Unplaced | None = None
    error: errors.EcsError | None = None


def start(state: State, order: launch.Launch, count: int, running: Counter[str]) -> Started:
    """Create up to ``count`` tasks. The caller hands them to the scheduler.

    ``running`` counts, by capacity provider, those that the strategy has to take into account.
    """
    done = Started()
    fleet = placement.Fleet(state, order.cluster.key) if order.launch_type == "EC2" else None
    counts = Counter(running)
    try:
        for _ in range(count):
            provider = None
            if order.capacity_strategy:
                provider = capacity.next_provider(order.capacity_strategy, counts)
                counts[provider] += 1
            done.tasks.append(_start_one(state, order, provider, fleet))
    except placement.Unplaced as unplaced:
        done.unplaced = unplaced
    except errors.EcsError as error:
        done.error = error
    return done


def _start_one(
    state: State, order: launch.Launch, provider: str | None, fleet: placement.Fleet | None
) -> Item:
    if fleet is None:
        return launch.create_task(state, order, launch.Seat(provider))
    reserved = launch.reservation(order)
    instance = fleet.choose(
        placement.Wish(order.group, reserved, _constraints(order), order.strategies, provider)
    )
    reserved["gpu_ids"] = fleet.free_gpus(instance, reserved["gpus"])
    task = launch.create_task(state, order, launch.Seat(provider, instance, reserved))
    fleet.place(instance, task)
    return task


def _constraints(order: launch.Launch) -> list[dict[str, Any]]:
    return [*order.constraints, *order.definition.wire["placementConstraints"]]
