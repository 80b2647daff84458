"""Charts of lesson 8: what a month of a job costs in each way to run it."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from drydock.charts import BLUE, GREEN, INK, ORANGE, SKY, SOFT, WIDTH, Chart
from drydock.model.choice import Job, Verdict, verdict, verdicts
from drydock.model.prices import citation

COMPUTED = "Computed from AWS's prices, not measured; all ways are taken to be equally fast."
STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), ("#CC79A7", ":"), (SKY, "-"), (INK, "--"))


def month_by_way(job: Job) -> Chart:
    """Draw `verdicts(job)`: a bar for each way that is possible, for the others what is against."""
    found = verdicts(job)[::-1]
    chart, axes = _chart("A month of this job, in each way to run it", 0.36 * len(found) + 1.5)
    most = max((float(one.month) for one in found if one.possible), default=1.0)
    for row, one in enumerate(found):
        if not one.possible:
            words = textwrap.shorten("; ".join(one.against), 84, placeholder=" …")
            axes.text(0, row, f" no: {words}", va="center", fontsize=8, color=SOFT)
            continue
        axes.barh(row, float(one.idle.total()), color=ORANGE, hatch="//")
        runs = float(one.month - one.idle.total())
        axes.barh(row, runs, left=float(one.idle.total()), color=BLUE)
        axes.text(float(one.month), row, f" ${one.month:,.2f}", va="center", fontsize=8.5)
    axes.set_yticks(range(len(found)), [one.way for one in found])
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_xlim(0, most * 1.15)
    axes.set_xlabel(
        "US dollars a month. Solid: the runs; hatched: the EKS control plane, always on"
    )
    _foot(chart, found)
    return chart


def month_by_runs(job: Job, ways: Sequence[str], runs: Sequence[int]) -> Chart:
    """Draw what a month costs in some ways by the number of runs; all must be possible."""
    chart, axes = _chart("A month by the number of runs", 4.2)
    for way, (colour, line) in zip(ways, STYLES, strict=False):
        costs = [float(verdict(replace(job, runs=n, at_once=1), way).month) for n in runs]
        axes.plot(runs, costs, line, color=colour, label=way)
    axes.set_xlabel("runs a month")
    axes.set_ylabel("US dollars a month")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _foot(chart, [verdict(job, way) for way in ways])
    return chart


def _chart(title: str, height: float):
    chart = Chart(figsize=(WIDTH, height), layout="constrained")
    axes = chart.subplots()
    chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e5e9", axis="x")
    axes.set_axisbelow(True)
    return chart, axes


def _foot(chart: Chart, some: Sequence[Verdict]) -> None:
    bills = [bill for one in some for bill in (one.run, one.idle) if bill]
    used = {line.price for bill in bills for line in bill.lines}
    few = citation(used) if len(used) < 5 else "us-east-1; pages and dates: data/prices.json."
    note = f"{COMPUTED} {few}"
    chart.supxlabel(textwrap.fill(note, 125), fontsize=8, color=SOFT, x=0.012, ha="left")
