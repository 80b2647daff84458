"""Charts of lesson 5: what reading costs in time and memory, and a storm, as measured once.

data/read_measurements.json and data/storm_measurements.json hold the measurements, with machine,
date and how to repeat them.
"""

import json
from functools import cache
from pathlib import Path

import pandas as pd

from drydock.charts import BLUE, GREEN, INK, ORANGE, SOFT, WIDTH, Chart

DATA = Path(__file__).parents[2] / "data"
SHOWN = ("odbc", "jdbc", "copy")  # the ways that the lesson compares on the reader's machine
STORM_NAMES = {"direct": "direct", "proxy": "through RDS Proxy"}
NAMES = {"odbc": "ODBC (pyodbc)", "psycopg": "native (psycopg)"}


@cache
def measured() -> dict:
    """Return the stored measurements: machine, date, reads and fetches."""
    return json.loads((DATA / "read_measurements.json").read_text(encoding="utf-8"))


def reads() -> pd.DataFrame:
    """Return each way's time as a multiple of COPY's, and its peak memory in MB; quickest first."""
    frame = pd.DataFrame(measured()["reads"]).sort_values("times_copy")
    return frame.set_index("title")[["way", "times_copy", "peak_mb"]]


def fetches() -> pd.DataFrame:
    """Return peak memory in MB by rows of a fetch (0: all at once) and driver."""
    frame = pd.DataFrame(measured()["fetches"])
    return frame.pivot(index="fetch_rows", columns="way", values="peak_mb").rename_axis(
        None, axis=1
    )


@cache
def measured_storms() -> dict:
    """Return the stored storms of clients: machine, date, class, and each storm's ends."""
    return json.loads((DATA / "storm_measurements.json").read_text(encoding="utf-8"))


def storms() -> pd.DataFrame:
    """Return for each storm how many were served and refused, over how many connections, and the
    seconds until the last answer."""
    rows = {
        STORM_NAMES[one["way"]]: {
            "clients": one["clients"],
            "served": one["served"],
            "refused": sum(one["refused"].values()),
            "connections": one["backends"],
            "last answer, s": max(one["waits"]),
        }
        for one in measured_storms()["storms"]
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def losses() -> pd.DataFrame:
    """Return the values that a driver changes without an error: SQL, driver, and what comes out."""
    cases = json.loads((DATA / "driver_types.json").read_text(encoding="utf-8"))["cases"]
    rows = [
        {"value": case["sql"], "driver": way, "what is lost": other["lost"]}
        for case in cases
        for way, other in case.get("differs", {}).items()
        if "lost" in other
    ]
    return pd.DataFrame(rows).drop_duplicates(["driver", "what is lost"]).reset_index(drop=True)


def speed() -> Chart:
    """Draw `reads` as bars; the ways that take columns of ODBC, JDBC and COPY stand out."""
    found = reads()[::-1]
    chart = _chart("How long a read takes, as a multiple of COPY", 5.8)
    axes = chart.subplots()
    colours = [BLUE if way in SHOWN else "#c3c9d2" for way in found["way"]]
    bars = axes.barh(list(found.index), list(found["times_copy"]), color=colours)
    labels = [
        f"{ratio:.1f} x, {peak:,} MB"
        for ratio, peak in zip(found["times_copy"], found["peak_mb"], strict=True)
    ]
    axes.bar_label(bars, labels, padding=4, color=INK, fontsize=9)
    axes.set_xlabel("seconds, divided by those of COPY as CSV; beside it the peak memory")
    axes.set_xlim(0, found["times_copy"].max() * 1.25)
    axes.spines[["top", "right"]].set_visible(False)
    return chart


def memory() -> Chart:
    """Draw `fetches`: a line for each driver, and all at once at the right."""
    found = fetches()
    sizes = [*found.index[found.index > 0], 0]
    words = [f"{size:,}" if size else "fetchall()" for size in sizes]
    chart = _chart("Rows of a fetch, and the memory that they take", 3.8)
    axes = chart.subplots()
    for way, colour, mark in (("odbc", BLUE, "o-"), ("psycopg", ORANGE, "s--")):
        values = [int(found.loc[size, way]) for size in sizes]
        axes.plot(words, values, mark, color=colour, linewidth=2, label=NAMES[way])
    axes.legend(frameon=False)
    axes.set_xlabel("rows that are fetched at a time")
    axes.set_ylabel("peak memory of the process, MB")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#e3e5e9")
    axes.spines[["top", "right"]].set_visible(False)
    return chart


def storm() -> Chart:
    """Draw how many clients of each storm have their answer, over seconds since it began."""
    told = measured_storms()
    chart = _chart("Clients that have their answer, of 200 that connect at once", 3.8, told)
    axes = chart.subplots()
    end = max(max(one["waits"]) for one in told["storms"]) * 1.15
    for one, colour in zip(told["storms"], (ORANGE, BLUE), strict=True):
        seconds = [0.0, *one["waits"], end]
        answered = [*range(len(one["waits"]) + 1), len(one["waits"])]
        name = STORM_NAMES[one["way"]]
        axes.step(seconds, answered, where="post", color=colour, linewidth=2, label=name)
        axes.annotate(
            f"{one['served']} of {one['clients']} served, {one['backends']} connections",
            (end, one["served"]),
            (0, 5),
            textcoords="offset points",
            ha="right",
            color=INK,
            fontsize=9,
        )
    axes.legend(frameon=False, loc="lower right")
    axes.set_xlabel("seconds since all began to connect")
    axes.set_ylabel("clients with an answer")
    axes.set_xlim(0, end)
    axes.set_ylim(0, 225)
    axes.grid(axis="y", color="#e3e5e9")
    axes.spines[["top", "right"]].set_visible(False)
    return chart


def waits(sizes: list[int], milliseconds: list[float], chosen: int, wanted: float) -> Chart:
    """Draw the wait that 95 % of queries stay below, by the connections of a pool."""
    chart = Chart(figsize=(WIDTH, 3.2), layout="constrained")
    axes = chart.subplots()
    colours = [GREEN if size == chosen else "#c3c9d2" for size in sizes]
    bars = axes.bar([str(size) for size in sizes], milliseconds, color=colours)
    axes.bar_label(bars, [f"{value:.0f}" for value in milliseconds], fontsize=8, color=INK)
    axes.set_title(f"{wanted:.1f} connections are busy on average", loc="left", color=INK)
    axes.set_xlabel("connections in the pool of one task")
    axes.set_ylabel("95 % wait at most, ms")
    axes.spines[["top", "right"]].set_visible(False)
    return chart


def _chart(title: str, height: float, told: dict | None = None) -> Chart:
    chart = Chart(figsize=(WIDTH, height), layout="constrained")
    chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    what = f"{told['class']} and its clients" if told else "336,776 flights with TLS,"
    told = told or measured()
    note = f"{what} on a machine with {told['machine']}, {told['date']}"
    chart.supxlabel(note, fontsize=8, color=SOFT, x=0.012, ha="left")
    return chart
