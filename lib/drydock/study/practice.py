"""Practice: one question after another, with what is right, what is wrong and why after each.

session = Practice(questions.select(bank, skill="1.2.2"), seed=7)
while question := session.next():
    print(session.answer(["b"]).text())
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from drydock.errors import WrongInput
from drydock.study.questions import Question, Response


@dataclass(frozen=True)
class Feedback:
    """What an answer is worth, with the reason for each option."""

    question: Question
    response: Response | None
    right: bool

    def text(self) -> str:
        """Return it as lines: the verdict, each option with its reason, solution, source."""
        verdict = "Right." if self.right else f"Not right. The answer: {self.answer()}."
        return "\n".join([verdict, *self.reasons()])

    def reasons(self) -> list[str]:
        """Return each option with its reason, then the solution if there is one, and the source."""
        options = [f"  {self._mark(one.key)} {one.key}. {one.text}{_pair(one)}: {one.why}"
                   for one in self.question.options]  # fmt: skip
        solution = [self.question.solution] if self.question.solution else []
        source = f"Source: {self.question.source} (checked {self.question.checked})"
        return [*options, *solution, source]

    def answer(self) -> str:
        """Return the right answer in words: keys, or the pairs of a matching."""
        question = self.question
        if question.type == "matching":
            return "; ".join(f"{one.text}: {one.match}" for one in question.options)
        joint = ", then " if question.type == "ordering" else " and "
        return joint.join(question.answer)

    def _mark(self, key: str) -> str:
        if self.question.type in ("ordering", "matching"):
            return " "
        return "+" if key in self.question.answer else "-" if key in (self.response or ()) else " "


def feedback(question: Question, response: Response | None) -> Feedback:
    """Return the feedback for a response; None is no answer."""
    if response is not None:
        question.check(response)
    return Feedback(question, response, question.is_right(response))


class Practice:
    """A run through some questions; those answered wrongly come back once more.

    The order is random by `seed`, or as given if that is None. `right` and `wrong` count first
    answers.
    """

    def __init__(self, some: Iterable[Question], *, seed: int | None = 0) -> None:
        self._ahead = list(some)
        if not self._ahead:
            raise WrongInput("no question fits: type another skill, theme or difficulty")
        if seed is not None:
            random.Random(seed).shuffle(self._ahead)
        self._again: set[str] = set()
        self._now: Question | None = None
        self.right = self.wrong = 0

    @property
    def left(self) -> int:
        """How many questions are still to come."""
        return len(self._ahead)

    def next(self) -> Question | None:
        """Return the next question, or None at the end; one that was not answered is passed."""
        self._now = self._ahead.pop(0) if self._ahead else None
        return self._now

    def answer(self, response: Response | None) -> Feedback:
        """Answer the question that `next` gave, and return the feedback."""
        if self._now is None:
            raise WrongInput("no question is open: call next() first")
        found = feedback(self._now, response)
        if self._now.id not in self._again:
            self.right += found.right
            self.wrong += not found.right
            if not found.right:
                self._again.add(self._now.id)
                self._ahead.append(self._now)
        self._now = None
        return found


def _pair(option) -> str:
    return f" - {option.match}" if option.match else ""
