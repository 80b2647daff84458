"""The exercises of the lessons: graded by what an answer does, with three hints that are counted.

    exercises.check("1.2", answer, lab)     # which rule holds, which fails, and why
    exercises.hint("1.2")                   # nudge, pointer, near-solution
    exercises.given("1.3")                  # numbers of the learner's own

Those of a lesson are in a module of this folder: lesson_01, lesson_02 and so on.
"""

import importlib
import pkgutil
import random
from functools import cache
from typing import Any

from drydock.errors import WrongInput
from drydock.lab import Lab
from drydock.study import progress
from drydock.study.exercises.exercise import LEVELS, Exercise, Hint, Mistake, Report, Rule

__all__ = [
    "Exercise",
    "Hint",
    "Mistake",
    "Report",
    "Rule",
    "by_id",
    "check",
    "everything",
    "given",
    "hint",
]


@cache
def everything() -> dict[str, Exercise]:
    """Return all exercises of all lessons by id, in their order."""
    names = sorted(one.name for one in pkgutil.iter_modules(__path__) if "lesson_" in one.name)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {one.id: one for module in modules for one in module.EXERCISES}


def by_id(exercise: str) -> Exercise:
    """Return an exercise by its id, such as "1.2"."""
    if exercise not in everything():
        raise WrongInput(f"no exercise {exercise!r}: there are {', '.join(everything())}")
    return everything()[exercise]


def check(exercise: str, answer: Any, lab: Lab | None = None) -> Report:
    """Look at an answer, keep the outcome in the learner's progress, and return the report."""
    report = by_id(exercise).report(answer, lab)
    if report.started:
        progress.note("exercise", exercise, right=report.done, failed=report.failed)
    return report


def hint(exercise: str) -> Hint:
    """Return the next hint; after the last one, that again. Hints taken are counted."""
    one = by_id(exercise)
    level = min(progress.read().hints(exercise) + 1, len(LEVELS))
    progress.note("hint", exercise, level=level)
    return Hint(exercise, level, one.hints[level - 1])


def given(exercise: str) -> Any:
    """Return an exercise's numbers: each learner has others, and always the same."""
    draw = by_id(exercise).draw
    if draw is None:
        raise WrongInput(f"exercise {exercise} is the same for everybody: nothing is given")
    return draw(random.Random(f"{progress.learner()}/{exercise}"))
