"""Which service may run a job, why not the others, and what a month of it costs on each.

    for verdict in verdicts(Job(vcpu=2, memory_gb=8, seconds=1200, runs=30)):
        print(verdict.way, verdict.against or verdict.month)

A way is ruled out by what it can never do: data/ways_to_run.json, with sources. All else is a
matter of judgement: `learn` names what the team would have to learn, `month` the bill.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from drydock.model import choice_bills
from drydock.model.prices import Bill, number, typed, whole

DATA = Path(__file__).parents[3] / "data" / "ways_to_run.json"
SKILLS = ("containers", "kubernetes", "machines", "spark")
LANGUAGES = ("Python", "Scala", "Java", "R", "Go", "Rust", "C++")


@dataclass(frozen=True)
class Job:
    """What a job needs: the size of one run, and how many runs a month has.

    `vcpu` and `memory_gb` are those of all machines together when `spark` is set: the program is
    written for Spark, and its data is shared out. `own_image` asks for a container image with
    libraries of the system. `at_once` runs start in the same moment. `skills` is what the team
    runs already, of SKILLS. ValueError for what no job can be.
    """

    vcpu: float = 1
    memory_gb: float = 2
    seconds: float = 300
    runs: int = 30
    gpus: int = 0
    language: str = "Python"
    own_image: bool = False
    spark: bool = False
    at_once: int = 1
    skills: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("vcpu", "memory_gb", "seconds"):
            if not number(getattr(self, name), name):
                raise ValueError(f"{name} is 0: type a number above it")
        for name in ("runs", "gpus", "at_once"):
            whole(getattr(self, name), name)
        if self.at_once > self.runs or not self.at_once:
            raise ValueError(
                f"at_once is {self.at_once}: type 1 to {self.runs}, the runs of a month"
            )
        if self.language not in LANGUAGES:
            raise ValueError(f"language {self.language!r}: type one of {typed(LANGUAGES)}")
        if unknown := set(self.skills) - set(SKILLS):
            raise ValueError(f"skills {typed(unknown)}: type some of {typed(SKILLS)}")


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one way to run a job.

    `against` are the limits that rule it out; then there are no bills. `learn` is what the team
    does not run yet, `starts` how soon a run begins. `run` is the bill of one run, `idle` that of a
    month without any.
    """

    way: str
    against: tuple[str, ...]
    learn: tuple[str, ...]
    starts: str
    source: str
    runs: int
    run: Bill | None = None
    idle: Bill | None = None

    @property
    def possible(self) -> bool:
        """Whether no limit rules it out."""
        return not self.against

    @property
    def month(self) -> Decimal | None:
        """A month in US dollars, or None if it is ruled out."""
        if self.run is None or self.idle is None:
            return None
        return self.run.total() * self.runs + self.idle.total()


@cache
def ways() -> dict[str, dict]:
    """Return the ways to run a job by name, with their limits."""
    return {one["name"]: one for one in _data()["ways"]}


def verdicts(job: Job) -> list[Verdict]:
    """Return a verdict on every way: the possible ones first, the cheapest before the others."""
    found = [_verdict(job, way) for way in ways().values()]
    return sorted(found, key=lambda one: (not one.possible, one.month or 0))


def verdict(job: Job, way: str) -> Verdict:
    """Return the verdict on one way; ValueError if there is no such way."""
    if way not in ways():
        raise ValueError(f"no way is called {way!r}: type one of {typed(ways())}")
    return _verdict(job, ways()[way])


def suggested(job: Job) -> Verdict | None:
    """Return the cheapest way of those that ask the team to learn least; None if none is possible.

    It is where an argument begins, not where it ends: neither money nor learning is everything.
    """
    possible = [one for one in verdicts(job) if one.possible]
    return min(possible, key=lambda one: (len(one.learn), one.month), default=None)


def runs_until_cheaper(job: Job, way: str, than: str) -> int | None:
    """Return the fewest runs a month at which `way` costs less than `than`; None if it never does.

    ValueError if one of the two is ruled out.
    """
    one, other = verdict(job, way), verdict(job, than)
    for found in (one, other):
        if found.run is None or found.idle is None:
            raise ValueError(f"{found.way} is ruled out: {found.against[0]}")
    saved = other.run.total() - one.run.total()
    extra = one.idle.total() - other.idle.total()
    if saved > 0:
        return max(math.floor(extra / saved) + 1, 1)
    return 1 if saved > extra else None


def _verdict(job: Job, way: dict) -> Verdict:
    run, against = None, list(_limits(job, way))
    if not against:
        try:
            run = choice_bills.run(way["name"], job, _data())
        except choice_bills.TooLarge as error:
            against.append(str(error))
    idle = choice_bills.idle(way) if run else None
    learn = tuple(one for one in way["skills"] if one not in job.skills)
    source = _data()["sources"][way["source"]]
    return Verdict(way["name"], tuple(against), learn, way["starts"], source, job.runs, run, idle)


def _limits(job: Job, way: dict) -> Iterator[str]:
    """What the way can never do of what the job needs; its size aside."""
    if way["seconds"] is not None and number(job.seconds, "seconds") > way["seconds"]:
        yield f"a run may take {way['seconds']:,} s at most"
    if job.gpus and not way["gpu"]:
        yield "it has no GPU"
    if way["language"] and job.language not in way["language"]:
        yield f"it runs {' and '.join(way['language'])}, not {job.language}"
    if job.own_image and way["image"] == "none":
        yield "it takes no container image"
    if job.spark and way["spark"] == "none":
        yield "a run is one machine: no Spark cluster"
    if not job.spark and way["spark"] == "only":
        yield "it runs Spark programs, and this is none"
    if way["name"] == "Lambda" and job.at_once > _data()["lambda"]["at_once"]:
        yield f"{_data()['lambda']['at_once']:,} run at once until the quota is raised"


@cache
def _data() -> dict:
    return json.loads(DATA.read_text())
