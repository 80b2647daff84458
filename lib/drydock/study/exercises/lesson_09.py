"""The exercises of lesson 9: how the exam counts, what to study next, a question of one's own."""

import random
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from drydock.lab import Lab
from drydock.study import families, questions
from drydock.study.exam import Exam
from drydock.study.exam_result import Score, scaled
from drydock.study.exercises.exercise import Exercise, Mistake, Rule
from drydock.study.exercises.looking import amount
from drydock.study.question_checks import problems

SIZE = 20
FAMILY = "fargate-short-tasks"
GOOD = {
    "id": "mine-fargate-minimum",
    "skills": ["1.2.4"],
    "type": "multiple_choice",
    "difficulty": 1,
    "stem": "For how many seconds is a Fargate task on Linux billed that ran for ten?",
    "options": [
        {"text": "10", "why": "It ran for ten, and the minimum is longer."},
        {"text": "60", "why": "A minute is the least that is billed on Linux.", "correct": True},
        {"text": "300", "why": "That is the minimum of Windows."},
        {"text": "3600", "why": "Fargate bills by the second, not by the hour."},
    ],
    "source": "https://aws.amazon.com/fargate/pricing/",
    "checked": "2026-11-23",
}


def _least_to_pass() -> int:
    rules = questions.guide()["format"]
    of = rules["scored"]
    return next(n for n in range(of + 1) if scaled(Score(n, of)) >= rules["pass"])


def _no_count(answer: Any, lab: Lab | None) -> str | None:
    most = questions.guide()["format"]["scored"]
    whole = isinstance(answer, int) and 0 <= answer <= most
    return None if whole else f"give a whole number, from 0 to {most}"


def _not_passed(answer: Any, lab: Lab | None) -> str | None:
    points = scaled(Score(answer, questions.guide()["format"]["scored"]))
    if points >= questions.guide()["format"]["pass"]:
        return None
    return f"{answer} right answers are {points} points by our estimate"


def _more_than_needed(answer: Any, lab: Lab | None) -> str | None:
    return None if answer == _least_to_pass() else f"{answer - 1} would pass as well"


def _no_parts(answer: Any, lab: Lab | None) -> str | None:
    domains = list(questions.guide()["domains"])
    numbers = isinstance(answer, dict) and all(isinstance(one, int) for one in answer.values())
    if numbers and sorted(answer) == domains:
        return None
    return f"give a number for each domain, such as {dict.fromkeys(domains, 5)}"


def _not_together(answer: Any, lab: Lab | None) -> str | None:
    total = sum(answer.values())
    return None if total == SIZE else f"together they are {total}, not {SIZE}"


def _not_drawn(answer: Any, lab: Lab | None) -> str | None:
    drawn = Exam.draw(questions.load(), size=SIZE, seed=1).questions
    for domain, wanted in answer.items():
        found = sum(one.domain == domain for one in drawn)
        if found != wanted:
            return f"an exam of {SIZE} has {found} questions of domain {domain}, not {wanted}"
    return None


def _drawn_marks(luck: random.Random) -> dict[str, tuple[int, int]]:
    """Right and tried of four skills, of which only one is weak and well tried."""
    weak, *others = luck.sample(["1.2.1", "1.2.2", "1.2.4", "1.2.7"], 4)
    marks = {one: (luck.randrange(8, 11), 10) for one in others[:2]}
    marks[others[2]] = (luck.randrange(7, 8), 10)
    marks[weak] = (luck.randrange(2, 5), 10)
    return dict(sorted(marks.items()))


def _marks() -> dict[str, tuple[int, int]]:
    from drydock.study import exercises

    return exercises.given("9.3")


def _no_skill(answer: Any, lab: Lab | None) -> str | None:
    return None if answer in _marks() else f"give one of {', '.join(_marks())}"


def _not_weakest(answer: Any, lab: Lab | None) -> str | None:
    shares = {skill: right / tried for skill, (right, tried) in _marks().items()}
    if shares[answer] == min(shares.values()):
        return None
    return f"in {answer} {shares[answer]:.0%} were right: another one has fewer"


def _no_question(answer: Any, lab: Lab | None) -> str | None:
    return None if isinstance(answer, dict) else "give a dict, as in the lesson's example"


def _not_well_made(answer: Any, lab: Lab | None) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(yaml.safe_dump([answer]))
        found = problems(Path(folder))
    return str(found[0]) if found else None


def _not_own(answer: Any, lab: Lab | None) -> str | None:
    bank = {one.id: one.stem for one in questions.load()}
    if answer["id"] in bank or answer["stem"] in bank.values():
        return "the bank has it already: write one of your own"
    return None


def _drawn_seed(luck: random.Random) -> int:
    return luck.randrange(10**6)


def _bill() -> Decimal:
    from drydock.study import exercises

    asked = families.generate(FAMILY, exercises.given("9.5"))
    right = next(one.text for one in asked.options if one.correct)
    return Decimal(right.removesuffix(" USD").replace(",", ""))


def _without(*keys: str) -> dict:
    return {name: value for name, value in GOOD.items() if name not in keys}


EXERCISES = (
    Exercise(
        id="9.1",
        title="How many must be right?",
        skills=(),
        hints=(
            "Fifty questions count. The scale goes from 100 to 1,000, not from 0.",
            "By our estimate it is a straight line: 100 + 900 x share.",
            "next(n for n in range(51) if scaled(Score(n, 50)) >= 720)",
        ),
        rules=(
            Rule("a whole number", _no_count),
            Rule("it passes", _not_passed),
            Rule("and one less does not", _more_than_needed),
        ),
        mistakes=(
            Mistake("half", 25, "it passes"),
            Mistake("72 %", 36, "and one less does not"),
            Mistake("a share", 0.72, "a whole number"),
        ),
    ),
    Exercise(
        id="9.2",
        title="A short exam with the exam's weights",
        skills=(),
        hints=(
            "34, 26, 22 and 18 of a hundred: what is that of twenty?",
            "First by weight for those that are scored, then for the rest; each by the largest "
            "remainders. Exam.draw does it.",
            "Count one.domain over Exam.draw(questions.load(), size=20).questions",
        ),
        rules=(
            Rule("a number for each domain", _no_parts),
            Rule("twenty together", _not_together),
            Rule("as the mock exam draws them", _not_drawn),
        ),
        mistakes=(
            Mistake("the same of each", dict.fromkeys("1234", 5), "as the mock exam draws them"),
            Mistake(
                "the weights themselves", {"1": 34, "2": 26, "3": 22, "4": 18}, "twenty together"
            ),
            Mistake("a list", [7, 5, 4, 4], "a number for each domain"),
        ),
    ),
    Exercise(
        id="9.3",
        title="Where the next hour goes",
        skills=(),
        hints=(
            "Which skill has the smallest part of right answers?",
            "All four were tried ten times, so the counts can be compared as they are.",
            "min(marks, key=lambda skill: marks[skill][0] / marks[skill][1])",
        ),
        rules=(
            Rule("one of the skills", _no_skill),
            Rule("the weakest", _not_weakest),
        ),
        mistakes=(
            Mistake(
                "the best one",
                made=lambda _: max(_marks(), key=lambda one: _marks()[one][0]),
                fails="the weakest",
            ),
            Mistake("a lesson", "05_connect", "one of the skills"),
        ),
        draw=_drawn_marks,
    ),
    Exercise(
        id="9.4",
        title="A question of your own",
        skills=(),
        hints=(
            "Begin with a mistake that you made in this book: it is the best wrong option.",
            "Four options, one correct, a reason for each, a source that somebody can open.",
            "Take the example, and change id, stem and options. The check names what is missing.",
        ),
        rules=(
            Rule("a dict", _no_question),
            Rule("well made, as the bank's validator sees it", _not_well_made),
            Rule("not in the bank yet", _not_own),
        ),
        mistakes=(
            Mistake("no source", _without("source"), "well made, as the bank's validator sees it"),
            Mistake(
                "two right ones",
                GOOD
                | {
                    "options": [
                        {**one, "correct": True} if one["text"] in ("60", "300") else one
                        for one in GOOD["options"]
                    ]
                },
                "well made, as the bank's validator sees it",
            ),
            Mistake(
                "a skill that is none",
                GOOD | {"skills": ["7.7.7"]},
                "well made, as the bank's validator sees it",
            ),
            Mistake("a line of text", "What is Fargate?", "a dict"),
            Mistake(
                "one of the bank's", GOOD | {"id": "cost-fargate-minimum"}, "not in the bank yet"
            ),
        ),
    ),
    Exercise(
        id="9.5",
        title="A generated question, by hand",
        skills=("1.2.4",),
        hints=(
            "The minimum is what matters: the seconds of a run are below it.",
            "fargate.run_cost([seconds] * tasks, vcpu, memory_gb) knows it.",
            "fargate.task_cost(seconds, vcpu, memory_gb, tasks=tasks).total(), to the cent",
        ),
        rules=amount(
            _bill,
            "the bill, to the cent",
            "each task is billed for a minute; round the sum to the cent",
        ),
        mistakes=(
            Mistake("nothing", 0, "the bill, to the cent"),
            Mistake("a letter", "b", "an amount in US dollars"),
        ),
        draw=_drawn_seed,
    ),
)
