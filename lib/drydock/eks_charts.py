"""Charts of lesson 4: an autoscaler at work, and what EKS and ECS cost for the same pods."""

import math
import textwrap
from collections.abc import Iterable
from decimal import Decimal

from drydock.autoscaling_watch import Watch, predicted
from drydock.charts import BLUE, GREEN, INK, ORANGE, SOFT, WIDTH, Chart
from drydock.model import clusters, ec2, fargate
from drydock.model.prices import citation
from drydock.model.scaling.pods import Container, fargate_size

MONTH_SECONDS = 730 * 3600
WAYS = ("ECS on Fargate", "EKS on Fargate", "ECS on EC2", "EKS on EC2")
STYLES = dict(
    zip(WAYS, ((BLUE, "o-"), (ORANGE, "s-"), (BLUE, "o--"), (ORANGE, "s--")), strict=True)
)


def autoscaling(watch: Watch, request: int, target: int, least: int, most: int) -> Chart:
    """Draw use and replicas of a Watch over time, and what the model wants for the load."""
    samples = watch.samples
    model = predicted(watch, request, target, least, most)
    chart = _chart("What the autoscaler saw, and what it did", 5.2)
    above, below = chart.subplots(2, sharex=True)
    measured = [one for one in samples if one.utilization is not None]
    above.plot(
        [one.seconds for one in measured],
        [one.utilization for one in measured],
        color=GREEN,
        linewidth=2,
        label="mean use of the pods",
    )
    above.axhline(target, color=SOFT, linestyle=":", label=f"wanted: {target} %")
    above.set_ylabel("CPU, % of the request")
    times = [one.seconds for one in samples]
    below.step(
        times,
        [one.replicas for one in samples],
        where="post",
        color=BLUE,
        linewidth=2,
        label="replicas",
    )
    below.step(
        times,
        model,
        where="post",
        color=ORANGE,
        linestyle="--",
        linewidth=1.5,
        label="the model, which knows the load",
    )
    below.set_ylabel("pods")
    below.set_xlabel("seconds on this machine; of the autoscaler's own, ten times as many")
    for axes in (above, below):
        axes.set_ylim(0, 1.4 * axes.dataLim.y1)  # room for the names above the lines
        axes.legend(frameon=False, loc="upper right", fontsize=9)
        axes.grid(axis="y", color="#e3e5e9")
        axes.spines[["top", "right"]].set_visible(False)
        for mark in watch.marks:
            axes.axvline(mark.seconds, color=INK, linewidth=1)
            place = (mark.seconds, axes.get_ylim()[1])
            axes.text(*place, f" {mark.words}", va="top", fontsize=9, color=INK)
    return chart


def monthly_costs(
    pods: Iterable[int], cpu: int, memory: int, instance: str, pods_each: int
) -> dict[int, dict[str, Decimal]]:
    """Return dollars a month (730 hours) by number of pods and way to run them.

    `cpu` in thousandths and `memory` in MiB are a pod's requests, `pods_each` how many of them fit
    on one instance. EKS has one cluster with standard support.
    """
    if pods_each < 1:
        raise ValueError("pods_each is less than 1: type how many pods fit on one instance")
    on_ecs = fargate.smallest_size(Decimal(cpu) / 1000, Decimal(memory) / 1024, "ECS")
    on_eks = fargate_size([Container(cpu, memory)])
    cluster = clusters.eks(730).total()
    found = {}
    for count in pods:
        machines = math.ceil(count / pods_each)
        on_ec2 = ec2.on_demand(instance, MONTH_SECONDS, instances=machines).total()
        amounts = (_month(on_ecs, count), cluster + _month(on_eks, count), on_ec2, cluster + on_ec2)
        found[count] = dict(zip(WAYS, amounts, strict=True))
    return found


def _month(size: fargate.Size, count: int) -> Decimal:
    if not count:
        return Decimal(0)
    bill = fargate.task_cost(MONTH_SECONDS, size.vcpu, size.memory_gb, tasks=count, rate="hour")
    return bill.total()


def monthly_cost(
    pods: Iterable[int], cpu: int, memory: int, instance: str, pods_each: int
) -> Chart:
    """Draw `monthly_costs`: colour for the orchestrator, line for what is below it."""
    costs = monthly_costs(pods, cpu, memory, instance, pods_each)
    counts = list(costs)
    chart = _chart(f"A month of pods with {cpu / 1000:g} vCPU and {memory / 1024:g} GB", 4.4)
    axes = chart.subplots()
    for way, (colour, style) in STYLES.items():
        values = [float(costs[count][way]) for count in counts]
        axes.plot(counts, values, style, color=colour, linewidth=2, markersize=5, label=way)
    axes.legend(frameon=False)
    axes.set_xlabel("pods that run all month")
    axes.set_ylabel("US dollars a month")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#e3e5e9")
    axes.spines[["top", "right"]].set_visible(False)
    prices = [
        clusters.eks(1),
        fargate.task_cost(60, 1, 2, rate="hour"),
        ec2.on_demand(instance, 60),
    ]
    note = citation(line.price for bill in prices for line in bill.lines)
    footer = textwrap.fill(f"{pods_each} pods fit on one {instance}. {note}", 130)
    chart.supxlabel(footer, fontsize=8, color=SOFT, x=0.012, ha="left")
    return chart


def _chart(title: str, height: float) -> Chart:
    chart = Chart(figsize=(WIDTH, height), layout="constrained")
    chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    return chart
