"""The exercises of lesson 7: sizes, parallel tasks, launch types, scaling, and the bill."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from drydock import tune_charts
from drydock.dashboards.scaling import POLICIES, SEED, day
from drydock.lab import Lab
from drydock.model import fargate, pipeline_month
from drydock.model.pipeline_month import Pipeline
from drydock.model.simulation import simulate
from drydock.model.throughput import Usl, fit_usl
from drydock.pipeline import measure
from drydock.study.exercises.exercise import Exercise, Mistake, Rule
from drydock.study.exercises.looking import amount

YEARS = 100
WANTED_RATE = 40_000
WAIT, COLD = 300, 60
BUSY = Pipeline(tasks=200, gb="5")


@cache
def _costs() -> dict[tuple[int, int], Decimal]:
    """Dollars of a task that transforms 100 years of rows, by measured size."""
    return {
        (one.cpu_units, one.memory_mib): fargate.run_cost(
            [one.seconds * YEARS], one.vcpu, Decimal(one.memory_mib) / 1024
        ).total()
        for one in measure.stored().sizes
    }


@cache
def _law() -> Usl:
    points = measure.stored().side_by_side
    return fit_usl([one.tasks for one in points], [one.rows_per_second for one in points]).law


@cache
def _wait(most: int) -> float:
    """The longest wait of the quickest 95 % of tasks, in seconds."""
    result = simulate(*day(), POLICIES["backlog"](most, COLD), SEED)
    return float(np.percentile(result.waits, 95))


def _saved() -> Decimal:
    return pipeline_month.total(replace(BUSY, nat=True)) - pipeline_month.total(BUSY)


def _no_size(answer: Any, lab: Lab | None) -> str | None:
    if answer in _costs():
        return None
    return f"give one of the measured sizes, such as {next(iter(_costs()))}"


def _not_cheapest(answer: Any, lab: Lab | None) -> str | None:
    least = min(_costs().values())
    cost = _costs()[answer]
    return None if cost == least else f"that costs ${cost:.6f}, and another one ${least:.6f}"


def _no_count(answer: Any, lab: Lab | None) -> str | None:
    whole = isinstance(answer, int) and 1 <= answer <= 200
    return None if whole else "give a whole number from 1 to 200"


def _too_slow(answer: Any, lab: Lab | None) -> str | None:
    rate = _law().throughput(answer)
    return None if rate >= WANTED_RATE else f"{answer} tasks give {rate:,.0f} rows/s by the law"


def _too_many_tasks(answer: Any, lab: Lab | None) -> str | None:
    if answer == 1 or _law().throughput(answer - 1) < WANTED_RATE:
        return None
    return f"{answer - 1} tasks are enough"


def _no_hours(answer: Any, lab: Lab | None) -> str | None:
    whole = isinstance(answer, int) and 1 <= answer <= 24
    return None if whole else "give whole hours a day, from 1 to 24"


def _months(hours: int) -> tuple[Decimal, Decimal]:
    bills = tune_charts.launch_types(Decimal(hours))
    return bills["Fargate"].total(), bills["EC2, all month"].total()


def _fargate_cheaper(answer: Any, lab: Lab | None) -> str | None:
    task, machine = _months(answer)
    if machine < task:
        return None
    return f"at {answer} hours Fargate costs ${task:.2f}, the machine ${machine:.2f}"


def _machine_before(answer: Any, lab: Lab | None) -> str | None:
    task, machine = _months(answer - 1)
    return f"at {answer - 1} hours already" if machine < task else None


def _waits(answer: Any, lab: Lab | None) -> str | None:
    wait = _wait(answer)
    return None if wait <= WAIT else f"with {answer} workers it is {wait:,.0f} s"


def _fewer_do(answer: Any, lab: Lab | None) -> str | None:
    if answer == 1 or _wait(answer - 1) > WAIT:
        return None
    return f"with {answer - 1} workers it is {_wait(answer - 1):,.0f} s"


EXERCISES = (
    Exercise(
        id="7.1",
        title="The cheapest size",
        skills=("1.2.1", "1.2.4"),
        hints=(
            "A task is paid by its vCPU, its memory and its seconds. Which size wastes least?",
            "fargate.run_cost([seconds * 100], vcpu, gigabytes).total() for each point.",
            "min(table.sizes, key=...) gives the point; answer with its cpu_units and memory_mib.",
        ),
        rules=(
            Rule("a measured size", _no_size),
            Rule("no other measured size costs less", _not_cheapest),
        ),
        mistakes=(
            Mistake("the smallest", (256, 512), "no other measured size costs less"),
            Mistake("the fastest", (2048, 4096), "no other measured size costs less"),
            Mistake("vCPU and GB", (0.5, 1), "a measured size"),
        ),
    ),
    Exercise(
        id="7.2",
        title="How many tasks side by side",
        skills=("1.2.1", "1.2.7"),
        hints=(
            "One task's rate times their number is too good: the curve bends.",
            "fit.law.throughput(n) is what n tasks give together.",
            "next(n for n in range(1, 200) if fit.law.throughput(n) >= 40_000)",
        ),
        rules=(
            Rule("a whole number", _no_count),
            Rule("40,000 rows a second", _too_slow),
            Rule("with no task too many", _too_many_tasks),
        ),
        mistakes=(
            Mistake("as if nothing bent", 5, "40,000 rows a second"),
            Mistake("all that was measured", 8, "with no task too many"),
            Mistake("a fraction", 5.2, "a whole number"),
        ),
    ),
    Exercise(
        id="7.3",
        title="When a machine of one's own pays",
        skills=("1.2.4", "3.2.5"),
        hints=(
            "A machine that runs all month costs the same whatever it does.",
            "tune_charts.launch_types(hours) gives the bills; compare Fargate with EC2, all month.",
            "Look where tune_charts.crossing puts it, and take the next whole hour.",
        ),
        rules=(
            Rule("whole hours", _no_hours),
            Rule("from here on the machine costs less", _fargate_cheaper),
            Rule("and an hour earlier it does not", _machine_before),
        ),
        mistakes=(
            Mistake("cut off", 20, "from here on the machine costs less"),
            Mistake("all day", 24, "and an hour earlier it does not"),
            Mistake("not whole", 20.76, "whole hours"),
        ),
    ),
    Exercise(
        id="7.4",
        title="Enough workers",
        skills=("1.2.1", "1.2.4"),
        hints=(
            "Too few workers: the queue of the rush hour lasts into the next one.",
            "simulate(*day(), POLICIES['backlog'](most, 60), 7).waits holds the wait of each task.",
            "The first `most` from 1 up with np.percentile(result.waits, 95) <= 300.",
        ),
        rules=(
            Rule("a whole number", _no_count),
            Rule("95 % of tasks wait 300 s at most", _waits),
            Rule("and with one worker less they do not", _fewer_do),
        ),
        mistakes=(
            Mistake("work divided by hours", 4, "95 % of tasks wait 300 s at most"),
            Mistake("plenty", 100, "and with one worker less they do not"),
        ),
    ),
    Exercise(
        id="7.5",
        title="What the NAT gateway costs",
        skills=("1.2.4", "4.1.1"),
        hints=(
            "It is paid by the hour and by the gigabyte, and it saves something, too.",
            "Two pipelines that differ in nat, and total() of each.",
            "total(replace(busy, nat=True)) - total(busy)",
        ),
        rules=amount(
            _saved,
            "the difference of both months",
            "hours and gigabytes of the gateway, less the public addresses that it replaces",
        ),
        mistakes=(
            Mistake("hours only", Decimal("32.40"), "the difference of both months"),
            Mistake("the whole month", Decimal("100"), "the difference of both months"),
        ),
    ),
)
