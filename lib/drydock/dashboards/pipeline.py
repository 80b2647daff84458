"""Pictures that change while something runs. Each is a widget around a pure function."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from ipywidgets import HTML

IDLE, RUNNING, DONE, FAILED = STATUSES = ("idle", "running", "done", "failed")

_WIDTH, _HEIGHT = 884, 352
_BOX_WIDTH, _BOX_HEIGHT = 176, 108
_TOP, _BELOW = 52, 220


@dataclass(frozen=True)
class _Stage:
    """A box of the picture. `count` is a format of the counts that it shows."""

    x: int
    y: int
    service: str
    title: str
    hint: str
    count: str


_STAGES = {
    "raw": _Stage(
        24, _TOP, "Amazon S3", "Raw flights", "gzip CSV, one a month", "{objects} objects"
    ),
    "tasks": _Stage(
        244,
        _TOP,
        "Amazon ECS",
        "Fargate tasks",
        "check, join, derive",
        "{tasks_done} of {tasks} done",
    ),
    "curated": _Stage(464, _TOP, "Amazon S3", "Curated", "Parquet by month", "{rows} rows"),
    "api": _Stage(684, _TOP, "Amazon ECS", "Data API", "FastAPI + DuckDB", "{served} rows"),
    "lookup": _Stage(
        134, _BELOW, "Amazon RDS", "PostgreSQL", "lookup tables", "{lookup_rows} rows"
    ),
    "quarantine": _Stage(
        354, _BELOW, "Amazon S3", "Quarantine", "bad rows, with why", "{quarantined} rows"
    ),
}
_COUNTS = ("objects", "tasks", "tasks_done", "rows", "served", "lookup_rows", "quarantined")

# From a stage to the next: the line's points. It darkens when the stage at its end is not idle.
_ARROWS = (
    ("tasks", ((200, 106), (244, 106))),
    ("curated", ((420, 106), (464, 106))),
    ("api", ((640, 106), (684, 106))),
    ("tasks", ((276, 220), (276, 160))),
    ("quarantine", ((388, 160), (388, 220))),
)
_NOTES = ((268, 195, "end", "ODBC, TLS"), (396, 195, "start", "rejected rows"))

# Fill, border and its width, dashes: the four differ without colour too, and each has a sign.
_LOOKS = {
    IDLE: ("#f3f4f6", "#6b7280", 1.5, "5 4"),
    RUNNING: ("#fff4d9", "#b45f06", 3, ""),
    DONE: ("#e2f5ee", "#00694d", 2, ""),
    FAILED: ("#fde7dd", "#a84300", 4, ""),
}
_SIGNS = {
    IDLE: '<circle r="6" fill="none"/>',
    RUNNING: '<circle r="6" fill="none"/><path d="M-2.2,-3.4 L3.6,0 L-2.2,3.4 Z" stroke="none"/>',
    DONE: '<path d="M-6,0 L-2,4.5 L6,-5" fill="none"/>',
    FAILED: '<path d="M-5,-5 L5,5 M-5,5 L5,-5" fill="none"/>',
}


def draw(stages: Mapping[str, str] | None = None, counts: Mapping[str, int] | None = None) -> str:
    """Return the pipeline as SVG text.

    `stages` maps raw, tasks, curated, api, lookup and quarantine to a status: idle, running, done
    or failed; what is missing is idle. `counts` may have objects, tasks, tasks_done, rows, served,
    lookup_rows and quarantined; a box shows its count when all of it is known.
    """
    stages, counts = dict(stages or {}), dict(counts or {})
    _check("stage", stages, _STAGES)
    _check("status", stages.values(), STATUSES)
    _check("count", counts, _COUNTS)
    statuses = {name: stages.get(name, IDLE) for name in _STAGES}
    shown = {name: _count(stage, counts) for name, stage in _STAGES.items()}
    parts = [
        *(_arrow(points, statuses[name] != IDLE) for name, points in _ARROWS),
        *(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="soft">{note}</text>'
            for x, y, anchor, note in _NOTES
        ),
        *(_box(stage, statuses[name], shown[name]) for name, stage in _STAGES.items()),
        _legend(),
    ]
    words = " ".join(
        f"{stage.title}: {statuses[name]}{', ' + shown[name] if shown[name] else ''}."
        for name, stage in _STAGES.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape("The pipeline. " + words)}" '
        f'style="width:100%;max-width:{_WIDTH}px;height:auto">'
        f"<title>The pipeline</title><desc>{escape(words)}</desc>{_STYLE}"
        f'<rect x="1" y="1" width="{_WIDTH - 2}" height="{_HEIGHT - 2}" rx="10" fill="#ffffff" '
        'stroke="#c5cad3"/>'
        f'<g class="drydock">{_heading()}{"".join(parts)}</g></svg>'
    )


class PipelinePicture(HTML):
    """The pipeline as a picture whose boxes light up: `picture.show({"raw": "done"}, objects=12)`.

    Statuses and counts that are not named keep what they were.
    """

    def __init__(self):
        self._stages: dict[str, str] = {}
        self._known: dict[str, int] = {}
        super().__init__(value=draw())

    def show(self, stages: Mapping[str, str] | None = None, **counts: int) -> None:
        """Redraw with these statuses and counts, as `draw` describes them."""
        stages, counts = self._stages | dict(stages or {}), self._known | counts
        self.value = draw(stages, counts)
        self._stages, self._known = stages, counts

    def _repr_mimebundle_(self, **options):
        """Add the picture itself, for pages that show notebooks without a kernel."""
        return super()._repr_mimebundle_(**options) | {"image/svg+xml": self.value}

    def __repr__(self) -> str:
        return "PipelinePicture()"


_STYLE = """<style>
.drydock text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1a1a1a; }
.drydock .title { font-size: 17px; font-weight: 600; }
.drydock .count { font-weight: 600; font-variant-numeric: tabular-nums; }
.drydock .soft { font-size: 12px; fill: #4b5563; }
</style>"""


def _heading() -> str:
    return '<text x="24" y="32" class="title">One pipeline, from raw objects to answers</text>'


def _box(stage: _Stage, status: str, count: str) -> str:
    fill, border, width, dashes = _LOOKS[status]
    lines = (
        (24, "soft", stage.service),
        (48, "title", stage.title),
        (70, "", stage.hint),
        (94, "count", count),
    )
    text = "".join(
        f'<text x="14" y="{y}" class="{kind}">{escape(line)}</text>'
        for y, kind, line in lines
        if line
    )
    return (
        f'<g transform="translate({stage.x},{stage.y})">'
        f'<rect width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="8" fill="{fill}" '
        f'stroke="{border}" stroke-width="{width}" stroke-dasharray="{dashes}"/>'
        f"{text}{_sign(_BOX_WIDTH - 18, 19, status)}"
        f'<text x="{_BOX_WIDTH - 32}" y="24" text-anchor="end" class="soft">'
        f"{'' if status == IDLE else status}</text></g>"
    )


def _sign(x: float, y: float, status: str) -> str:
    colour = _LOOKS[status][1]
    return (
        f'<g transform="translate({x},{y})" stroke="{colour}" fill="{colour}" stroke-width="2.4" '
        f'stroke-linecap="round" stroke-linejoin="round">{_SIGNS[status]}</g>'
    )


def _arrow(points: tuple, lit: bool) -> str:
    (x1, y1), (x2, y2) = points
    colour, width = ("#1a1a1a", 2.4) if lit else ("#8a919c", 1.6)
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    tip, back = (x2 - 4 * dx, y2 - 4 * dy), (x2 - 14 * dx, y2 - 14 * dy)
    wings = " ".join(f"{back[0] + s * 5 * dy},{back[1] + s * 5 * dx}" for s in (1, -1))
    return (
        f'<path d="M{x1 + 4 * dx},{y1 + 4 * dy} L{back[0]},{back[1]}" stroke="{colour}" '
        f'stroke-width="{width}"/><polygon points="{tip[0]},{tip[1]} {wings}" fill="{colour}"/>'
    )


def _legend() -> str:
    items = "".join(
        f"{_sign(620, 248 + 24 * row, status)}"
        f'<text x="638" y="{252 + 24 * row}" class="soft">{status}</text>'
        for row, status in enumerate(STATUSES)
    )
    return f"<g>{items}</g>"


def _count(stage: _Stage, counts: Mapping[str, int]) -> str:
    """The count as text, such as "336,776 rows"; "" when a part of it is not known."""
    try:
        text = stage.count.format_map({name: f"{number:,}" for name, number in counts.items()})
    except KeyError:
        return ""
    return re.sub(r"^1 (\w+)s$", r"1 \1", text)


def _check(what: str, given, known) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"no {what} is called {name!r}: type one of {', '.join(known)}")
