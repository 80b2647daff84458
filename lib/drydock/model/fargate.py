"""AWS Fargate: which sizes a task may have, and what it costs.

Source of the rules: https://aws.amazon.com/fargate/pricing/ (data/prices.json, with dates) and the
sizes' pages that data/fargate_sizes.json names. A GB is 1024 MiB here, as on that page.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from drydock.model.prices import Bill, Line, discounted, number, price, typed, whole

DATA = Path(__file__).parents[3] / "data" / "fargate_sizes.json"
ARCHITECTURES = ("X86_64", "ARM64")
SYSTEMS = {"LINUX": "fargate/minimum", "WINDOWS": "fargate/WINDOWS/minimum"}
RATES = {"second": 1, "hour": 3600}


@dataclass(frozen=True, order=True)
class Size:
    """A size of a Fargate task, in the units of a task definition (1024 CPU units = 1 vCPU)."""

    cpu_units: int
    memory_mib: int

    @property
    def vcpu(self) -> Decimal:
        return Decimal(self.cpu_units) / 1024

    @property
    def memory_gb(self) -> Decimal:
        return Decimal(self.memory_mib) / 1024

    def __str__(self) -> str:
        return f"{self.vcpu.normalize():f} vCPU / {self.memory_gb.normalize():f} GB"


@cache
def sizes(service: str = "ECS", system: str = "LINUX") -> tuple[Size, ...]:
    """Return the sizes of "ECS" (tasks) or "EKS" (pods) on "LINUX" or "WINDOWS", smallest first."""
    _check_system(system)
    table = json.loads(DATA.read_text())["sizes"]
    if service not in {name for row in table for name in row["services"]}:
        raise ValueError(f"service {service!r} has no Fargate: type 'ECS' or 'EKS'")
    return tuple(
        sorted(
            Size(row["cpu_units"], memory)
            for row in table
            if service in row["services"] and system in row["os"]
            for memory in row["memory_mib"]
        )
    )


def size(vcpu, memory_gb, system: str = "LINUX") -> Size:
    """Return the size of exactly `vcpu` and `memory_gb`; ValueError names the nearest ones."""
    cpu, memory = number(vcpu, "vcpu") * 1024, number(memory_gb, "memory_gb") * 1024
    valid = sizes("ECS", system)
    found = next((s for s in valid if (s.cpu_units, s.memory_mib) == (cpu, memory)), None)
    if found is None:
        raise ValueError(
            f"Fargate has no size of {vcpu} vCPU with {memory_gb} GB: "
            f"take {' or '.join(str(near) for near in _nearest(cpu, memory, valid))}"
        )
    return found


def smallest_size(vcpu, memory_gb, service: str = "ECS") -> Size:
    """Return the smallest size with at least `vcpu` and `memory_gb`: least vCPU, then memory.

    This is how EKS rounds a pod's request up, once it has added what Kubernetes itself needs.
    """
    cpu, memory = number(vcpu, "vcpu") * 1024, number(memory_gb, "memory_gb") * 1024
    for candidate in sizes(service):
        if candidate.cpu_units >= cpu and candidate.memory_mib >= memory:
            return candidate
    largest = sizes(service)[-1]
    raise ValueError(
        f"no Fargate size holds {vcpu} vCPU with {memory_gb} GB: ask for at most {largest}"
    )


def billed_seconds(seconds, system: str = "LINUX") -> int:
    """Return the seconds that are billed: rounded up, at least 1 minute (Windows: 5 minutes).

    They run from the start of the image download to the end of the task.
    """
    _check_system(system)
    return max(math.ceil(number(seconds, "seconds")), int(price(SYSTEMS[system]).value))


def task_cost(seconds, vcpu, memory_gb, *, tasks=1, **options) -> Bill:
    """Return the bill of `tasks` that each ran for `seconds`; options as for `run_cost`."""
    return run_cost([seconds] * whole(tasks, "tasks"), vcpu, memory_gb, **options)


def run_cost(
    durations: Iterable,
    vcpu,
    memory_gb,
    *,
    ephemeral_gb=20,
    architecture: str = "X86_64",
    system: str = "LINUX",
    discount=0,
    public_ipv4: bool = False,
    rate: str = "second",
) -> Bill:
    """Return the bill of tasks of one size that ran for `durations` seconds each.

    `ephemeral_gb` is the disk of each task, of which a part is free; `public_ipv4` adds an address
    for each task. `discount` (0 to 1) is what Fargate Spot or a Savings Plan takes off vCPU and
    memory: AWS says up to 0.7 for Spot and publishes no constant. `rate` picks the published
    constants: "second" gives AWS's own examples, "hour" its price list.
    """
    task = size(vcpu, memory_gb, system)
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r} is unknown: type 'X86_64' or 'ARM64'")
    if rate not in RATES:
        raise ValueError(f"rate {rate!r} is unknown: type 'second' or 'hour'")
    if system == "WINDOWS" and (architecture != "X86_64" or number(discount, "discount")):
        raise ValueError("Windows tasks are X86_64 and on demand: leave architecture and discount")
    seconds = sum(billed_seconds(duration, system) for duration in durations)
    time = Decimal(seconds) / RATES[rate]
    kind = system if system == "WINDOWS" else architecture
    lines = [
        Line("vCPU", time * task.vcpu, discounted(price(f"fargate/{kind}/vcpu-{rate}"), discount)),
        Line(
            "memory",
            time * task.memory_gb,
            discounted(price(f"fargate/{kind}/gb-{rate}"), discount),
        ),
    ]
    if system == "WINDOWS":
        licence = price(f"fargate/WINDOWS/licence-{rate}")
        lines.append(Line("Windows licence", time * task.vcpu, licence))
    disk = _billed_disk(ephemeral_gb)
    if disk:
        lines.append(Line("ephemeral storage", time * disk, price(f"fargate/ephemeral-gb-{rate}")))
    if public_ipv4:
        # Billed by the second with the same minimum as the task, at a price by the hour.
        lines.append(Line("public IPv4", Decimal(seconds) / 3600, price("public-ipv4/hour")))
    return Bill(tuple(lines))


def cost_per_million_rows(cost: Decimal, rows: int) -> Decimal:
    """Return what a million rows cost when `rows` rows cost `cost`."""
    if number(rows, "rows") == 0:
        raise ValueError("rows is 0: type the number of rows that the cost was paid for")
    return number(cost, "cost") * 1_000_000 / number(rows, "rows")


def _billed_disk(ephemeral_gb) -> Decimal:
    disk = number(ephemeral_gb, "ephemeral_gb")
    free, most = price("fargate/ephemeral-free").value, price("fargate/ephemeral-most").value
    if not free <= disk <= most:
        raise ValueError(
            f"ephemeral_gb is {ephemeral_gb}: type {free} (the part that is free) to {most}"
        )
    return disk - free


def _check_system(system: str) -> None:
    if system not in SYSTEMS:
        raise ValueError(f"system {system!r} is unknown: type one of {typed(SYSTEMS)}")


def _nearest(cpu: Decimal, memory: Decimal, valid: tuple[Size, ...]) -> list[Size]:
    """The nearest memory at the nearest vCPU, and the smallest size that holds both."""
    steps = sorted({s.cpu_units for s in valid})
    step = min(steps, key=lambda units: abs(units - cpu))
    near = min((s for s in valid if s.cpu_units == step), key=lambda s: abs(s.memory_mib - memory))
    holds = [s for s in valid if s.cpu_units >= cpu and s.memory_mib >= memory]
    return sorted({near, *holds[:1]})
