"""Amazon EMR: the fee on EKS and on EC2, and EMR Serverless.

Source: the sample calculation of AWS's EMR best practices, which data/prices.json names.
"""

from decimal import Decimal

from drydock.model.ec2 import billed_hours
from drydock.model.prices import Bill, Line, number, price, whole


def on_eks(seconds, *, vcpu, memory_gb, pods=1) -> Bill:
    """Return EMR's fee for `pods` of one size that ran `seconds`; EC2 or Fargate and EKS extra."""
    time = billed_hours(seconds, "emr/minimum") * whole(pods, "pods")
    return _resources("EMR on EKS", "emr/eks", time, vcpu, memory_gb)


def serverless(seconds, *, vcpu, memory_gb, workers=1, storage_gb=20) -> Bill:
    """Return the bill of EMR Serverless workers of one size that ran `seconds` each.

    `storage_gb` is the disk of a worker, of which a part is free.
    """
    time = billed_hours(seconds, "emr/minimum") * whole(workers, "workers")
    lines = _resources("EMR Serverless", "emr/serverless", time, vcpu, memory_gb).lines
    free = price("emr/serverless/storage-free").value
    disk = number(storage_gb, "storage_gb") - free
    if disk > 0:
        storage = price("emr/serverless/storage-gb-hour")
        lines += (Line("EMR Serverless storage", time * disk, storage),)
    return Bill(lines)


def on_ec2(instance: str, seconds, *, instances=1) -> Bill:
    """Return EMR's fee for EC2 instances that ran `seconds`; the instances themselves extra."""
    time = billed_hours(seconds, "emr/minimum") * whole(instances, "instances")
    return Bill((Line(f"EMR fee, {instance}", time, price(f"emr/ec2/{instance}-hour")),))


def _resources(what: str, prefix: str, time: Decimal, vcpu, memory_gb) -> Bill:
    return Bill(
        (
            Line(f"{what} vCPU", time * number(vcpu, "vcpu"), price(f"{prefix}/vcpu-hour")),
            Line(
                f"{what} memory", time * number(memory_gb, "memory_gb"), price(f"{prefix}/gb-hour")
            ),
        )
    )
