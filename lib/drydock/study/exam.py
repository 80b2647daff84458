"""The mock exam: as many questions, as much time and the same weights as the exam DEA-C01.

    exam = Exam.draw(questions.load(), seed=7)         # 65 questions, 50 scored, 130 minutes
    exam.start()
    exam.answer(0, ["b"]); exam.flag(0)
    exam.save(folder / "exam.json")                     # any time: the clock stands until start()
    exam = Exam.load(folder / "exam.json", questions.load())
    print(exam.finish().text())

Format and weights come from data/exam_guide.json. Times are in seconds.
"""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drydock.errors import WrongInput
from drydock.study import families, saved
from drydock.study.exam_result import Result, result_of
from drydock.study.questions import Question, Response, guide, select

VERSION = 1


@dataclass
class Exam:
    """A mock exam under way.

    `questions` are in their order, `scored` the ids of those that count: as in the exam, which
    ones is not shown before the end. `answers` and `flags` go by question id. `used` is the time
    on the clock up to the last stop.
    """

    questions: tuple[Question, ...]
    scored: frozenset[str]
    seconds: float
    answers: dict[str, Response] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    used: float = 0.0
    finished: bool = False
    _since: float | None = None

    @classmethod
    def draw(
        cls,
        bank: Iterable[Question],
        *,
        size: int | None = None,
        minutes: float | None = None,
        seed: int = 0,
        seen: Iterable[str] = (),
    ) -> "Exam":
        """Return a new exam of `size` questions by the weights of the domains.

        Minutes and the share of scored questions follow the size, unless `minutes` is given. Ids
        in `seen` are taken only where there are no others. WrongInput if the bank is too small.
        """
        rules = guide()["format"]
        size = rules["questions"] if size is None else size
        if size < 1 or size != int(size):
            raise WrongInput(f"size is {size}: type a whole number of questions from 1 up")
        given = rules["minutes"] * size / rules["questions"] if minutes is None else minutes
        if given <= 0:
            raise WrongInput(f"minutes is {minutes}: type a number above 0")
        number = max(round(size * rules["scored"] / rules["questions"]), 1)
        weights = {name: about["weight"] for name, about in guide()["domains"].items()}
        counting, extra = shared(number, weights), shared(size - number, weights)
        bank, known, luck = tuple(bank), set(seen), random.Random(seed)
        drawn, scored = [], set()
        for domain in weights:
            some = select(bank, domain=domain, types=rules["types"])
            wanted = counting[domain] + extra[domain]
            if len(some) < wanted:
                raise WrongInput(
                    f"domain {domain} has {len(some)} questions, and {wanted} are needed: "
                    "type a smaller size"
                )
            luck.shuffle(some)
            some.sort(key=lambda one: one.id in known)
            drawn += some[:wanted]
            scored |= {one.id for one in luck.sample(some[:wanted], counting[domain])}
        luck.shuffle(drawn)
        return cls(tuple(drawn), frozenset(scored), given * 60)

    def start(self, now: float | None = None) -> None:
        """Let the clock run, from the beginning or after a stop."""
        self._check_open()
        if self._since is None:
            self._since = _time(now)

    def pause(self, now: float | None = None) -> None:
        """Stop the clock until `start`. (The exam itself has no pause.)"""
        self.used, self._since = self.elapsed(now), None

    def elapsed(self, now: float | None = None) -> float:
        """Return the time on the clock, at most all of it."""
        running = 0.0 if self._since is None else max(_time(now) - self._since, 0.0)
        return min(self.used + running, self.seconds)

    def remaining(self, now: float | None = None) -> float:
        """Return the time that is left."""
        return self.seconds - self.elapsed(now)

    def answer(self, index: int, response: Response | None, now: float | None = None) -> None:
        """Keep the answer to a question (from 0); None takes it back. WrongInput after the end."""
        question = self._question(index)
        self._check_open()
        if self._since is None:
            raise WrongInput("the clock stands: call start() first")
        if self.remaining(now) <= 0:
            raise WrongInput("the time is up: call finish() for the result")
        if not response:
            self.answers.pop(question.id, None)
            return
        question.check(response)
        kept = dict(response) if isinstance(response, dict) else list(response)
        self.answers[question.id] = kept

    def flag(self, index: int, on: bool = True) -> None:
        """Mark a question for review, or take the mark away."""
        (self.flags.add if on else self.flags.discard)(self._question(index).id)

    def flagged(self) -> list[int]:
        """Return the numbers (from 0) of the questions marked for review."""
        return [index for index, one in enumerate(self.questions) if one.id in self.flags]

    def unanswered(self) -> list[int]:
        """Return the numbers (from 0) of the questions without an answer, which count as wrong."""
        return [index for index, one in enumerate(self.questions) if one.id not in self.answers]

    def finish(self, now: float | None = None) -> Result:
        """End the exam, if it has not ended, and return its result."""
        self.pause(now)
        self.finished = True
        return result_of(self.questions, self.scored, self.answers, self.used)

    def save(self, path: Path, now: float | None = None) -> None:
        """Write the exam to a JSON file. The clock of the file stands."""
        saved.write(
            path,
            {
                "version": VERSION,
                "questions": [one.id for one in self.questions],
                "scored": sorted(self.scored),
                "seconds": self.seconds,
                "used": self.elapsed(now),
                "answers": self.answers,
                "flags": sorted(self.flags),
                "finished": self.finished,
            },
        )

    @classmethod
    def load(cls, path: Path, bank: Iterable[Question]) -> "Exam | None":
        """Return the exam of a file, with its clock stopped; None if there is no file.

        A file that cannot be used is renamed, and WrongInput says how it is called now.
        """
        try:
            state = saved.read(path)
            return None if state is None else cls._of(state, {one.id: one for one in bank})
        except (ValueError, KeyError, TypeError, AttributeError, WrongInput) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else error
            raise WrongInput(
                f"{path} holds no exam that can go on ({what}): it is now "
                f"{saved.put_aside(path).name}; start a new exam"
            ) from None

    @classmethod
    def _of(cls, state: Mapping, bank: Mapping[str, Question]) -> "Exam":
        if state["version"] != VERSION:
            raise ValueError(f"version {state['version']}, not {VERSION}")
        bank = {one: _question_of(one, bank) for one in state["questions"]}
        exam = cls(
            tuple(bank.values()),
            frozenset(state["scored"]),
            float(state["seconds"]),
            dict(state["answers"]),
            set(state["flags"]),
            float(state["used"]),
            bool(state["finished"]),
        )
        if not bank or not {*exam.scored, *exam.answers, *exam.flags} <= set(bank):
            raise ValueError("its parts do not fit together")
        if not 0 <= exam.used <= exam.seconds:
            raise ValueError("its clock is wrong")
        for question_id, response in exam.answers.items():
            bank[question_id].check(response)
        return exam

    def _question(self, index: int) -> Question:
        if not 0 <= index < len(self.questions):
            raise WrongInput(f"there is no question {index}: type 0 to {len(self.questions) - 1}")
        return self.questions[index]

    def _check_open(self) -> None:
        if self.finished:
            raise WrongInput("this exam has ended: draw a new one")


def shared(number: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Return `number` divided by `weights` into whole parts, by the largest remainders."""
    total = sum(weights.values())
    exact = {name: number * weight / total for name, weight in weights.items()}
    parts = {name: int(part) for name, part in exact.items()}
    order: Sequence[str] = sorted(exact, key=lambda name: parts[name] - exact[name])
    for name in order[: number - sum(parts.values())]:
        parts[name] += 1
    return parts


def _question_of(question_id: str, bank: Mapping[str, Question]) -> Question:
    """The question of an id: of the bank, or made again if it was a generated one."""
    if question_id in bank:
        return bank[question_id]
    if ":" in question_id:
        return families.by_id(question_id)
    raise ValueError(f"the question bank no longer has {question_id}")


def _time(now: float | None) -> float:
    return time.monotonic() if now is None else now
