"""What one run of a job costs in each way to run it, and what a month costs before any run.

All are taken to be equally fast, and machines to be on only while the job runs. Disks beyond those
included, logs, addresses and data transfer are left out. `job` is a `choice.Job`.
"""

import math
from decimal import Decimal
from typing import Any

from drydock.model import clusters, ec2, emr, fargate, functions, glue
from drydock.model.prices import Bill, combined, number, price
from drydock.model.scaling.pods import FARGATE_OVERHEAD_MIB

MONTH_HOURS = 730
POD_CPU = 1000  # millicores of a vCPU


class TooLarge(ValueError):
    """A run does not fit; the message says into what."""


def run(way: str, job: Any, limits: dict) -> Bill:
    """Return the bill of one run. TooLarge where no size of the way holds it."""
    if way == "Lambda":
        return _function(job, limits["lambda"])
    if way == "Glue Python shell":
        return _shell(job, limits["glue-shell-memory-gb"])
    if way == "Glue Spark":
        return _glue(job, limits["spark-executor"])
    if way == "EMR Serverless":
        return _serverless(job, limits)
    if way == "EMR on EKS":
        return _emr_on_eks(job, limits["spark-executor"])
    parts, vcpu, memory = _pods(job, limits["spark-executor"])
    if way == "EKS on Fargate":
        return _fargate(job, parts, vcpu, memory + Decimal(FARGATE_OVERHEAD_MIB) / 1024, "EKS")
    if way == "ECS on Fargate":
        return _fargate(job, parts, vcpu, memory, "ECS")
    if way == "AWS Batch on Fargate":
        _hold(limits["batch-fargate-largest"], vcpu, memory, "its largest Fargate job")
        return _fargate(job, parts, vcpu, memory, "ECS")
    return _machines(job, parts, vcpu, memory, kubernetes=way.startswith("EKS"))


def idle(way: dict) -> Bill:
    """Return what a month costs before any run: the EKS control plane, or nothing."""
    return clusters.eks(MONTH_HOURS) if way["idle"] else Bill(())


def cheapest_machines(parts: int, vcpu, memory_gb, gpus: int, *, kubernetes: bool):
    """Return the x86 instance type and how many of it hold `parts` equal pods or tasks for least.

    Of a node's CPU, Kubernetes keeps some for itself; of its memory both do: what EKS leaves free.
    """
    found = []
    for kind in ec2.instance_types().values():
        cpu = kind.allocatable_millicpu if kubernetes else kind.vcpu * POD_CPU
        fit = min(
            int(cpu // (number(vcpu, "vcpu") * POD_CPU)),
            int(kind.allocatable_mib // (number(memory_gb, "memory_gb") * 1024)),
            kind.gpu.count // gpus if gpus and kind.gpu else 0 if gpus else parts,
        )
        if fit and kind.architecture == "X86_64":
            count = math.ceil(parts / fit)
            found.append((count * kind.hour.value, count, kind.name))
    if not found:
        gpu = f" and {gpus} GPUs" if gpus else ""
        raise TooLarge(f"no machine in the price list has {vcpu} vCPU, {memory_gb} GB{gpu} free")
    _, count, name = min(found)
    return name, count


def _pods(job: Any, executor: dict) -> tuple[int, Decimal, Decimal]:
    """How many pods or tasks a run has, and the size of each."""
    if not job.spark:
        return 1, number(job.vcpu, "vcpu"), number(job.memory_gb, "memory_gb")
    return _workers(job, executor), Decimal(executor["vcpu"]), Decimal(executor["memory_gb"])


def _workers(job: Any, executor: dict) -> int:
    """Executors that hold the job, and a driver."""
    vcpu, memory = number(job.vcpu, "vcpu"), number(job.memory_gb, "memory_gb")
    return 1 + math.ceil(max(vcpu / executor["vcpu"], memory / executor["memory_gb"]))


def _fargate(job: Any, parts: int, vcpu, memory, service: str) -> Bill:
    try:
        size = fargate.smallest_size(vcpu, memory, service)
    except ValueError:
        most = fargate.sizes(service)[-1]
        raise TooLarge(f"Fargate on {service} has {most} at most") from None
    return fargate.run_cost([job.seconds] * parts, size.vcpu, size.memory_gb, rate="hour")


def _hold(most: dict, vcpu, memory, what: str) -> None:
    if vcpu > most["vcpu"] or memory > most["memory_gb"]:
        raise TooLarge(f"{what} has {most['vcpu']} vCPU and {most['memory_gb']} GB")


def _machines(job: Any, parts: int, vcpu, memory, *, kubernetes: bool) -> Bill:
    name, count = cheapest_machines(parts, vcpu, memory, job.gpus, kubernetes=kubernetes)
    return ec2.on_demand(name, job.seconds, instances=count)


def _function(job: Any, limits: dict) -> Bill:
    by_cpu = number(job.vcpu, "vcpu") * limits["mb_per_vcpu"]
    memory = math.ceil(max(by_cpu, number(job.memory_gb, "memory_gb") * 1024))
    most = int(price("lambda/memory-most").value)
    if memory > most:
        raise TooLarge(f"it would need {memory:,} MB for vCPU and memory, and has {most:,} at most")
    least = int(price("lambda/memory-least").value)
    return functions.on_demand(1, number(job.seconds, "seconds") * 1000, max(memory, least))


def _shell(job: Any, memory: dict) -> Bill:
    if number(job.vcpu, "vcpu") > 4 or number(job.memory_gb, "memory_gb") > memory["value"]:
        raise TooLarge(f"it has {memory['why']}")
    small = job.vcpu <= 0.25 and job.memory_gb <= 1
    return glue.python_shell(job.seconds, dpu="0.0625" if small else 1)


def _glue(job: Any, executor: dict) -> Bill:
    if job.spark:
        return glue.spark_job(job.seconds, _workers(job, executor))
    # Without Spark only the driver works, and the other worker of the least two waits.
    for name, kind in glue.worker_types().items():
        fits = kind["vcpu"] >= job.vcpu and kind["memory_gb"] >= job.memory_gb
        if kind["unit"] == "DPU" and fits:
            return glue.spark_job(job.seconds, 2, worker_type=name)
    raise TooLarge("its largest worker with a known price, G.16X, has 64 vCPU and 256 GB")


def _serverless(job: Any, limits: dict) -> Bill:
    parts, vcpu, memory = _pods(job, limits["spark-executor"])
    _hold(limits["emr-serverless-largest"], vcpu, memory, "its largest worker")
    return emr.serverless(job.seconds, vcpu=vcpu, memory_gb=memory, workers=parts)


def _emr_on_eks(job: Any, executor: dict) -> Bill:
    parts, vcpu, memory = _pods(job, executor)
    fee = emr.on_eks(job.seconds, vcpu=vcpu, memory_gb=memory, pods=parts)
    return combined((_machines(job, parts, vcpu, memory, kubernetes=True), fee))
