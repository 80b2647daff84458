"""ECS capacity providers: how many instances are needed, and which provider takes a task.

Sources: AWS's blog "Deep dive on Amazon ECS cluster auto scaling" and the ECS developer guide.
"""

import math
from collections.abc import Mapping, Sequence

Resources = Mapping[str, float]


def reservation(needed: int, running: int) -> float:
    """Return CapacityProviderReservation in percent: instances needed by instances running."""
    if running:
        return 100 * needed / running
    return 200.0 if needed else 100.0


def instances_needed(groups: Sequence[tuple[int, Resources]], instance: Resources) -> int:
    """Return the instances that `groups` of waiting tasks (how many, each one's needs) call for.

    They come on top of the instances that already run tasks. Each group is packed on its own, by
    its scarcest resource; the largest group counts, so it is a lower bound. Resources have any
    names and units that both sides share. ValueError for a task that no such instance can hold.
    """
    return max((_instances_of(count, need, instance) for count, need in groups), default=0)


def managed_scaling(
    needed: int,
    running: int,
    *,
    target: int = 100,
    least_step: int = 1,
    most_step: int = 10_000,
) -> int:
    """Return the instances that managed scaling asks for at a target capacity in percent.

    A target below 100 keeps spare instances. The steps limit how many come at a time. Scaling in
    waits for 15 minutes below the target, and spares instances with tasks if protected.
    """
    if not 0 < target <= 100:
        raise ValueError(f"target is {target}: type 1 to 100 percent")
    wanted = math.ceil(needed * 100 / target)
    if wanted > running:
        return min(max(wanted, running + least_step), running + most_step)
    return wanted


def strategy(count: int, providers: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return how `count` tasks spread over `providers` (name to base, weight).

    The base comes first, the rest by weight, one task after another to the provider that is
    furthest behind its share. Only one provider may have a base.
    """
    bases = [name for name, (base, _) in providers.items() if base]
    if len(bases) > 1:
        raise ValueError(f"base is given for {' and '.join(bases)}: only one may have it")
    placed = {name: min(base, count) for name, (base, _) in providers.items()}
    rest = dict.fromkeys(providers, 0)
    weights = {name: weight for name, (_, weight) in providers.items() if weight}
    left = count - sum(placed.values())
    if left and not weights:
        raise ValueError("no provider has a weight: type a weight above 0 for one of them")
    for _ in range(left):
        rest[min(weights, key=lambda name: ((rest[name] + 1) / weights[name], name))] += 1
    return {name: placed[name] + rest[name] for name in providers}


def _instances_of(count: int, need: Resources, instance: Resources) -> int:
    fits = []
    for name, amount in need.items():
        if amount <= 0:
            continue
        if amount > instance.get(name, 0):
            raise ValueError(
                f"a task needs {amount} {name}, an instance has {instance.get(name, 0)}: "
                "take a larger instance type"
            )
        fits.append(int(instance[name] // amount))
    return math.ceil(count / min(fits)) if fits else min(count, 1)
