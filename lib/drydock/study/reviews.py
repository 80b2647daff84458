"""Spaced repetition: when a question is due again, by the scheduler FSRS.

    reviews = Reviews.load(folder / "reviews.json")
    for question in reviews.due(bank): ...
    reviews.answered(question, right=True)
    reviews.save(folder / "reviews.json")

An answer in a quiz has two outcomes, so two of FSRS's four ratings are used: again and good.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import fsrs

from drydock.errors import WrongInput
from drydock.study import saved
from drydock.study.questions import Question

VERSION = 1


class Reviews:
    """What FSRS knows of each question that was answered, by its id."""

    def __init__(self, cards: dict[str, fsrs.Card] | None = None) -> None:
        self.cards = cards or {}
        # Without fuzzing the same answers give the same days, which can be tested and explained.
        self._scheduler = fsrs.Scheduler(enable_fuzzing=False)

    def answered(self, question: Question, right: bool, when: datetime | None = None) -> datetime:
        """Keep an answer, and return when the question is due again (UTC)."""
        card = self.cards.get(question.id) or fsrs.Card()
        rating = fsrs.Rating.Good if right else fsrs.Rating.Again
        now = when or datetime.now(UTC)
        self.cards[question.id], _ = self._scheduler.review_card(card, rating, now)
        return self.cards[question.id].due

    def due(self, bank: Iterable[Question], when: datetime | None = None) -> list[Question]:
        """Return the questions that are due, the longest overdue first. New ones are not due."""
        now = when or datetime.now(UTC)
        found = [one for one in bank if one.id in self.cards and self.cards[one.id].due <= now]
        return sorted(found, key=lambda one: self.cards[one.id].due)

    def save(self, path: Path) -> None:
        """Write all cards to a JSON file."""
        cards = {name: card.to_dict() for name, card in sorted(self.cards.items())}
        saved.write(path, {"version": VERSION, "cards": cards})

    @classmethod
    def load(cls, path: Path) -> "Reviews":
        """Return the reviews of a file, or empty ones if there is none.

        A file that cannot be used is renamed, and WrongInput says how it is called now.
        """
        try:
            state = saved.read(path)
            if state is None:
                return cls()
            if state["version"] != VERSION:
                raise ValueError(f"version {state['version']}, not {VERSION}")
            return cls({name: fsrs.Card.from_dict(one) for name, one in state["cards"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else error
            raise WrongInput(
                f"{path} holds no reviews that can be read ({what}): it is now "
                f"{saved.put_aside(path).name}; load again to start afresh"
            ) from None
