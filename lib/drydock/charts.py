"""Charts: data in, matplotlib figure out. No pyplot, so no state is shared between charts.

Each chart has a plain function that gives its numbers, for a table beside it. Colours are those of
Okabe and Ito, which differ for every kind of colour vision; text says the same again.
"""

import datetime as dt
import io
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from drydock.model.fargate import cost_per_million_rows as per_million
from drydock.model.prices import Bill, citation

BLUE, ORANGE, GREEN, SKY = "#0072B2", "#E69F00", "#009E73", "#56B4E9"
INK, SOFT = "#1a1a1a", "#5a5a5a"
FAILED = "#a84300"  # Okabe and Ito's vermilion, darkened until small text has a contrast of 5.5
MEASURED = "Measured on this machine."

WIDTH = 8.0  # inches; 800 CSS pixels, as wide as a notebook's output


class Chart(Figure):
    """A matplotlib figure that a notebook shows as a PNG, sharp on any screen."""

    def _repr_png_(self) -> tuple[bytes, dict]:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=200)
        return buffer.getvalue(), {"width": round(self.get_figwidth() * 100)}


@dataclass(frozen=True)
class Phase:
    """A part of a task's life, in seconds after the first task of the run was created."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class TaskLife:
    """The phases of one task, and in words how long it took or why it failed."""

    label: str
    phases: tuple[Phase, ...]
    outcome: str
    failed: bool


# A phase ends at the first of these times that the task has; the next phase begins there.
_PHASES = {
    "PROVISIONING": ("pullStartedAt", "startedAt", "stoppingAt", "stoppedAt"),
    "PENDING": ("startedAt", "stoppingAt", "stoppedAt"),
    "RUNNING": ("executionStoppedAt", "stoppingAt", "stoppedAt"),
}
_PHASE_STYLES = {
    "PROVISIONING": {"facecolor": SKY},
    "PENDING": {"facecolor": ORANGE, "hatch": "////", "edgecolor": "white", "linewidth": 0},
    "RUNNING": {"facecolor": BLUE},
}
_COST_COLOURS = {
    "vCPU": BLUE,
    "memory": ORANGE,
    "ephemeral storage": GREEN,
    "public IPv4": SKY,
}
_CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # lines do not cross a text on it


def throughputs(tasks: Iterable) -> dict[str, float]:
    """Return rows a second by month, 0 for a task that failed.

    A task has `month`, `rows`, `seconds` (that its program ran) and `exit_code`.
    """
    return {
        task.month: task.rows / task.seconds if task.exit_code == 0 and task.seconds else 0.0
        for task in sorted(tasks, key=lambda task: task.month)
    }


def throughput_per_task(tasks: Sequence) -> Chart:
    """Draw how many rows a second each task transformed; see `throughputs` for what a task has."""
    rates = throughputs(tasks)
    codes = {task.month: task.exit_code for task in tasks}
    figure, axes = _chart(len(rates), "Throughput of each task", MEASURED)
    axes.barh(list(rates), [rate / 1000 for rate in rates.values()], color=BLUE, height=0.7)
    # A column at the right edge, where the line of the median never is.
    edge = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 9, "bbox": _CLEAR}
    for row, (month, rate) in enumerate(rates.items()):
        if codes[month] == 0:
            axes.text(1, row, f"{rate / 1000:,.1f}", ha="right", color=INK, **edge)
        else:
            axes.text(0.01, row, f"failed: exit code {codes[month]}", color=FAILED, **edge)
    good = [rate / 1000 for month, rate in rates.items() if codes[month] == 0]
    if good:
        middle = statistics.median(good)
        halo = [withStroke(linewidth=3.5, foreground="white")]  # seen on the bars too
        axes.axvline(middle, color=INK, linewidth=1.2, path_effects=halo)
        axes.annotate(
            f"median {middle:,.1f}",
            (middle, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    axes.set_xlabel("thousand rows a second, while the program ran")
    axes.set_ylabel("month (one task each)")
    axes.margins(x=0.14)
    return figure


def costs_per_million_rows(bills: Mapping[str, Bill], rows: int) -> dict[str, dict[str, Decimal]]:
    """Return, for each bill, what each of its lines costs per million rows, in US dollars."""
    return {
        label: {line.what: per_million(line.amount, rows) for line in bill.lines}
        for label, bill in bills.items()
    }


def cost_per_million_rows(bills: Mapping[str, Bill], rows: int) -> Chart:
    """Draw what a million rows cost by each of `bills`, all for the same `rows` rows.

    `bills` maps the name of a choice, such as "1 vCPU / 2 GB", to its bill.
    """
    costs = costs_per_million_rows(bills, rows)
    used = [line.price for bill in bills.values() for line in bill.lines]
    footer = f"Seconds and rows: measured on this machine. {citation(used)}."
    figure, axes = _chart(len(costs), "Cost of a million rows on Fargate", footer)
    kinds = list(dict.fromkeys(kind for parts in costs.values() for kind in parts))
    left = [0.0] * len(costs)
    for kind in kinds:
        widths = [float(parts.get(kind, 0)) * 100 for parts in costs.values()]
        bars = axes.barh(
            list(costs), widths, left=left, color=_COST_COLOURS[kind], height=0.6, label=kind
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    _label(axes, bars, [f"{total:.3g} ¢" for total in left])
    axes.set_xlabel("US cents per million rows")
    axes.margins(x=0.14)
    _legend(axes)
    return figure


def task_lives(tasks: Iterable[Mapping]) -> list[TaskLife]:
    """Return the phases of `tasks`, as `ecs.describe_tasks` gives them, in order of creation.

    A task that has not stopped ends at the latest time that any of `tasks` shows. Its label is its
    tag "month", or else the start of its id.
    """
    tasks = sorted(tasks, key=lambda task: (task["createdAt"], _task_label(task)))
    times = [time for task in tasks for time in task.values() if isinstance(time, dt.datetime)]
    return [_life(task, min(times), max(times)) for task in tasks]


def task_timeline(tasks: Iterable[Mapping]) -> Chart:
    """Draw when each task was PROVISIONING, PENDING and RUNNING; see `task_lives`."""
    lives = task_lives(tasks)
    figure, axes = _chart(len(lives), "The life of each task", MEASURED)
    for row, life in enumerate(lives):
        for phase in life.phases:
            axes.barh(
                row,
                phase.end - phase.start,
                left=phase.start,
                height=0.65,
                **_PHASE_STYLES[phase.name],
            )
        axes.annotate(
            life.outcome,
            (max((phase.end for phase in life.phases), default=0.0), row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=FAILED if life.failed else INK,
            bbox=_CLEAR,
        )
    axes.set_yticks(range(len(lives)), [life.label for life in lives])
    axes.set_xlabel("seconds after the first task was created")
    axes.set_ylabel("task")
    axes.margins(x=0.14)
    axes.set_xlim(left=0)
    _legend(axes, handles=[Patch(label=name, **style) for name, style in _PHASE_STYLES.items()])
    return figure


def _chart(rows: int, title: str, footer: str) -> tuple[Chart, object]:
    """An empty chart of horizontal bars, the first on top."""
    figure = Chart(figsize=(WIDTH, 1.75 + 0.33 * max(rows, 2)), layout="constrained", dpi=100)
    figure.get_layout_engine().set(h_pad=0.08, w_pad=0.08)
    axes = figure.add_subplot()
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    figure.supxlabel(footer, x=0.012, ha="left", fontsize=8, color=SOFT)
    return figure, axes


def _label(axes, bars, labels: Sequence[str]) -> None:
    axes.bar_label(bars, labels, padding=4, fontsize=9, bbox=_CLEAR)


def _legend(axes, **options) -> None:
    """One row above the bars, where it hides nothing."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=4,
        frameon=False,
        borderaxespad=0.2,
        handlelength=1.4,
        fontsize=9.5,
        **options,
    )


def _task_label(task: Mapping) -> str:
    tags = {tag["key"]: tag["value"] for tag in task.get("tags", [])}
    return tags.get("month") or task["taskArn"].rsplit("/", 1)[-1][:8]


def _life(task: Mapping, first: dt.datetime, latest: dt.datetime) -> TaskLife:
    phases, start = [], task["createdAt"]
    for name, ends in _PHASES.items():
        end = next((task[key] for key in ends if key in task), latest)
        if end > start and (name != "RUNNING" or "startedAt" in task):
            phases.append(
                Phase(name, (start - first).total_seconds(), (end - first).total_seconds())
            )
            start = end
    seconds = f"{(start - task['createdAt']).total_seconds():.1f} s"
    if "stoppedAt" not in task:
        return TaskLife(_task_label(task), tuple(phases), f"{seconds} so far", False)
    codes = [container.get("exitCode") for container in task.get("containers", [])]
    wrong = next((code for code in codes if code != 0), 0)
    outcome = {0: seconds, None: "did not start"}.get(wrong, f"exit code {wrong}")
    return TaskLife(_task_label(task), tuple(phases), outcome, wrong != 0)
