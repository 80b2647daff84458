"""Where tasks go: ECS placement on container instances, and packing a set of tasks on few of them.

Source: the ECS developer guide, task placement strategies and constraints. Fargate ignores them all
and spreads over zones. Resources have any names and units that tasks and instances share.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Resources = Mapping[str, float]
KINDS = ("spread", "binpack", "random")
SPREAD_OVER_ZONES = (("spread", "zone"),)


@dataclass(frozen=True)
class Instance:
    """A container instance: what it has left, its attributes ("zone", ...), tasks it runs already.

    `tasks` counts those of the service that is being placed: they matter to "spread".
    """

    name: str
    free: Resources
    attributes: Mapping[str, str] = field(default_factory=dict)
    tasks: int = 0


def place(
    instances: Sequence[Instance],
    need: Resources,
    count: int = 1,
    *,
    strategies: Sequence[tuple[str, str]] = SPREAD_OVER_ZONES,
    distinct: bool = False,
    seed: int = 0,
) -> list[str]:
    """Return the instance of each of `count` equal tasks; fewer names where there is no more room.

    Instances without room are left out, and with `distinct` (distinctInstance) those that run a
    task of the service. Then each strategy in turn keeps its best instances: "spread" over an
    attribute or "instanceId" those with the fewest tasks, "binpack" of a resource those with least
    of it left, "random" one of them. What is still equal goes to the first.
    """
    for kind, _ in strategies:
        if kind not in KINDS:
            raise ValueError(f"strategy {kind!r} is unknown: type one of {', '.join(KINDS)}")
    free = {one.name: dict(one.free) for one in instances}
    tasks = {one.name: one.tasks for one in instances}
    if len(free) < len(instances):
        raise ValueError("instances: two have the same name")
    draw, placed = random.Random(seed), []
    for _ in range(count):
        best = [
            one
            for one in instances
            if _fits(need, free[one.name]) and not (distinct and tasks[one.name])
        ]
        if not best:
            break
        for kind, key in strategies:
            best = _narrow(kind, key, best, instances, free, tasks, draw)
        chosen = best[0].name
        for resource, amount in need.items():
            free[chosen][resource] = free[chosen].get(resource, 0) - amount
        tasks[chosen] += 1
        placed.append(chosen)
    return placed


def pack(tasks: Sequence[Resources], instance: Resources) -> list[list[int]]:
    """Return which of `tasks` (by index) share an instance: first fit, the largest task first.

    The size of a task is its largest share of an instance. This needs few instances, and not
    always the fewest. ValueError for a task that does not fit on an empty instance.
    """
    for index, need in enumerate(tasks):
        if not _fits(need, instance):
            raise ValueError(f"task {index} needs {dict(need)}, an instance has {dict(instance)}")

    def share(index: int) -> float:
        parts = (amount / instance[name] for name, amount in tasks[index].items() if amount)
        return max(parts, default=0)

    bins: list[tuple[dict[str, float], list[int]]] = []
    for index in sorted(range(len(tasks)), key=share, reverse=True):
        room = next((one for one in bins if _fits(tasks[index], one[0])), None)
        if room is None:
            room = (dict(instance), [])
            bins.append(room)
        for name, amount in tasks[index].items():
            room[0][name] = room[0].get(name, 0) - amount
        room[1].append(index)
    return [indexes for _, indexes in bins]


def _fits(need: Resources, free: Resources) -> bool:
    return all(amount <= free.get(name, 0) for name, amount in need.items())


def _narrow(
    kind: str,
    key: str,
    candidates: list[Instance],
    instances: Sequence[Instance],
    free: Mapping[str, Resources],
    tasks: Mapping[str, int],
    draw: random.Random,
) -> list[Instance]:
    if kind == "random":
        return [draw.choice(candidates)]
    if kind == "binpack":
        rank = {one.name: free[one.name].get(key, 0) for one in candidates}
    else:
        groups = Counter()
        for one in instances:
            groups[_group(one, key)] += tasks[one.name]
        rank = {one.name: groups[_group(one, key)] for one in candidates}
    least = min(rank.values())
    return [one for one in candidates if rank[one.name] == least]


def _group(instance: Instance, key: str) -> str:
    return instance.name if key == "instanceId" else instance.attributes.get(key, "")
