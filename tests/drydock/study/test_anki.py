"""The deck: a card for each question, with ids that a second import finds again."""

import sqlite3
import zipfile
from dataclasses import replace
from html import escape

from drydock.study import anki, questions

BANK = questions.load()


def notes(path, folder):
    with zipfile.ZipFile(path) as package:
        package.extract("collection.anki2", folder)
    with sqlite3.connect(folder / "collection.anki2") as database:
        return dict(database.execute("select guid, flds from notes"))


def test_the_deck_has_every_question_with_its_reasons(tmp_path):
    path = tmp_path / "new" / "deck.apkg"
    assert anki.write_deck(BANK, path) == len(BANK)
    found = notes(path, tmp_path)
    assert len(found) == len(BANK)
    assert all(text.count("\x1f") == len(anki.FIELDS) - 1 for text in found.values())


def test_a_changed_question_keeps_its_note():
    one = BANK[0]
    other = replace(one, stem="Another stem & more", difficulty=3)
    assert anki.note(one).guid == anki.note(other).guid != anki.note(BANK[1]).guid
    assert "Another stem &amp; more" in anki.note(other).fields[1]


def test_every_type_shows_its_answer_on_the_back_only():
    for kind in questions.TYPES:
        one = next(one for one in BANK if one.type == kind)
        _, front, options, back, source = anki.note(one).fields
        assert one.stem.split()[0] in front and one.source in source
        assert all(escape(option.why) in back for option in one.options)
        assert "class=right" not in options
        assert back.count("class=right") == sum(option.correct for option in one.options)
