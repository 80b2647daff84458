"""The run report: what went in, what came out, and whether every figure adds up."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drydock.as_typed import as_typed
from drydock.pipeline.etl_tasks import TaskRun
from drydock.pipeline.raw_data import SUMMED_COLUMNS


@dataclass(frozen=True)
class Check:
    """Two figures that must be equal, and where each comes from."""

    what: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right


@dataclass
class RunReport:
    """Everything that one run of the pipeline measured. Times in seconds, money in US dollars.

    `tasks` are this run's. `manifests` (by month), `raw` (totals of the raw objects without their
    quarantined lines) and `served` (totals of the data API) cover every month published so far.
    """

    tasks: list[TaskRun]
    raw: dict[str, int]
    manifests: dict[str, dict]
    served: dict[str, int]
    etl_seconds: float
    wall_seconds: float
    cost: Decimal
    price_note: str
    api_url: str
    files: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def months(self) -> list[str]:
        """The months that this run transformed."""
        return sorted(task.month for task in self.tasks)

    def rows(self, kind: str, months: Iterable[str] | None = None) -> int:
        """Add up "read", "curated" or "quarantined" rows over `months`, all when None."""
        chosen = self.manifests if months is None else months
        return sum(self.manifests[month]["rows"][kind] for month in chosen)

    def checks(self) -> list[Check]:
        """Compare raw objects, manifests and data API, each counted by another program."""
        checks = [
            Check(
                "rows: raw objects without quarantined lines = curated",
                self.raw["rows"],
                self.rows("curated"),
            ),
            Check(
                "rows: read by tasks = curated + quarantined",
                self.rows("read"),
                self.rows("curated") + self.rows("quarantined"),
            ),
            Check("rows: raw objects = data API", self.raw["rows"], self.served["rows"]),
        ]
        for column in SUMMED_COLUMNS:
            curated = sum(manifest["sums"][column] for manifest in self.manifests.values())
            checks.append(Check(f"sum of {column}: raw = curated", self.raw[column], curated))
            if column in self.served:
                served = self.served[column]
                checks.append(Check(f"sum of {column}: raw = data API", self.raw[column], served))
        return checks

    def problems(self) -> list[str]:
        """One line for each step that failed or figure that does not add up."""
        return self.failures + [
            f"{check.what} does not hold: {check.left:,} against {check.right:,}"
            for check in self.checks()
            if not check.holds
        ]

    def to_json(self) -> dict:
        """Return the report as plain JSON types; money as a string, so that no cent is rounded."""
        return {
            "months": self.months,
            "rows": {
                kind: self.rows(kind, self.months) for kind in ("read", "curated", "quarantined")
            },
            "tasks": [asdict(task) for task in self.tasks],
            "checks": [asdict(check) | {"holds": check.holds} for check in self.checks()],
            "etl_seconds": round(self.etl_seconds, 3),
            "wall_seconds": round(self.wall_seconds, 3),
            "rows_per_second": round(self.rows("read", self.months) / self.etl_seconds),
            "cost_usd": str(self.cost),
            "price": self.price_note,
            "api": self.api_url,
            "files": self.files,
            "problems": self.problems(),
        }

    def print(self, console: Console) -> None:
        """Print the report for a person."""
        console.print(self._task_table())
        console.print(self._check_table())
        console.print(self._summary())
        for problem in self.problems():
            console.print(f"[bold red]problem:[/] {escape(as_typed(problem))}")

    def _task_table(self) -> Table:
        table = Table(title="Tasks, as measured on this machine", title_justify="left")
        table.add_column("month")
        for name in ("exit code", "rows", "seconds", "rows/s", "peak memory, MiB"):
            table.add_column(name, justify="right")
        for task in sorted(self.tasks, key=lambda task: task.month):
            memory = "not recorded" if task.memory_mib is None else f"{task.memory_mib:.0f}"
            speed = f"{task.rows / task.seconds:,.0f}" if task.seconds else ""
            table.add_row(
                task.month,
                str(task.exit_code),
                f"{task.rows:,}",
                f"{task.seconds:.1f}",
                speed,
                memory,
            )
        return table

    def _check_table(self) -> Table:
        table = Table(title="What has to be equal", title_justify="left")
        table.add_column("figures")
        table.add_column("left", justify="right")
        table.add_column("right", justify="right")
        table.add_column("")
        for check in self.checks():
            verdict = "[green]equal[/]" if check.holds else "[bold red]DIFFERENT[/]"
            table.add_row(check.what, f"{check.left:,}", f"{check.right:,}", verdict)
        return table

    def _summary(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        speed = self.rows("read", self.months) / self.etl_seconds
        grid.add_row("rows in", f"{self.rows('read', self.months):,}")
        grid.add_row("rows curated", f"{self.rows('curated', self.months):,}")
        grid.add_row("rows quarantined", f"{self.rows('quarantined', self.months):,}")
        grid.add_row(
            "time", f"{self.wall_seconds:.1f} s in all, {self.etl_seconds:.1f} s of it in the tasks"
        )
        grid.add_row("throughput", f"{speed:,.0f} rows/s, measured on this machine")
        grid.add_row("on Fargate", f"${self.cost:.6f} for these tasks ({self.price_note})")
        grid.add_row("data API", f"{self.api_url}/docs")
        for name, path in self.files.items():
            grid.add_row(name, escape(path))
        return grid
