"""What EC2 offers: instance types with prices, and the labels that a node of each carries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from localcloud import arns
from localcloud.karpenter import names
from localcloud.kubernetes import nodes, selectors, sizes

Object = dict[str, Any]
DATA = Path(__file__).parents[3] / "data" / "ec2_instance_types.json"
ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}


@dataclass(frozen=True)
class Offer:
    """An instance type in a zone; ``price`` is that of On-Demand, in US dollars an hour.

    ``labels`` are those of its node, ``capacity`` and ``allocatable`` in the units of ``sizes``.
    Spot has no constant price: it is taken to be cheaper than On-Demand, and ordered by this one.
    """

    kind: str
    capacity_type: str
    zone: str
    price: Decimal
    labels: Object
    capacity: sizes.Amounts
    allocatable: sizes.Amounts

    @property
    def order(self) -> tuple:
        """Cheapest first; then by name, so that equal prices always choose the same."""
        return self.capacity_type != names.SPOT, self.price, self.kind, self.zone


@cache
def prices() -> dict[str, Decimal]:
    """US dollars an hour of every instance type that has a price here."""
    return {row["name"]: Decimal(row["usd_per_hour"]) for row in _rows()}


@cache
def _rows() -> list[Object]:
    return json.loads(DATA.read_text())["types"]


@cache
def _of_type(kind: str) -> tuple[Object, sizes.Amounts, sizes.Amounts]:
    row = next(row for row in _rows() if row["name"] == kind)
    status = nodes.of_type(kind, "ip-10-0-0-1", {}, [], arns.REGION)["status"]
    family, _, size = kind.partition(".")
    category, generation = re.match(r"([a-z]+)(\d+)", family).groups()
    about = {
        "instance-category": category,
        "instance-family": family,
        "instance-generation": generation,
        "instance-size": size,
        "instance-cpu": str(row["vcpu"]),
        "instance-memory": str(row["memory_mib"]),
    }
    if row["gpu"]:
        about["instance-gpu-name"] = row["gpu"]["name"].lower()
        about["instance-gpu-count"] = str(row["gpu"]["count"])
    labels = {names.AWS + name: value for name, value in about.items()}
    labels |= {
        names.INSTANCE_TYPE: kind,
        "kubernetes.io/arch": ARCHITECTURES[row["architecture"]],
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": arns.REGION,
    }
    return labels, sizes.amounts(status["capacity"]), sizes.amounts(status["allocatable"])


def offer(kind: str, capacity_type: str, zone: str, more: Object | None = None) -> Offer:
    """``more`` are labels of the pool. Raises KeyError for a type without a price."""
    price = prices()[kind]
    labels, capacity, allocatable = _of_type(kind)
    own = {names.CAPACITY_TYPE: capacity_type, names.ZONE: zone}
    return Offer(
        kind, capacity_type, zone, price, {**labels, **own, **(more or {})}, capacity, allocatable
    )


def offers(requirements: list[Object], zones: Iterable[str], more: Object) -> list[Offer]:
    """All that meet a NodePool's requirements, cheapest first.

    On-Demand alone, unless the requirements name the capacity type: AWS's provider does so.
    """
    told = any(one["key"] == names.CAPACITY_TYPE for one in requirements)
    capacity_types = (names.SPOT, names.ON_DEMAND) if told else (names.ON_DEMAND,)
    fits = selectors.of_object({"matchExpressions": requirements})
    found = [
        offer(kind, capacity_type, zone, more)
        for kind in prices()
        for capacity_type in capacity_types
        for zone in zones
    ]
    return sorted((one for one in found if fits(one.labels)), key=lambda one: one.order)
