"""`drydock run`: the pipeline with progress bars, its chart, its executed notebook, its report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from drydock import charts, cloud, notebooks
from drydock.as_typed import as_typed
from drydock.errors import DrydockError
from drydock.lab import Lab, open_lab
from drydock.pipeline import etl_tasks, raw_data, run
from drydock.pipeline.report import RunReport

LESSON = Path(__file__).parents[3] / "notebooks" / "01_pipeline.ipynb"


class Bars(run.Watcher):
    """Shows a run as two bars, objects and rows, and a line for each step."""

    def __init__(self, console: Console):
        self.console = console
        self.progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[running]}"),
            console=console,
        )
        self.running: set[str] = set()

    def say(self, line: str) -> None:
        say(self.console, line)

    def expect(self, objects: int, rows: int) -> None:
        self.say(f"{objects} tasks on Fargate, one for each month")
        self.objects_bar = self.progress.add_task("objects", total=objects, running="")
        self.rows_bar = self.progress.add_task("rows", total=rows, running="")

    def task(self, month: str, status: str) -> None:
        if status == "STOPPED":
            self.running.discard(month)
            self.progress.advance(self.objects_bar)
        elif status == "RUNNING":
            self.running.add(month)
        names = " ".join(sorted(self.running))
        self.progress.update(self.objects_bar, running=f"running {names}" if names else "")

    def show(self, stages: Mapping[str, str], **counts: int) -> None:
        if "rows" in counts:
            done = counts["rows"] + counts["quarantined"]
            self.progress.update(self.rows_bar, completed=done)


def main_job(months: Sequence[str], console: Console, keep_raw: bool, notebook: bool) -> RunReport:
    """Run the pipeline, save chart and executed notebook beside each other, return the report."""
    months = raw_data.check_months(months or raw_data.MONTHS)
    for message in cloud.start().messages:
        say(console, message)
    lab = open_lab()
    bars = Bars(console)
    with bars.progress:
        report = run.run(lab, months, bars, keep_raw=keep_raw)
    save_files(lab, report, console, notebook)
    return report


def save_files(lab: Lab, report: RunReport, console: Console, notebook: bool) -> None:
    """Write the run's chart and, unless told not to, notebook 01 executed on this very lab."""
    folder = lab.home / "runs" / "latest"
    folder.mkdir(parents=True, exist_ok=True)
    chart = folder / "throughput.png"
    charts.throughput_per_task(report.tasks).savefig(chart, dpi=150)
    report.files["chart"] = str(chart)
    if notebook:
        say(console, "executing notebook 01 on the same lab")
        executed = folder / LESSON.name
        others = etl_tasks.unfinished(lab)
        try:
            notebooks.execute(LESSON, executed)
            report.files["notebook"] = str(executed)
        except DrydockError as error:  # the run itself is done: its report must not be lost
            report.failures.append(str(error))
        except KeyboardInterrupt:
            etl_tasks.stop(lab, etl_tasks.unfinished(lab) - others, "The run was interrupted")
            raise


def say(console: Console, line: str) -> None:
    """Print a line as it is: a path may hold [brackets], which would be markup."""
    console.print(as_typed(line), highlight=False, markup=False)
