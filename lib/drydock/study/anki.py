"""The question bank as an Anki deck. Importing it again updates the cards and keeps their reviews.

anki.write_deck(questions.load(), Path("drydock.apkg"))
"""

import hashlib
from collections.abc import Iterable
from html import escape
from pathlib import Path

import genanki

from drydock.study.questions import Question

# Any numbers do, as long as they never change: Anki finds deck and note type by them.
DECK, MODEL = 1_763_850_001, 1_763_850_002
FIELDS = ("Id", "Question", "Options", "Answer", "Source")
STYLE = ".card { font-family: sans-serif; text-align: left; } .right { font-weight: bold; }"
FRONT = "{{Question}}<br><br>{{Options}}"
BACK = "{{FrontSide}}<hr id=answer>{{Answer}}<br><br><small>{{Source}}</small>"


def write_deck(some: Iterable[Question], path: Path) -> int:
    """Write a deck of `some` questions to `path` (.apkg), and return how many cards it has."""
    deck = genanki.Deck(DECK, "Drydock: DEA-C01")
    for question in some:
        deck.add_note(note(question))
    path.parent.mkdir(parents=True, exist_ok=True)
    genanki.Package(deck).write_to_file(str(path))
    return len(deck.notes)


def note(question: Question) -> genanki.Note:
    """Return the note of a question: its id in Anki follows from the question's id alone."""
    digest = hashlib.sha256(f"drydock/{question.id}".encode()).hexdigest()
    return genanki.Note(
        model=_model(),
        fields=[
            question.id,
            escape(question.prompt),
            _options(question),
            _answer(question),
            escape(f"{question.source} (checked {question.checked})"),
        ],
        guid=digest[:16],
        tags=[question.theme, question.type, *(f"skill-{skill}" for skill in question.skills)],
    )


def _model() -> genanki.Model:
    return genanki.Model(
        MODEL,
        "Drydock question",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Question", "qfmt": FRONT, "afmt": BACK}],
        css=STYLE,
    )


def _options(question: Question) -> str:
    lines = [escape(f"{one.key}. {one.text}") for one in question.shown()]
    if question.type == "matching":
        lines += ["", *(escape(f"- {one.match}") for one in question.shown_matches())]
    return "<br>".join(lines)


def _answer(question: Question) -> str:
    lines = []
    for one in question.options:
        text = f"{one.key}. {f'{one.match}: ' if one.match else ''}{one.why}"
        lines.append(f"<span class=right>{escape(text)}</span>" if one.correct else escape(text))
    head = [] if question.type == "matching" else [escape(", ".join(question.answer))]
    return "<br>".join([*head, *lines])
