"""What the lab's stack costs on AWS: by the hour, by lesson, and how long a budget lasts.

Plain functions of lib/infrastructure's sizes; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from drydock.costs.items import Item
from drydock.model import clusters, databases, ec2, network, operations
from drydock.model.prices import citation, combined, number, rounded

MONTH = 730  # hours, as AWS's own calculator has it
DATABASE, DATABASE_GB, SECRETS = "db.t4g.micro", 20, 2
NODE, NODES, NODE_GB = "t3.medium", 2, 20
WITH_KUBERNETES = ("04_launch_eks", "04b_spark")
NOT_IN_IT = (
    "tasks, functions and what else a lesson runs: its first table says what that costs",
    "traffic: GB through the NAT gateway, LCUs of the load balancer, requests to S3 and the API",
    "logs, and the metrics of Container Insights",
)


@dataclass(frozen=True)
class Lesson:
    """A lesson: its minutes, and what the stack costs meanwhile; None: it needs --eks."""

    name: str
    minutes: int
    usd: Decimal | None


def items(hours, kubernetes: bool = False) -> list[Item]:
    """Return what the stack costs in so many hours, one item for each thing that is billed.

    Part of an hour is billed as AWS does for each: a NAT gateway's as a whole hour.
    """
    time = number(hours, "hours")
    seconds, months = time * 3600, time / MONTH
    way_out = combined((network.nat_gateway(time), network.public_ipv4(time)))
    database = databases.postgres(DATABASE, seconds, storage_gb=DATABASE_GB, months=months)
    found = [
        Item("NAT gateway", "one, with its public address", way_out),
        Item("load balancer", "of the data API, internal", network.alb(time)),
        Item("database", f"{DATABASE}, {DATABASE_GB} GB", database),
        Item("secrets", f"{SECRETS}", operations.secrets(SECRETS, months=months)),
    ]
    if kubernetes:
        disks = ec2.ebs(NODE_GB * NODES, months=months)
        nodes = combined((ec2.on_demand(NODE, seconds, instances=NODES), disks))
        found += [
            Item("EKS cluster", "its control plane", clusters.eks(time)),
            Item("EKS nodes", f"{NODES} x {NODE}, {NODE_GB} GB each", nodes),
        ]
    return found


def usd(hours, kubernetes: bool = False) -> Decimal:
    """Return what the stack costs in so many hours."""
    return combined(item.bill for item in items(hours, kubernetes)).total()


def hours_of(budget, kubernetes: bool = False) -> int:
    """Return how many whole hours a budget in USD lasts."""
    hours = number(budget, "budget") / usd(1, kubernetes)
    return int(hours.to_integral_value(ROUND_FLOOR))


def by_lesson(minutes: Mapping[str, int], kubernetes: bool = False) -> list[Lesson]:
    """Return what the stack costs during each lesson, taken on its own."""
    return [
        Lesson(
            name,
            long,
            None
            if name in WITH_KUBERNETES and not kubernetes
            else usd(Decimal(long) / 60, kubernetes),
        )
        for name, long in minutes.items()
    ]


def text(budget, minutes: Mapping[str, int], kubernetes: bool = False) -> list[str]:
    """Return the lines that `drydock aws up` shows before it asks."""
    found = items(1, kubernetes)
    lines = ["What the stack costs, used or not:", ""]
    for one in found:
        lines.append(f"  {one.what:<14} {one.used:<30} ${_cents(one.bill.total()):>8} an hour")
    hour = usd(1, kubernetes)
    lines += [f"  {'together':<14} {'':<30} ${_cents(hour):>8} an hour", ""]
    lines += ["By lesson, with the minutes of the instructor's plan, each on its own:", ""]
    for one in by_lesson(minutes, kubernetes):
        cost = "add --eks" if one.usd is None else f"${_cents(one.usd)}"
        lines.append(f"  {one.name:<24} {one.minutes:>4} min {cost:>10}")
    lines += ["", *(f"Not in it: {what}." for what in NOT_IN_IT)]
    lines.append(citation(line.price for item in found for line in item.bill.lines))
    hours = hours_of(budget, kubernetes)
    lines += [
        "",
        f"A budget of ${number(budget, 'budget'):f} lasts {hours} hours, then it is spent: "
        "a budget of AWS tells, it stops nothing.",
    ]
    return lines


def _cents(amount: Decimal) -> str:
    """Four decimals: a hundredth of a cent."""
    return f"{rounded(amount, 4):f}"
