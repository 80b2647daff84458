"""The question bank: what a question is, how it is read, found and answered.

    bank = questions.load()
    some = questions.select(bank, skill="1.2.2", theme="connect")
    some[0].is_right(["b"])

The questions are YAML files in data/questions, one for each theme; `question_checks` proves them.
Every number in a *generated* question comes from the model: see `families`.
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from drydock.errors import WrongInput

DATA = Path(__file__).parents[3] / "data"
TYPES = ("multiple_choice", "multiple_response", "ordering", "matching")
KEYS = "abcdefgh"
COUNTS = {2: "two", 3: "three", 4: "four"}

# What a person answered, as plain JSON: keys (in order, for an ordering), or left key -> right key.
Response = Sequence[str] | dict[str, str]


@dataclass(frozen=True)
class Option:
    """One option of a question, with the reason why it is right or wrong.

    `key` is a letter. `match` is the right half of a pair in a question of type "matching".
    """

    key: str
    text: str
    why: str
    correct: bool = False
    match: str = ""


@dataclass(frozen=True)
class Question:
    """A question; its domain is the one of its first skill.

    `difficulty` is 1 (know it), 2 (apply it) or 3 (weigh several facts). `source` is the public
    page to check it against, `checked` the day that was done (YYYY-MM-DD). `solution` is the worked
    solution of a generated question.
    """

    id: str
    theme: str
    skills: tuple[str, ...]
    type: str
    difficulty: int
    stem: str
    options: tuple[Option, ...]
    source: str
    checked: str
    solution: str = ""

    @property
    def domain(self) -> str:
        """The number of the exam's domain, "1" to "4"."""
        return self.skills[0].split(".")[0]

    @property
    def prompt(self) -> str:
        """The stem, with what is to be done where that is not plain from the type."""
        if self.type == "multiple_response":
            return f"{self.stem} (Choose {COUNTS[len(self.answer)]}.)"
        return self.stem

    @property
    def answer(self) -> Response:
        """The right response, in the form that `is_right` takes."""
        if self.type == "ordering":
            return [option.key for option in self.options]
        if self.type == "matching":
            return {option.key: option.key for option in self.options}
        return [option.key for option in self.options if option.correct]

    def is_right(self, response: Response | None) -> bool:
        """Whether `response` is wholly right: there are no part marks, as in the exam.

        No answer (None or empty) is wrong. The order of keys matters only in an ordering.
        """
        if not response:
            return False
        if self.type == "matching":
            return dict(response) == self.answer
        if self.type == "ordering":
            return list(response) == self.answer
        return sorted(response) == self.answer

    def check(self, response: Response) -> None:
        """Raise WrongInput if `response` is not in the form of an answer to this question."""
        keys = [option.key for option in self.options]
        if self.type == "matching":
            fits = isinstance(response, dict) and {*response, *response.values()} <= set(keys)
        else:
            fits = not isinstance(response, dict) and set(response) <= set(keys)
            fits = fits and len(set(response)) == len(response)
        if not fits:
            raise WrongInput(
                f"{self.id}: {response!r} is no answer: use its keys {', '.join(keys)}"
            )

    def shown(self, seed: int = 0) -> list[Option]:
        """Return the options in the order to show: shuffled if their order is the answer."""
        options = list(self.options)
        if self.type == "ordering":
            random.Random(f"{self.id}/{seed}").shuffle(options)
        return options

    def shown_matches(self, seed: int = 0) -> list[Option]:
        """Return the options of a matching in the order to show their right halves."""
        options = list(self.options)
        random.Random(f"{self.id}/match/{seed}").shuffle(options)
        return options


def question(entry: dict, theme: str) -> Question:
    """Return the question that `entry` of a theme's file stands for; it is taken to be valid."""
    options = tuple(
        Option(
            KEYS[index], one["text"], one["why"], one.get("correct", False), one.get("match", "")
        )
        for index, one in enumerate(entry["options"])
    )
    rest = {name: entry[name] for name in ("id", "type", "difficulty", "stem", "source", "checked")}
    return Question(theme=theme, skills=tuple(entry["skills"]), options=options, **rest)


def load(folder: Path = DATA / "questions") -> tuple[Question, ...]:
    """Return all questions of a folder, by theme and then as they stand there.

    WrongInput with the first problem, if there is one: `question_checks.problems` lists them all.
    """
    from drydock.study.question_checks import problems

    found = problems(folder)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise WrongInput(f"{found[0]}{more}; type `python -m drydock.study.question_checks`")
    return tuple(
        question(entry, path.stem)
        for path in sorted(folder.glob("*.yaml"))
        for entry in yaml.safe_load(path.read_text())
    )


def select(
    bank: Iterable[Question],
    *,
    skill: str | None = None,
    theme: str | None = None,
    domain: str | None = None,
    difficulty: int | None = None,
    types: Sequence[str] = TYPES,
) -> list[Question]:
    """Return the questions that fit. `skill` may be a whole skill ("1.2.2") or a task ("1.2")."""
    return [
        one
        for one in bank
        if (skill is None or any(_within(own, skill) for own in one.skills))
        and theme in (None, one.theme)
        and domain in (None, one.domain)
        and difficulty in (None, one.difficulty)
        and one.type in types
    ]


@cache
def guide() -> dict:
    """Return data/exam_guide.json: the exam's format, domains with weights, tasks and skills."""
    return json.loads((DATA / "exam_guide.json").read_text())


def _within(skill: str, wanted: str) -> bool:
    return skill == wanted or skill.startswith(f"{wanted}.")
