"""What a pod asks for and what a node has left: CPU in thousandths, memory in bytes, pods."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localcloud.kubernetes import quantities

Object = dict[str, Any]
Amounts = dict[str, int]
CPU, MEMORY, STORAGE = "cpu", "memory", "ephemeral-storage"


def amounts(found: dict[str, str] | None) -> Amounts:
    return {
        name: quantities.milli(value) if name == CPU else quantities.whole(value)
        for name, value in (found or {}).items()
    }


def requests(spec: Object) -> Amounts:
    return _of_pod(spec, "requests")


def limits(spec: Object) -> Amounts:
    return _of_pod(spec, "limits")


def _of_pod(spec: Object, kind: str) -> Amounts:
    """The larger of the sum of the containers and of any init container."""
    together: Amounts = {}
    for container in spec["containers"]:
        for name, value in amounts(container.get("resources", {}).get(kind)).items():
            together[name] = together.get(name, 0) + value
    for container in spec.get("initContainers", []):
        for name, value in amounts(container.get("resources", {}).get(kind)).items():
            together[name] = max(together.get(name, 0), value)
    return together


def qos(spec: Object) -> str:
    """The quality of service class: Guaranteed, Burstable or BestEffort."""
    containers = [*spec["containers"], *spec.get("initContainers", [])]
    found = [c.get("resources", {}) for c in containers]
    if not any(r.get(kind) for r in found for kind in ("requests", "limits")):
        return "BestEffort"
    for resources in found:
        wanted, most = amounts(resources.get("requests")), amounts(resources.get("limits"))
        for name in (CPU, MEMORY):
            if name not in most or wanted.get(name, most[name]) != most[name]:
                return "Burstable"
    return "Guaranteed"


@dataclass
class Used:
    """What the pods of one node ask for together."""

    total: Amounts = field(default_factory=dict)
    pods: int = 0

    def add(self, wanted: Amounts, sign: int) -> None:
        self.pods += sign
        for name, value in wanted.items():
            self.total[name] = self.total.get(name, 0) + sign * value

    def lacks(self, wanted: Amounts, node: Object) -> list[str]:
        """Why the node has no room for a pod, in the scheduler's words."""
        offered = amounts(node["status"].get("allocatable"))
        found = []
        if self.pods + 1 > offered.get("pods", 110):
            found.append("Too many pods")
        for name, value in wanted.items():
            if value and value > offered.get(name, 0) - self.total.get(name, 0):
                found.append(f"Insufficient {name}")
        return found

    def least_allocated(self, wanted: Amounts, node: Object) -> int:
        offered = amounts(node["status"].get("allocatable"))
        score = 0
        for name in (CPU, MEMORY):
            capacity = offered.get(name, 0)
            asked = self.total.get(name, 0) + wanted.get(name, 0)
            score += (
                (capacity - asked) * 100 // capacity if 0 < asked <= capacity else 100 * (not asked)
            )
        return score // 2
