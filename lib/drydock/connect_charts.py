"""Charts of lesson 5: what a way of reading costs in time and memory, as it was measured once.

data/read_measurements.json holds the measurements, with machine, date and how to repeat them.
"""

import json
from functools import cache
from pathlib import Path

import pandas as pd

from drydock.charts import BLUE, GREEN, INK, ORANGE, SOFT, WIDTH, Chart

DATA = Path(__file__).parents[2] / "data"
SHOWN = ("odbc", "jdbc", "copy")  # the ways that the lesson compares on the reader's machine
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
    chart = _chart("How long a read takes, as a multiple of COPY", 5.2)
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


def _chart(title: str, height: float) -> Chart:
    chart = Chart(figsize=(WIDTH, height), layout="constrained")
    chart.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    told = measured()
    note = f"336,776 flights with TLS, on a machine with {told['machine']}, {told['date']}"
    chart.supxlabel(note, fontsize=8, color=SOFT, x=0.012, ha="left")
    return chart
