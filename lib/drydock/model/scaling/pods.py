"""Kubernetes pods: quality of service, the scheduler's scores, and the Fargate size of a pod.

Sources: kubernetes/kubernetes, pkg/scheduler/framework/plugins/noderesources; the page "Pod Quality
of Service Classes" of kubernetes.io; the EKS user guide, "Fargate Pod configuration".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from drydock.model.fargate import Size, smallest_size

# EKS adds this for the Kubernetes components that run beside the pod.
FARGATE_OVERHEAD_MIB = 256


@dataclass(frozen=True)
class Container:
    """Requests and limits of a container: CPU in thousandths of a core, memory in MiB."""

    cpu: int | None = None
    memory: int | None = None
    cpu_limit: int | None = None
    memory_limit: int | None = None

    @property
    def requested(self) -> tuple[int | None, int | None]:
        """CPU and memory requested; without a request, the limit."""
        return (
            self.cpu_limit if self.cpu is None else self.cpu,
            self.memory_limit if self.memory is None else self.memory,
        )


def qos_class(containers: Sequence[Container]) -> str:
    """Return "Guaranteed", "Burstable" or "BestEffort".

    Guaranteed: every container has limits of CPU and memory, and requests equal to them.
    BestEffort: none has any request or limit. Under pressure BestEffort is evicted first, then
    Burstable pods above their requests, then Guaranteed.
    """
    if not containers:
        raise ValueError("no containers: type at least one")
    asked = [(c.requested, (c.cpu_limit, c.memory_limit)) for c in containers]
    if all(None not in limits and limits == requests for requests, limits in asked):
        return "Guaranteed"
    given = any(value is not None for requests, limits in asked for value in (*requests, *limits))
    return "Burstable" if given else "BestEffort"


def fargate_size(containers: Sequence[Container], init: Sequence[Container] = ()) -> Size:
    """Return the Fargate size that EKS gives a pod.

    CPU and memory are each the larger of the largest init container and the sum of the others;
    256 MiB are added, and the next size with both is taken. This is what is billed.
    """
    cpu, memory = (
        max(
            max((c.requested[which] or 0 for c in init), default=0),
            sum(c.requested[which] or 0 for c in containers),
        )
        for which in (0, 1)
    )
    total = Decimal(memory + FARGATE_OVERHEAD_MIB)
    return smallest_size(Decimal(cpu) / 1000, total / 1024, "EKS")


def least_allocated(
    requested: Mapping[str, int],
    capacity: Mapping[str, int],
    weights: Mapping[str, int] | None = None,
) -> int:
    """Return the score 0 to 100 of a node that is preferred the emptier it stays.

    `requested` are all requests on the node, the new pod's included. Divisions are of whole
    numbers; a resource asked for beyond its capacity scores 0.
    """

    def score(asked: int, most: int) -> int:
        return 0 if asked > most else (most - asked) * 100 // most

    return _weighted(requested, capacity, weights, score)


def most_allocated(
    requested: Mapping[str, int],
    capacity: Mapping[str, int],
    weights: Mapping[str, int] | None = None,
) -> int:
    """Return the score 0 to 100 of a node that is preferred the fuller it gets."""

    def score(asked: int, most: int) -> int:
        return min(asked, most) * 100 // most

    return _weighted(requested, capacity, weights, score)


def balanced_allocation(requested: Mapping[str, int], capacity: Mapping[str, int]) -> int:
    """Return the score 0 to 100 of a node that is preferred the more evenly it is used.

    100 less the standard deviation of the used parts, in percent, cut to a whole number.
    """
    parts = [min(requested[name] / capacity[name], 1) for name in requested if capacity.get(name)]
    if not parts:
        return 0
    if len(parts) == 2:
        deviation = abs(parts[0] - parts[1]) / 2
    else:
        mean = sum(parts) / len(parts)
        deviation = math.sqrt(sum((part - mean) ** 2 for part in parts) / len(parts))
    return int((1 - deviation) * 100)


def _weighted(requested, capacity, weights, score) -> int:
    names = [name for name in requested if capacity.get(name)]
    weight = {name: (weights or {}).get(name, 1) for name in names}
    if not sum(weight.values()):
        return 0
    total = sum(score(requested[name], capacity[name]) * weight[name] for name in names)
    return total // sum(weight.values())
