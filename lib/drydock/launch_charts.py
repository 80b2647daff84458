"""Charts of lesson 3: what tasks cost on Fargate, and on instances that they fill."""

import math
import textwrap
from collections.abc import Iterable
from decimal import Decimal

from drydock.charts import BLUE, INK, ORANGE, SOFT, WIDTH, Chart
from drydock.model import ec2, fargate
from drydock.model.prices import citation

MONTH_SECONDS = 730 * 3600


def monthly_costs(
    tasks: Iterable[int], vcpu, memory_gb, instance: str, tasks_each: int
) -> dict[int, tuple[Decimal, Decimal]]:
    """Return dollars a month by number of tasks: on Fargate, and on as many instances as it takes.

    Every task runs all month (730 hours); `tasks_each` of them fit on one instance.
    """
    if tasks_each < 1:
        raise ValueError("tasks_each is less than 1: type how many tasks fit on one instance")
    found = {}
    for count in tasks:
        on_fargate = fargate.task_cost(MONTH_SECONDS, vcpu, memory_gb, tasks=count, rate="hour")
        machines = math.ceil(count / tasks_each)
        on_ec2 = ec2.on_demand(instance, MONTH_SECONDS, instances=machines)
        found[count] = on_fargate.total(), on_ec2.total()
    return found


def monthly_cost(tasks: Iterable[int], vcpu, memory_gb, instance: str, tasks_each: int) -> Chart:
    """Draw `monthly_costs`: a line for Fargate, a staircase for EC2."""
    costs = monthly_costs(tasks, vcpu, memory_gb, instance, tasks_each)
    counts = list(costs)
    on_fargate = [float(pair[0]) for pair in costs.values()]
    on_ec2 = [float(pair[1]) for pair in costs.values()]
    chart = Chart(figsize=(WIDTH, 4.2), layout="constrained")
    axes = chart.subplots()
    axes.plot(counts, on_fargate, "o-", color=BLUE, linewidth=2)
    axes.plot(counts, on_ec2, "s--", drawstyle="steps-mid", color=ORANGE, linewidth=2)
    for values, words, colour in ((on_fargate, "Fargate", BLUE), (on_ec2, instance, "#8a5f00")):
        axes.annotate(
            words,
            (counts[-1], values[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
        )
    title = f"A month of tasks with {vcpu} vCPU and {memory_gb} GB: Fargate or EC2"
    chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    axes.set_xlabel("tasks that run all month")
    axes.set_ylabel("US dollars a month")
    axes.set_xticks(counts)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e5e9")
    prices = [fargate.task_cost(60, vcpu, memory_gb, rate="hour"), ec2.on_demand(instance, 60)]
    note = citation(line.price for bill in prices for line in bill.lines)
    footer = textwrap.fill(f"{tasks_each} tasks fit on one {instance}. {note}", 130)
    chart.supxlabel(footer, fontsize=8, color=SOFT, x=0.012, ha="left")
    return chart
