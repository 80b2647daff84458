"""Charts of lesson 6: what two kinds of load test see, and what a month of serving costs."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from drydock.charts import BLUE, GREEN, INK, MEASURED, ORANGE, SOFT, WIDTH, Chart
from drydock.load import Load
from drydock.model.prices import citation
from drydock.model.serving import WAYS, Traffic, bills, per_million

STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), ("#CC79A7", ":"))
PARTS = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
COMPUTED = "Computed from AWS's prices, with data transfer and logs left out."


def percentiles(load: Load) -> dict[float, float]:
    """Return the milliseconds that each of PARTS of the answers stayed within."""
    return {part: 1000 * load.at(part) for part in PARTS}


def latencies(loads: dict[str, Load]) -> Chart:
    """Draw the `percentiles` of each load, by its name."""
    chart, axes = _chart("How long answers take, seen by two kinds of load test", 3.8)
    names = [f"{100 * part:g} %" for part in PARTS]
    for (name, load), (colour, line) in zip(loads.items(), STYLES, strict=False):
        found = list(percentiles(load).values())
        axes.plot(names, found, line, marker="o", color=colour, linewidth=2, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("of the answers came within")
    axes.set_ylabel("milliseconds (log scale)")
    axes.legend(frameon=False)
    _foot(chart, MEASURED)
    return chart


def million_by_requests(traffic: Traffic, requests: Sequence[int]) -> Chart:
    """Draw what a million requests cost in each of `WAYS`, by the requests of a month."""
    chart, axes = _chart("What a million requests cost, by how many there are", 4.4)
    for way, (colour, line) in zip(WAYS, STYLES, strict=True):
        costs = [float(per_million(way, replace(traffic, requests=n))) for n in requests]
        axes.plot(requests, costs, line, color=colour, linewidth=2, label=way)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("requests a month (log scale)")
    axes.set_ylabel("US dollars a million requests (log scale)")
    axes.legend(frameon=False)
    used = {line.price for bill in bills(traffic).values() for line in bill.lines}
    few = citation(used) if len(used) < 5 else "us-east-1; pages and dates: data/prices.json."
    _foot(chart, f"{COMPUTED} {few}")
    return chart


def _chart(title: str, height: float):
    chart = Chart(figsize=(WIDTH, height), layout="constrained")
    chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    axes = chart.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e5e9", axis="y")
    axes.set_axisbelow(True)
    return chart, axes


def _foot(chart: Chart, note: str) -> None:
    chart.supxlabel(textwrap.fill(note, 125), fontsize=8, color=SOFT, x=0.012, ha="left")
