"""Which container instance a task goes to: room, then constraints, then strategies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localcloud.ecs import errors, instances, machine, query
from localcloud.ecs.models import Item, State

NO_INSTANCES = "No Container Instances were found in your cluster."
SPREAD_BY_ZONE = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
MOST_CONSTRAINTS, MOST_STRATEGIES = 10, 5
SHORT_OF = {
    "RESOURCE:CPU": "insufficient CPU units available",
    "RESOURCE:MEMORY": "insufficient memory available",
    "RESOURCE:GPU": "insufficient GPU resource available",
    "RESOURCE:ENI": "encountered error 'RESOURCE:ENI'",
    "RESOURCE:PORTS": "already using a port required by your task",
    "AGENT": "encountered error 'AGENT'",
}


@dataclass
class Wish:
    """What one task wants of a machine. ``need`` is as in ``Item.private["reserved"]``."""

    group: str
    need: dict[str, Any]
    constraints: list[dict[str, str]]
    strategies: list[dict[str, str]]
    provider: str | None = None


@dataclass
class Unplaced(Exception):
    """No instance can take the task; ``failures`` says why for each."""

    failures: list[dict[str, str]]


def check(request: dict[str, Any]) -> None:
    """Raise InvalidParameterException for constraints and strategies that cannot be meant."""
    constraints = request.get("placementConstraints", [])
    strategies = request.get("placementStrategy", [])
    if len(constraints) > MOST_CONSTRAINTS or len(strategies) > MOST_STRATEGIES:
        raise errors.invalid_parameter(
            f"At most {MOST_CONSTRAINTS} placement constraints and {MOST_STRATEGIES} strategies."
        )
    for constraint in constraints:
        if constraint.get("type") == "memberOf":
            query.parse(constraint.get("expression", ""))
        elif constraint.get("type") != "distinctInstance" or constraint.get("expression"):
            raise errors.invalid_parameter("The placement constraint is not valid.")
    for strategy in strategies:
        kind, name = strategy.get("type"), strategy.get("field", "")
        if kind == "binpack" and name.lower() not in ("cpu", "memory"):
            raise errors.invalid_parameter("The binpack strategy needs the field cpu or memory.")
        if kind == "spread" and not _is_spread_field(name):
            raise errors.invalid_parameter(f"The spread strategy cannot use the field '{name}'.")
        if kind not in ("binpack", "spread", "random"):
            raise errors.invalid_parameter("The placement strategy is not valid.")


def needs(containers: list[dict[str, Any]], network_mode: str) -> dict[str, Any]:
    """What containers reserve where the task has no size of its own: CPU units, MiB, GPUs, ports.

    A container's memoryReservation counts instead of its memory, if it has one.
    """
    ports = set()
    if network_mode in ("host", "bridge"):
        mappings = (m for c in containers for m in c["portMappings"])
        for mapping in mappings:
            port = mapping["hostPort"] or (
                mapping["containerPort"] if network_mode == "host" else 0
            )
            ports |= {str(port)} if port else set()
    return {
        "cpu": sum(c["cpu"] for c in containers),
        "memory": sum(c.get("memoryReservation", c.get("memory", 0)) for c in containers),
        "gpus": sum(gpus_of(c) for c in containers),
        "gpu_ids": [],
        "enis": int(network_mode == "awsvpc"),
        "ports": sorted(ports),
    }


def gpus_of(container: dict[str, Any]) -> int:
    wanted = container.get("resourceRequirements", [])
    return sum(int(one["value"]) for one in wanted if one["type"] == "GPU")


class Fleet:
    """A cluster's machines with what is left of them, kept up to date over several placements."""

    def __init__(self, state: State, cluster: str):
        self._state = state
        self.machines = instances.of_cluster(state, cluster)
        self._tasks = {m.key: instances.live_tasks(state, m) for m in self.machines}
        self._left = {m.key: instances.remaining(m, self._tasks[m.key]) for m in self.machines}

    def choose(self, wish: Wish) -> Item:
        """The machine for one task. Raises Unplaced."""
        able, failures = [], []
        for instance in self.machines:
            if wish.provider != instance.wire.get("capacityProviderName") and wish.provider:
                continue
            why = next(self._obstacles(instance, wish), None)
            if why is None:
                able.append(instance)
            elif why != "DRAINING":
                arn = instance.wire["containerInstanceArn"]
                failures.append({"arn": arn, "reason": why})
        if not able:
            raise Unplaced(failures)
        return min(able, key=lambda one: [self._rank(one, s, wish) for s in wish.strategies])

    def place(self, instance: Item, task: Item) -> None:
        """Count a new task in."""
        self._tasks[instance.key].append(task)
        machine.take(self._left[instance.key], task.private["reserved"])

    def free_gpus(self, instance: Item, count: int) -> list[str]:
        return self._left[instance.key].gpus[:count]

    def _obstacles(self, instance: Item, wish: Wish) -> Iterator[str]:
        room, need = self._left[instance.key], wish.need
        if instance.wire["status"] != "ACTIVE":
            yield "DRAINING"
        if not instance.wire["agentConnected"]:
            yield "AGENT"
        if need["cpu"] > room.cpu:
            yield "RESOURCE:CPU"
        if need["memory"] > room.memory_mib:
            yield "RESOURCE:MEMORY"
        if need["gpus"] > len(room.gpus):
            yield "RESOURCE:GPU"
        if need["enis"] > room.enis:
            yield "RESOURCE:ENI"
        if set(need["ports"]) & room.ports:
            yield "RESOURCE:PORTS"
        tasks = self._tasks[instance.key]
        for constraint in wish.constraints:
            if constraint["type"] == "distinctInstance":
                if any(task.wire["group"] == wish.group for task in tasks):
                    yield "DistinctInstance placement constraint unsatisfied."
            else:
                facts = instances.facts_of(self._state, instance, tasks)
                if not query.parse(constraint["expression"])(facts):
                    yield "MemberOf placement constraint unsatisfied."

    def _rank(self, instance: Item, strategy: dict[str, str], wish: Wish) -> float:
        """The lowest comes first."""
        room = self._left[instance.key]
        if strategy["type"] == "random":
            return random.random()
        if strategy["type"] == "binpack":
            return room.cpu if strategy["field"].lower() == "cpu" else room.memory_mib
        same = self._value(instance, strategy["field"])
        return sum(
            task.wire["group"] == wish.group
            for other in self.machines
            if self._value(other, strategy["field"]) == same
            for task in self._tasks[other.key]
        )

    def _value(self, instance: Item, field: str) -> str:
        if field.lower() in ("instanceid", "host"):
            return instance.key
        return ",".join(instances.facts_of(self._state, instance, [])(field))


def explain(unplaced: Unplaced) -> str:
    """The service event's sentence."""
    start = "was unable to place a task because no container instance met all of its requirements. "
    if not unplaced.failures:
        return f"{start}Reason: {NO_INSTANCES}"
    closest = unplaced.failures[-1]
    words = SHORT_OF.get(closest["reason"], f"encountered error '{closest['reason']}'")
    name = closest["arn"].rsplit("/", 1)[1]
    verb = "is" if words.startswith("already") else "has"
    verb = "" if words.startswith("encountered") else f"{verb} "
    return f"{start}The closest matching (container-instance {name}) {verb}{words}."


def _is_spread_field(name: str) -> bool:
    return name.lower() in ("instanceid", "host") or name.startswith("attribute:")
