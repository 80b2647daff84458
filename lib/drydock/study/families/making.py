"""How a family becomes a question: its draft for a draw, and the choice of wrong options."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from drydock.model.prices import rounded
from drydock.study.questions import KEYS, Option, Question

WRONG = 3
TRIES = 200


@dataclass(frozen=True)
class Draft:
    """A question before its options are chosen.

    `right` and each of `wrong` are (text, reason). Those of `wrong` that say the same as the right
    one for these numbers are left out, so give more than three. The first ones are preferred.
    """

    stem: str
    right: tuple[str, str]
    wrong: list[tuple[str, str]]
    solution: str


@dataclass(frozen=True)
class Family:
    """Questions of one kind; `draft` takes the numbers from the random generator that it gets."""

    name: str
    theme: str
    skills: tuple[str, ...]
    difficulty: int
    source: str
    checked: str
    draft: Callable[[random.Random], Draft]


def built(family: Family, seed: int) -> Question:
    """Return the question of `family` for `seed`.

    Numbers for which fewer than three mistakes differ from the right answer are drawn again.
    """
    for attempt in range(TRIES):
        draw = random.Random(f"{family.name}/{seed}/{attempt}")
        draft = family.draft(draw)
        wrong = _distinct(draft)
        if len(wrong) < WRONG:
            continue
        texts = [(*draft.right, True), *((text, why, False) for text, why in wrong[:WRONG])]
        draw.shuffle(texts)
        options = tuple(
            Option(key, text, why, right)
            for key, (text, why, right) in zip(KEYS, texts, strict=False)
        )
        return Question(
            id=f"{family.name}:{seed}",
            theme=family.theme,
            skills=family.skills,
            type="multiple_choice",
            difficulty=family.difficulty,
            stem=draft.stem,
            options=options,
            source=family.source,
            checked=family.checked,
            solution=draft.solution,
        )
    raise RuntimeError(f"family {family.name}: no {WRONG} distinct mistakes in {TRIES} draws")


def usd(amount: Decimal | float, places: int = 2) -> str:
    """Return money as a person writes it, rounded half up."""
    return f"{rounded(Decimal(str(amount)), places):,f} USD"


def count(amount: int, noun: str, plural: str = "") -> str:
    """Return "1 task", "2 tasks" or "12,000 tasks"."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def _distinct(draft: Draft) -> list[tuple[str, str]]:
    seen, found = {draft.right[0]}, []
    for text, why in draft.wrong:
        if text not in seen:
            seen.add(text)
            found.append((text, why))
    return found
