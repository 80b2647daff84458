"""Amazon EC2: instance types with what pods may use of them, on-demand and Spot bills, EBS.

data/ec2_instance_types.json names the source of each number.
"""

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from drydock.model.prices import (
    Bill,
    Line,
    Price,
    discounted,
    entry_of,
    number,
    price,
    typed,
    whole,
)

DATA = Path(__file__).parents[3] / "data" / "ec2_instance_types.json"
VOLUMES = ("gp2", "gp3")


@dataclass(frozen=True)
class Gpu:
    """The GPUs of an instance type: how many, which, and the memory of each in MiB."""

    count: int
    name: str
    memory_mib: int


@dataclass(frozen=True)
class InstanceType:
    """An EC2 instance type; memory is nominal, `allocatable` is what pods of EKS may use."""

    name: str
    hour: Price
    vcpu: int
    memory_mib: int
    architecture: str
    gpu: Gpu | None
    network_mbps: int
    allocatable_millicpu: int
    allocatable_mib: int
    max_pods: int


@cache
def instance_types() -> dict[str, InstanceType]:
    """Return all instance types that the data has, by name."""
    table = json.loads(DATA.read_text())
    found = {}
    for row in table["types"]:
        hour = Price(
            f"ec2/{row['name']}-hour",
            Decimal(row.pop("usd_per_hour")),
            "USD per instance-hour",
            table["source"],
            table["date"],
        )
        gpu = row.pop("gpu")
        found[row["name"]] = InstanceType(hour=hour, gpu=gpu and Gpu(**gpu), **row)
    return found


def instance_type(name: str) -> InstanceType:
    """Return the instance type called `name`; ValueError names near ones."""
    return entry_of(name, instance_types(), "instance type")


def billed_hours(seconds, minimum: str = "ec2/minimum") -> Decimal:
    """Return the hours billed for `seconds`: whole seconds, at least the named minimum."""
    return max(math.ceil(number(seconds, "seconds")), price(minimum).value) / Decimal(3600)


def on_demand(name: str, seconds, *, instances=1, discount=0) -> Bill:
    """Return the bill of `instances` Linux instances that ran `seconds` each.

    `discount` (0 to 1) is what Spot or a Savings Plan takes off.
    """
    time = billed_hours(seconds) * whole(instances, "instances")
    return Bill((Line(f"EC2 {name}", time, discounted(instance_type(name).hour, discount)),))


def ebs(gb, *, kind: str = "gp3", months=1, iops=0, mbps=0, snapshot_gb=0) -> Bill:
    """Return the bill of a volume of `gb` GB; what gp3 includes of IOPS and MB/s is free."""
    if kind not in VOLUMES:
        raise ValueError(f"kind {kind!r} has no price here: type one of {typed(VOLUMES)}")
    if kind == "gp2" and (number(iops, "iops") or number(mbps, "mbps")):
        raise ValueError("gp2 takes no iops or mbps: type kind='gp3'")
    time = number(months, "months")
    lines = [Line(f"EBS {kind}", number(gb, "gb") * time, price(f"ebs/{kind}/gb-month"))]
    for unit, wanted in (("iops", iops), ("mbps", mbps)):
        extra = number(wanted, unit) - price(f"ebs/gp3/{unit}-free").value
        if extra > 0:
            lines.append(Line(f"EBS {unit}", extra * time, price(f"ebs/gp3/{unit}-month")))
    kept = number(snapshot_gb, "snapshot_gb")
    if kept:
        lines.append(Line("EBS snapshots", kept * time, price("ebs/snapshot-gb-month")))
    return Bill(tuple(lines))
