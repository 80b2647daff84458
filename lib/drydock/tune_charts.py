"""Charts of lesson 7: speed, cost and scaling. Each has a plain function with its numbers."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from drydock.charts import BLUE, GREEN, INK, ORANGE, SKY, SOFT, WIDTH, Chart
from drydock.model import clusters, ec2, emr, fargate, functions, glue
from drydock.model.prices import Bill, citation, combined
from drydock.model.simulation import Result
from drydock.model.throughput import Fit

STYLES = (
    (BLUE, "-", "o"),
    (ORANGE, "--", "s"),
    (GREEN, "-.", "^"),
    ("#CC79A7", ":", "D"),
    (SKY, "-", "v"),
    ("#D55E00", "--", "P"),
    (INK, ":", "X"),
)
SPOT_DISCOUNT = "0.6"  # an assumption: AWS says up to 0.7 and publishes no constant
MONTH_DAYS = 30
LAMBDA_SECONDS, LAMBDA_MB = 900, 10_240  # its longest run and its largest size


def launch_types(hours: Decimal, spot_discount=SPOT_DISCOUNT) -> dict[str, Bill]:
    """Return a month's bills for 4 vCPU and 16 GB that work `hours` a day, by launch type.

    EC2 and EKS are one m7i.xlarge that runs all month; Glue is one G.1X (1 DPU: 4 vCPU, 16 GB),
    as is EMR Serverless; the others are on only while they work. Lambda has 10,240 MB at most,
    with some 5.8 vCPU, in runs of 15 minutes. Disks, logs and addresses are left out, and all are
    taken to be equally fast.
    """
    seconds = Decimal(hours) * 3600
    month = MONTH_DAYS * 24 * 3600
    size = {"vcpu": 4, "memory_gb": 16, "rate": "hour"}
    runs = [seconds] * MONTH_DAYS
    instance = ec2.on_demand("m7i.xlarge", month)
    return {
        "Fargate": fargate.run_cost(runs, **size),
        "Fargate Spot": fargate.run_cost(runs, **size, discount=spot_discount),
        "EC2, all month": instance,
        "EKS on EC2, all month": combined((clusters.eks(MONTH_DAYS * 24), instance)),
        "Glue G.1X": combined([glue.dpus(seconds, 1)] * MONTH_DAYS),
        "EMR Serverless": combined([emr.serverless(seconds, vcpu=4, memory_gb=16)] * MONTH_DAYS),
        "Lambda, 10 GB": functions.on_demand(
            MONTH_DAYS * math.ceil(seconds / LAMBDA_SECONDS), LAMBDA_SECONDS * 1000, LAMBDA_MB
        ),
    }


def crossing(one: str, other: str, spot_discount=SPOT_DISCOUNT) -> Decimal | None:
    """Return the hours a day at which two launch types cost the same, to the hundredth, or None.

    Found between one hour and 24: below, minimums bend the lines.
    """

    def gap(hours: Decimal) -> Decimal:
        bills = launch_types(hours, spot_discount)
        return bills[one].total() - bills[other].total()

    low, high = Decimal(1), Decimal(24)
    first, last = gap(low), gap(high)
    if first == last or first * last > 0:
        return None
    return (low + (high - low) * first / (first - last)).quantize(Decimal("0.01"))


def launch_type_costs(hours: Sequence[int] = tuple(range(1, 25))) -> Chart:
    """Draw `launch_types` by the hours of work a day."""
    bills = [launch_types(Decimal(hour)) for hour in hours]
    chart, axes = _chart("What a month of 4 vCPU and 16 GB costs")
    for (name, _), (colour, line, mark) in zip(bills[0].items(), STYLES, strict=True):
        costs = [float(bill[name].total()) for bill in bills]
        axes.plot(hours, costs, line, marker=mark, markevery=4, color=colour, label=name)
    axes.set_xlabel("hours of work a day")
    axes.set_ylabel("US dollars a month")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    note = f"Spot is taken as {float(SPOT_DISCOUNT):.0%} off, an assumption. "
    used = {line.price for bill in bills[0].values() for line in bill.lines}
    _foot(chart, note + citation(used))
    return chart


def parallel_speed(workers: Sequence[float], rates: Sequence[float], fit: Fit, where: str) -> Chart:
    """Draw measured throughput by tasks side by side, the fitted law, and its interval."""
    chart, axes = _chart("Throughput of tasks side by side")
    line = np.linspace(1, max(workers) * 1.25, 60)
    low, high = zip(*(fit.interval(one) for one in line), strict=True)
    axes.fill_between(line, low, high, color=SKY, alpha=0.3, label=f"{fit.confidence:.0%} interval")
    axes.plot(line, [fit.law.throughput(one) for one in line], color=BLUE, label="fitted USL")
    ideal = [fit.law.rate * one for one in line]
    axes.plot(line, ideal, "--", color=SOFT, label="no contention")
    axes.plot(workers, rates, "o", color=INK, label="measured")
    axes.set_xlabel("tasks of 0.25 vCPU at once")
    axes.set_ylabel("rows a second")
    axes.set_ylim(0, 1.15 * max(*ideal[:1], *rates, fit.law.throughput(max(workers))))
    axes.legend(frameon=False)
    _foot(chart, f"Measured on {where}.")
    return chart


def pareto(points: Mapping[str, tuple[float, Decimal]]) -> list[str]:
    """Return the names that no other beats in both: seconds and dollars, the fastest first."""
    best: list[str] = []
    for name, (_, cost) in sorted(points.items(), key=lambda item: (item[1][0], item[1][1])):
        if not best or cost < points[best[-1]][1]:
            best.append(name)
    return best


def pareto_front(points: Mapping[str, tuple[float, Decimal]], where: str) -> Chart:
    """Draw cost against time of each choice; the line joins those that nothing beats."""
    chart, axes = _chart("Time against cost of a million rows")
    front = pareto(points)
    axes.plot(
        [points[name][0] for name in front],
        [float(points[name][1]) * 100 for name in front],
        "-o",
        color=BLUE,
        label="not beaten by any other",
    )
    others = [points[name] for name in points if name not in front]
    if others:
        axes.plot(
            [time for time, _ in others],
            [float(cost) * 100 for _, cost in others],
            "s",
            color=ORANGE,
            label="beaten in both",
        )
    for name, (time, cost) in points.items():
        axes.annotate(
            name, (time, float(cost) * 100), xytext=(6, 4), textcoords="offset points", fontsize=9
        )
    axes.set_xlabel("seconds for a million rows")
    axes.set_ylabel("US cents for a million rows")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.2)
    axes.legend(frameon=False)
    _foot(chart, f"Seconds: measured on {where}. Dollars: Fargate, us-east-1.")
    return chart


def scaling_day(results: Mapping[str, Result], step: float = 300.0) -> Chart:
    """Draw, for each simulated fleet, tasks that wait and workers that are there, over the day."""
    chart = Chart(figsize=(WIDTH, 5.2), layout="constrained")
    above, below = chart.subplots(2, sharex=True)
    for (name, result), (colour, line, _) in zip(results.items(), STYLES, strict=False):
        counts = result.counts(step)
        hours = counts["time"] / 3600
        above.plot(hours, counts["waiting"], line, color=colour, label=name)
        below.plot(hours, counts["workers"], line, color=colour, label=name)
    above.set_ylabel("tasks that wait")
    for axes in (above, below):
        axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    below.set_ylabel("workers")
    below.set_xlabel("hour of the day")
    above.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    _dress(chart, above, "A day of tasks (simulated)")
    _dress(chart, below, None)
    _foot(chart, f"{next(iter(results.values())).label}.")
    return chart


def sensitivity(base: Decimal, changed: Mapping[str, tuple[Decimal, Decimal]]) -> Chart:
    """Draw how far each assumption moves a bill from `base`: (low, high), the widest on top."""
    chart, axes = _chart("What moves the bill most")
    rows = sorted(changed.items(), key=lambda item: abs(item[1][1] - item[1][0]))
    for row, (_, (low, high)) in enumerate(rows):
        axes.barh(row, float(low - base), left=float(base), color=BLUE)
        axes.barh(row, float(high - base), left=float(base), color=ORANGE, hatch="//")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.axvline(float(base), color=INK)
    axes.set_xlabel("US dollars a month")
    _foot(chart, "Solid: the lower setting; hatched: the higher one.")
    return chart


def breakdown(bills: Mapping[str, Bill]) -> Chart:
    """Draw what each service of a pipeline adds to its bill, the dearest on top."""
    chart, axes = _chart("The bill by service")
    rows = sorted(((bill.total(), name) for name, bill in bills.items()))
    bars = axes.barh([name for _, name in rows], [float(cost) for cost, _ in rows], color=BLUE)
    axes.bar_label(bars, [f"${cost:.2f}" for cost, _ in rows], padding=4)
    axes.margins(x=0.15)
    axes.set_xlabel("US dollars a month")
    _foot(chart, citation({line.price for bill in bills.values() for line in bill.lines}))
    return chart


def _chart(title: str):
    chart = Chart(figsize=(WIDTH, 4.2), layout="constrained")
    axes = chart.subplots()
    _dress(chart, axes, title)
    return chart, axes


def _dress(chart: Chart, axes, title: str | None) -> None:
    if title:
        chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e5e9")
    axes.set_axisbelow(True)


def _foot(chart: Chart, words: str) -> None:
    chart.supxlabel(textwrap.fill(words, 125), fontsize=8, color=SOFT, x=0.012, ha="left")
