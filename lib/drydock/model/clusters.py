"""What the orchestrator itself costs: Amazon EKS, EKS Auto Mode, ECS Managed Instances, Anywhere.

The control plane of ECS and AWS Batch cost nothing. All fees come on top of EC2, Fargate and EBS.
"""

from decimal import Decimal

from drydock.model.ec2 import billed_hours, instance_type
from drydock.model.prices import Bill, Line, Price, file, number, price, typed, whole
from drydock.model.tiers import tiered

SUPPORT = ("standard", "extended")
MANAGERS = {"auto-mode": "eks/auto-mode", "managed-instances": "ecs/managed-instances"}
# AWS publishes these fees by instance type; where the data has both, fee and price are 12 % apart.
FEE_PART = Decimal("0.12")


def eks(hours, *, clusters=1, support: str = "standard") -> Bill:
    """Return the bill of EKS control planes for `hours`; support is "standard" or "extended"."""
    if support not in SUPPORT:
        raise ValueError(f"support {support!r} is unknown: type one of {typed(SUPPORT)}")
    time = number(hours, "hours") * whole(clusters, "clusters")
    return Bill((Line(f"EKS cluster, {support}", time, price(f"eks/{support}/cluster-hour")),))


def eks_hybrid(vcpu_hours) -> Bill:
    """Return the bill of EKS Hybrid Nodes for `vcpu_hours` of a month, by tiers."""
    return Bill(tuple(tiered("EKS Hybrid Nodes", vcpu_hours, "eks/hybrid/vcpu-hour")))


def ecs_anywhere(hours, *, instances=1) -> Bill:
    """Return the bill of ECS Anywhere: own machines, each registered for `hours`."""
    time = number(hours, "hours") * whole(instances, "instances")
    return Bill((Line("ECS Anywhere", time, price("ecs/anywhere/instance-hour")),))


def eks_auto_mode(name: str, seconds, *, instances=1, fee_per_hour=None) -> Bill:
    """Return the Auto Mode fee of `instances` that ran `seconds`; see `management_fee`."""
    return _managed("auto-mode", name, seconds, instances, fee_per_hour)


def ecs_managed_instances(name: str, seconds, *, instances=1, fee_per_hour=None) -> Bill:
    """Return the Managed Instances fee of `instances` that ran `seconds`; see `management_fee`."""
    return _managed("managed-instances", name, seconds, instances, fee_per_hour)


def management_fee(manager: str, name: str, fee_per_hour=None) -> Price:
    """Return the hourly fee of "auto-mode" or "managed-instances" for one instance type.

    `fee_per_hour` wins; then a fee that the data has; then 12 % of the on-demand price, which is
    an estimate and says so in its unit. It is not reduced by Spot or Savings Plans. GPU types were
    cut in July 2026 from fees that the data lacks: ValueError unless `fee_per_hour` is given.
    """
    known = f"{MANAGERS[manager]}/{name}-hour"
    kind = instance_type(name)
    if fee_per_hour is not None:
        fee = number(fee_per_hour, "fee_per_hour")
        return Price(known, fee, "USD per instance-hour (given)", kind.hour.source, kind.hour.date)
    if known in file()["prices"]:
        return price(known)
    if kind.gpu:
        raise ValueError(f"the {manager} fee of {name} is not known: type fee_per_hour=")
    unit = "USD per instance-hour (estimate: 12 % of on-demand)"
    return Price(known, kind.hour.value * FEE_PART, unit, kind.hour.source, kind.hour.date)


def _managed(manager: str, name: str, seconds, instances, fee_per_hour) -> Bill:
    time = billed_hours(seconds, "ecs/managed-instances/minimum") * whole(instances, "instances")
    fee = management_fee(manager, name, fee_per_hour)
    return Bill((Line(f"{manager} fee, {name}", time, fee),))
