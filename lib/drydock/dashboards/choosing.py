"""A job's requirements as controls, and what they leave of the ways to run it."""

from collections.abc import Iterable

import ipywidgets

from drydock import choice_charts
from drydock.charts import Chart
from drydock.dashboards.board import Board, menu, slider
from drydock.model.choice import LANGUAGES, Job, suggested, verdicts
from drydock.model.prices import Bill


def words(job: Job) -> str:
    """Return what is left of the ways, and which one asks for least, in one line."""
    found, best = verdicts(job), suggested(job)
    left = sum(one.possible for one in found)
    if best is None:
        return f"none of {len(found)} ways can run this job"
    learn = f", and learn {' and '.join(best.learn)}" if best.learn else ""
    return (
        f"{left} of {len(found)} ways can run it; begin the argument with {best.way}: "
        f"${best.month:,.2f} a month{learn}"
    )


class ChoiceBoard(Board):
    """Controls for one run, the runs of a month and what it needs. `board.value` is the Job."""

    assumptions = (
        f"{choice_charts.COMPUTED} Machines are on only while the job runs, and the team has "
        "none of the skills yet. Disks, logs, addresses, data transfer and Spot are left out."
    )

    def __init__(self):
        self.vcpu = slider("vCPU", 1, 1, 64)
        self.memory = slider("memory GB", 2, 1, 256)
        self.minutes = slider("minutes", 5, 1, 240)
        self.runs = slider("runs/month", 30, 1, 3000)
        self.language = menu("language", LANGUAGES)
        self.gpus = slider("GPUs", 0, 0, 8)
        self.image = ipywidgets.Checkbox(description="own container image", indent=False)
        self.spark = ipywidgets.Checkbox(description="written for Spark", indent=False)
        super().__init__(
            (self.vcpu, self.memory, self.minutes, self.runs, self.language),
            (self.gpus, self.image, self.spark),
        )

    @property
    def value(self) -> Job:
        """The job that the controls describe now."""
        return Job(
            vcpu=self.vcpu.value,
            memory_gb=self.memory.value,
            seconds=self.minutes.value * 60,
            runs=self.runs.value,
            gpus=self.gpus.value,
            language=self.language.value,
            own_image=self.image.value,
            spark=self.spark.value,
        )

    def words(self) -> str:
        return words(self.value)

    def bills(self) -> Iterable[Bill]:
        made = [bill for one in verdicts(self.value) for bill in (one.run, one.idle)]
        return [bill for bill in made if bill]

    def chart(self) -> Chart:
        return choice_charts.month_by_way(self.value)

    @property
    def code(self) -> str:
        return f"""\
from drydock.model.choice import Job, suggested

best = suggested({self.value!r})
best and (best.way, best.month)"""
