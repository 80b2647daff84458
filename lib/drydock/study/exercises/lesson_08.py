"""The exercises of lesson 8: what rules a service out, and where its price turns."""

import random
from dataclasses import replace
from typing import Any

from drydock.lab import Lab
from drydock.model import glue
from drydock.model.choice import Job, runs_until_cheaper, suggested, verdict, verdicts
from drydock.study.exercises.exercise import Exercise, Mistake, Rule
from drydock.study.exercises.looking import amount

SMALL = Job(vcpu=1, memory_gb=2, seconds=10, runs=3000)
NIGHTLY = Job(vcpu=32, memory_gb=128, seconds=3600, runs=30, spark=True)
OWN, RENTED = "EKS on Fargate", "EMR Serverless"


def _no_seconds(answer: Any, lab: Lab | None) -> str | None:
    whole = isinstance(answer, int) and 0 < answer <= 900
    return None if whole else "give whole seconds, from 1 to Lambda's 900"


def _costs(seconds: int) -> tuple:
    job = replace(SMALL, seconds=seconds)
    return tuple(verdict(job, way).month for way in ("Lambda", "ECS on Fargate"))


def _lambda_still_cheaper(answer: Any, lab: Lab | None) -> str | None:
    one, other = _costs(answer)
    return None if other < one else f"at {answer} s Lambda costs ${one:.2f}, Fargate ${other:.2f}"


def _later_than_need_be(answer: Any, lab: Lab | None) -> str | None:
    one, other = _costs(answer - 1)
    if other >= one:
        return None
    return f"at {answer - 1} s already: Lambda ${one:.2f}, Fargate ${other:.2f}"


def _no_job(answer: Any, lab: Lab | None) -> str | None:
    return None if isinstance(answer, Job) else "give a Job, such as Job(vcpu=2, gpus=1)"


def _too_long_or_large(answer: Any, lab: Lab | None) -> str | None:
    fits = answer.seconds <= 900 and answer.memory_gb <= 10
    return None if fits else "ask for at most 900 s and 10 GB: another limit is meant"


def _function_can(answer: Any, lab: Lab | None) -> str | None:
    found = verdict(answer, "Lambda")
    return f"a month of it on Lambda costs ${found.month:.2f}" if found.possible else None


def _task_cannot(answer: Any, lab: Lab | None) -> str | None:
    against = verdict(answer, "ECS on Fargate").against
    return f"ECS on Fargate cannot either: {against[0]}" if against else None


def _no_runs(answer: Any, lab: Lab | None) -> str | None:
    whole = isinstance(answer, int) and answer > 0
    return None if whole else "give a whole number of runs a month"


def _not_paid(answer: Any, lab: Lab | None) -> str | None:
    own, rented = (verdict(replace(NIGHTLY, runs=answer), way).month for way in (OWN, RENTED))
    if own < rented:
        return None
    return f"with {answer} runs {OWN} costs ${own:,.2f} and {RENTED} ${rented:,.2f}"


def _too_many(answer: Any, lab: Lab | None) -> str | None:
    least = runs_until_cheaper(NIGHTLY, OWN, RENTED)
    return None if answer == least else f"{answer - 1} runs are enough"


def _same_way(answer: Any, lab: Lab | None) -> str | None:
    possible = [one for one in verdicts(answer) if one.possible]
    if not possible:
        return "no way can run it"
    best = suggested(answer)
    if best.month > possible[0].month:
        return None
    return f"{best.way} is the cheapest too: ${best.month:.2f}"


def _not_dear(answer: Any, lab: Lab | None) -> str | None:
    cheapest = next(one for one in verdicts(answer) if one.possible)
    more = suggested(answer).month - cheapest.month
    if more >= 100:
        return None
    return f"learning nothing costs ${more:.2f} a month more than {cheapest.way}: find $100"


def _drawn(luck: random.Random) -> tuple[int, int, int]:
    return luck.randrange(2, 21), luck.randrange(70, 1800), luck.randrange(10, 200)


def _glue_bill(workers: int, seconds: int, runs: int):
    return runs * glue.spark_job(seconds, workers).total()


def _given() -> tuple[int, int, int]:
    from drydock.study import exercises

    return exercises.given("8.3")


EXERCISES = (
    Exercise(
        id="8.1",
        title="Where Lambda stops paying",
        skills=("1.2.4", "1.2.5", "3.2.5"),
        hints=(
            "A task on Fargate is billed for a minute at least, a function for every millisecond.",
            "verdict(replace(small, seconds=s), way).month gives both amounts for s seconds.",
            "next(s for s in range(1, 901) if the month on Fargate is below the one on Lambda)",
        ),
        rules=(
            Rule("whole seconds", _no_seconds),
            Rule("from here on Fargate costs less", _lambda_still_cheaper),
            Rule("and a second earlier it does not", _later_than_need_be),
        ),
        mistakes=(
            Mistake("Fargate's minimum", 60, "and a second earlier it does not"),
            Mistake("too early", 10, "from here on Fargate costs less"),
            Mistake("minutes", 0.4, "whole seconds"),
        ),
    ),
    Exercise(
        id="8.2",
        title="Short, small, and not for Lambda",
        skills=("1.2.5", "1.4.2"),
        hints=(
            "Lambda has one setting for memory. What comes with it?",
            "At 1,769 MB a function has one vCPU, and the memory ends at 10,240 MB.",
            "Job(vcpu=8, memory_gb=8, seconds=600)",
        ),
        rules=(
            Rule("a job", _no_job),
            Rule("15 minutes and 10 GB at most", _too_long_or_large),
            Rule("Lambda cannot run it", _function_can),
            Rule("ECS on Fargate can", _task_cannot),
        ),
        mistakes=(
            Mistake("too long", Job(seconds=1000), "15 minutes and 10 GB at most"),
            Mistake("any job", Job(), "Lambda cannot run it"),
            Mistake("a GPU", Job(gpus=1), "ECS on Fargate can"),
            Mistake("a name", "Glue", "a job"),
        ),
    ),
    Exercise(
        id="8.3",
        title="A month of Glue",
        skills=("1.2.4", "3.1.4"),
        hints=(
            "Glue bills DPU-hours: workers times seconds, by the second after the first minute.",
            "A G.1X is one DPU. A DPU-hour costs $0.44.",
            "runs * glue.spark_job(seconds, workers).total()",
        ),
        rules=amount(
            lambda: _glue_bill(*_given()),
            "a month of these runs on Glue",
            "glue.spark_job(seconds, workers) is the bill of one run; a month has `runs` of them",
        ),
        mistakes=(
            Mistake(
                "one run",
                made=lambda _: _glue_bill(*_given()[:2], 1),
                fails="a month of these runs on Glue",
            ),
            Mistake("a guess", "cheap", "an amount in US dollars"),
        ),
        draw=_drawn,
    ),
    Exercise(
        id="8.4",
        title="When a cluster of one's own pays",
        skills=("1.2.4", "3.2.5"),
        hints=(
            "The control plane is paid once a month, each run saves a little.",
            "Divide the first by the second; then try the number, and the one before it.",
            'runs_until_cheaper(nightly, "EKS on Fargate", "EMR Serverless")',
        ),
        rules=(
            Rule("a number of runs", _no_runs),
            Rule("the cluster costs less", _not_paid),
            Rule("and no fewer runs would do", _too_many),
        ),
        mistakes=(
            Mistake("every night", 30, "the cluster costs less"),
            Mistake("to be safe", 500, "and no fewer runs would do"),
            Mistake("half a run", 100.5, "a number of runs"),
        ),
    ),
    Exercise(
        id="8.5",
        title="What it costs to learn nothing",
        skills=("1.2.5", "4.1.6"),
        hints=(
            "`suggested` looks at what the team must learn before it looks at money.",
            "Who has no skills is sent to Lambda or Glue's Python shell. When are they dear?",
            "Many runs of ten minutes on Lambda: Job(vcpu=2, memory_gb=4, seconds=600, runs=5000)",
        ),
        rules=(
            Rule("a job", _no_job),
            Rule("the suggestion is not the cheapest", _same_way),
            Rule("by $100 a month or more", _not_dear),
        ),
        mistakes=(
            Mistake("a small one", Job(runs=300), "by $100 a month or more"),
            Mistake(
                "a team that knows all",
                Job(skills=("containers", "kubernetes", "machines", "spark")),
                "the suggestion is not the cheapest",
            ),
        ),
    ),
)
