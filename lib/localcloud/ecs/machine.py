"""What a container instance offers: CPU units, memory, GPUs, network interfaces.

The numbers of an instance type are those that ``ec2.describe_instance_types`` answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from localcloud.ecs import errors

# The operating system sees less than the nominal memory. Karpenter plans with the same share:
# https://karpenter.sh/docs/reference/settings/ (VM_MEMORY_OVERHEAD_PERCENT)
MEMORY_OVERHEAD = 0.075
ALWAYS_TAKEN_PORTS = ("22", "2375", "2376", "51678", "51679")


@dataclass
class Room:
    """Resources that are free, or wanted. ``enis`` are interfaces for awsvpc tasks."""

    cpu: int = 0
    memory_mib: int = 0
    gpus: list[str] = field(default_factory=list)
    enis: int = 0
    ports: set[str] = field(default_factory=set)

    def as_resources(self) -> list[dict[str, Any]]:
        """The form of registeredResources and remainingResources."""
        found = [_integer("CPU", self.cpu), _integer("MEMORY", self.memory_mib)]
        found.append(_strings("PORTS", sorted(self.ports, key=int)))
        return [*found, _strings("GPU", self.gpus)] if self.gpus else found


def of_type(name: str) -> tuple[Room, str]:
    """What an instance of this EC2 type registers, and its CPU architecture.

    One network interface is the instance's own. Raises ClientException for an unknown type.
    """
    described = INSTANCE_TYPES.get(name)
    if described is None:
        raise errors.client_error(f"The instance type '{name}' is unknown.")
    cards = described.get("GpuInfo", {}).get("Gpus", [])
    gpus = sum(card["Count"] for card in cards)
    return Room(
        cpu=described["VCpuInfo"]["DefaultVCpus"] * 1024,
        memory_mib=int(described["MemoryInfo"]["SizeInMiB"] * (1 - MEMORY_OVERHEAD)),
        gpus=[f"GPU-{index}" for index in range(gpus)],
        enis=described["NetworkInfo"]["MaximumNetworkInterfaces"] - 1,
        ports=set(ALWAYS_TAKEN_PORTS),
    ), described["ProcessorInfo"]["SupportedArchitectures"][0]


def of_resources(resources: Iterable[dict[str, Any]], enis: int) -> Room:
    """From the form of totalResources."""
    by_name = {resource["name"]: resource for resource in resources}

    def strings(name: str) -> list[str]:
        return by_name.get(name, {}).get("stringSetValue", [])

    return Room(
        cpu=by_name.get("CPU", {}).get("integerValue", 0),
        memory_mib=by_name.get("MEMORY", {}).get("integerValue", 0),
        gpus=strings("GPU"),
        enis=enis,
        ports=set(strings("PORTS")),
    )


def left(total: Room, used: Iterable[dict[str, Any]]) -> Room:
    """``total`` less the reservations of tasks."""
    room = Room(total.cpu, total.memory_mib, list(total.gpus), total.enis, set(total.ports))
    for taken in used:
        take(room, taken)
    return room


def take(room: Room, taken: dict[str, Any]) -> None:
    room.cpu -= taken["cpu"]
    room.memory_mib -= taken["memory"]
    room.enis -= taken["enis"]
    room.ports |= set(taken["ports"])
    room.gpus = [gpu for gpu in room.gpus if gpu not in taken["gpu_ids"]]


def _integer(name: str, value: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "INTEGER",
        "doubleValue": 0.0,
        "longValue": 0,
        "integerValue": value,
    }


def _strings(name: str, values: list[str]) -> dict[str, Any]:
    return {**_integer(name, 0), "type": "STRINGSET", "stringSetValue": list(values)}
