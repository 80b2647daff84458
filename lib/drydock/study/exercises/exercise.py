"""One exercise: its rules, hints and usual mistakes, and the report on an answer."""

import random
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drydock.errors import DrydockError
from drydock.lab import Lab
from drydock.study.repair.shown import tidy

WIDTH = 96
LEVELS = ("nudge", "pointer", "near-solution")


@dataclass(frozen=True)
class Rule:
    """One thing that must be true of an answer. `broken` returns why it is not, or None."""

    name: str
    broken: Callable[[Any, Lab | None], str | None]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and the rule that catches it.

    The answer is `answer`, or what `made` returns when it takes a lab to give it.
    """

    title: str
    answer: Any = None
    fails: str = ""
    made: Callable[[Lab], Any] | None = None

    def given(self, lab: Lab | None) -> Any:
        """Return the wrong answer."""
        return self.made(lab) if self.made else self.answer


@dataclass(frozen=True)
class Exercise:
    """What a learner is to do, graded by what the answer is or does.

    `id` is the lesson and a number, such as "1.2"; `skills` are those of the exam guide; `hints`
    go from a nudge to nearly the solution. `draw` makes the learner's own numbers, if there are.
    """

    id: str
    title: str
    skills: tuple[str, ...]
    hints: tuple[str, str, str]
    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]
    draw: Callable[[random.Random], Any] | None = None

    def report(self, answer: Any, lab: Lab | None = None) -> "Report":
        """Look at an answer; rules are looked at in order, and none after the one that fails."""
        if unfinished(answer):
            return Report(self, started=False)
        for number, rule in enumerate(self.rules):
            try:
                why = rule.broken(answer, lab)
            except DrydockError as error:
                why = str(error)
            except Exception as error:  # the learner's own code may raise anything
                why = f"{type(error).__name__}: {error}"
            if why:
                return Report(self, held=self.rules[:number], failed=rule.name, why=tidy(why))
        return Report(self, held=self.rules)


@dataclass(frozen=True)
class Report:
    """What an answer came to: `failed` names the first rule that does not hold, `why` says why."""

    exercise: Exercise
    started: bool = True
    held: tuple[Rule, ...] = ()
    failed: str | None = None
    why: str = ""

    @property
    def done(self) -> bool:
        """Whether the answer is right."""
        return self.started and self.failed is None

    def __bool__(self) -> bool:
        return self.done

    def __repr__(self) -> str:
        head = f"Exercise {self.exercise.id}"
        if not self.started:
            return f'{head}: not done yet. Go on, or type exercises.hint("{self.exercise.id}")'
        lines = [f"{head}: {'done' if self.done else 'not right yet'}"]
        lines += [f"  holds  {rule.name}" for rule in self.held]
        if self.failed:
            lines += textwrap.wrap(
                f"{self.failed}: {self.why}",
                WIDTH,
                initial_indent="  FAILS  ",
                subsequent_indent=" " * 9,
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class Hint:
    """One of the three hints; `level` is 1 to 3."""

    exercise: str
    level: int
    text: str

    def __repr__(self) -> str:
        label = f"Hint {self.level} of {len(LEVELS)} ({LEVELS[self.level - 1]}): "
        return "\n".join(textwrap.wrap(label + self.text, WIDTH))


def unfinished(answer: Any) -> bool:
    """Whether nothing was answered yet: None, `...`, or a tuple or list that holds one of them."""
    if isinstance(answer, (tuple, list)):
        return any(unfinished(one) for one in answer)
    return answer is None or answer is ...
