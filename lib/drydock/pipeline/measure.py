"""Measure the real ETL task: by size, by memory limit, and with more and more tasks side by side.

Each figure comes from a task that the cloud really ran. Times hold for the machine they were
measured on, so they are kept with its description.
"""

import json
import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from drydock.errors import WrongInput
from drydock.lab import Lab
from drydock.pipeline import etl_tasks, raw_data
from drydock.pipeline import run as pipeline

FAMILY = "drydock-tune"
SIZES = ((256, 512), (256, 1024), (512, 1024), (512, 4096), (1024, 2048), (2048, 4096))
LIMITS_MIB = (64, 128, 192, 256, 512)
SIDE_BY_SIDE = (1, 2, 3, 4, 6, 8)
QUARTER = (256, 512)
LEFT_OUT = 512  # CPU units of the sizes that the fit does not see
STORED = Path(__file__).parents[3] / "data" / "tuning_measurements.json"


@dataclass(frozen=True)
class Point:
    """What one experiment gave.

    `tasks` tasks of `cpu_units` and `memory_mib` (the container's hard limit, MiB) transformed
    `rows` rows in `seconds`, from the first program's start to the last one's end. `exit_code` is
    the worst one; `peak_mib` the largest resident set, None where none was recorded: with the
    pages of shared libraries, which a machine holds once and a limit may not count.
    """

    tasks: int
    cpu_units: int
    memory_mib: int
    rows: int
    seconds: float
    exit_code: int | None
    peak_mib: float | None

    @property
    def vcpu(self) -> float:
        return self.cpu_units / 1024

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.rows and self.seconds else 0.0


@dataclass(frozen=True)
class Table:
    """Points by experiment ("sizes", "limits", "side_by_side"), the day, and the machine."""

    day: str
    machine: str
    sizes: tuple[Point, ...]
    limits: tuple[Point, ...]
    side_by_side: tuple[Point, ...]

    def save(self, path: Path) -> None:
        """Write the table whole: a reader sees the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, suffix=".part", delete=False
        ) as file:
            json.dump(asdict(self), file, indent=1)
            file.write("\n")
        os.replace(file.name, path)


def load(path: Path) -> Table:
    """Read a table that `save` has written; WrongInput says what to type when there is none."""
    try:
        stored = json.loads(path.read_text())
        points = {
            name: tuple(Point(**point) for point in stored[name])
            for name in ("sizes", "limits", "side_by_side")
        }
        return Table(stored["day"], stored["machine"], **points)
    except FileNotFoundError:
        raise WrongInput(f"{path} is not there: type: drydock measure") from None
    except (ValueError, KeyError, TypeError) as error:
        raise WrongInput(
            f"{path} is no table of measurements ({error}): type: drydock measure"
        ) from None


def stored() -> Table:
    """Return the table that the book argues from, with the machine that it was measured on."""
    return load(STORED)


def machine() -> str:
    """Return what a reader needs to know of this machine: processor, cores, memory, system."""
    memory = psutil.virtual_memory().total / 1024**3
    name = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores ({name}), {memory:.0f} GB, {platform.system()}"


def experiment(
    lab: Lab,
    cpu_units: int,
    memory_mib: int,
    groups: Sequence[Sequence[str]],
    limit_mib: int | None = None,
) -> Point:
    """Run one task for each group of months, all at once, and return what came out.

    `limit_mib` is a hard limit for the container below the task's memory. The pipeline must have
    run once in this lab.
    """
    definition = _register(lab, cpu_units, memory_mib, limit_mib)
    arns = []
    try:
        for months in groups:
            arns.append(etl_tasks.launch(lab, definition, *months, started_by="measure"))
        tasks = etl_tasks.follow(lab, arns)
    except BaseException:
        etl_tasks.stop(lab, arns, "The measurement was interrupted")
        raise
    runs = [etl_tasks.summarise(lab, task) for task in tasks]
    starts = [task["startedAt"] for task in tasks if "startedAt" in task]
    ends = [task.get("executionStoppedAt", task["stoppedAt"]) for task in tasks]
    codes = [run.exit_code for run in runs]
    peaks = [run.memory_mib for run in runs if run.memory_mib is not None]
    return Point(
        len(groups),
        cpu_units,
        limit_mib or memory_mib,
        sum(run.rows for run in runs),
        round((max(ends) - min(starts)).total_seconds(), 3) if starts else 0.0,
        next((code for code in codes if code != 0), 0),
        round(max(peaks), 1) if peaks else None,
    )


def measure(
    lab: Lab,
    day: str,
    say: Callable[[str], None] = lambda line: None,
    *,
    repeat: int = 3,
    sizes: Sequence[tuple[int, int]] = SIZES,
    limits_mib: Sequence[int] = LIMITS_MIB,
    side_by_side: Sequence[int] = SIDE_BY_SIDE,
) -> Table:
    """Run all experiments and return their table; each is repeated, and the fastest run counts.

    Sizes and limits transform the whole year in one task. Side by side, each task has a quarter
    of a vCPU and a month of its own, and there are never more than the machine's cores hold.
    """
    say("running the pipeline once, so that its data and its database are there")
    pipeline.run(lab, raw_data.MONTHS[:1], pipeline.Watcher())
    pipeline.upload_raw(lab, raw_data.MONTHS, pipeline.Watcher(), keep_raw=False)
    year = [list(raw_data.MONTHS)]

    def best(*arguments, **options) -> Point:
        points = [experiment(lab, *arguments, **options) for _ in range(repeat)]
        point = min(points, key=lambda one: (one.exit_code != 0, one.seconds))
        say(_words(point))
        return point

    cores = os.cpu_count() or 1
    return Table(
        day,
        machine(),
        tuple(best(cpu, memory, year) for cpu, memory in sizes if cpu <= cores * 1024),
        tuple(best(1024, 2048, year, limit_mib=limit) for limit in limits_mib),
        tuple(
            best(*QUARTER, [[month] for month in raw_data.MONTHS[:count]])
            for count in side_by_side
            if count * QUARTER[0] <= cores * 1024
        ),
    )


def _register(lab: Lab, cpu_units: int, memory_mib: int, limit_mib: int | None) -> str:
    ecs = lab.client("ecs")
    known = ecs.describe_task_definition(taskDefinition=etl_tasks.FAMILY)["taskDefinition"]
    container = known["containerDefinitions"][0]
    if limit_mib is not None:
        container = container | {"memory": limit_mib}
    answer = ecs.register_task_definition(
        family=FAMILY,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=str(cpu_units),
        memory=str(memory_mib),
        executionRoleArn=known["executionRoleArn"],
        taskRoleArn=known["taskRoleArn"],
        containerDefinitions=[container],
    )
    return answer["taskDefinition"]["taskDefinitionArn"]


def _words(point: Point) -> str:
    size = f"{point.tasks} x {point.vcpu:g} vCPU, {point.memory_mib} MiB"
    if point.exit_code != 0:
        return f"{size}: exit code {point.exit_code}"
    return f"{size}: {point.rows_per_second:,.0f} rows/s"
