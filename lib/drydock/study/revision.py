"""Revision: what to know of each skill on the evening before, and where the book shows it.

revision.show("1.2")       # all skills of a task, each folded away behind its name
print(revision.page("1.2.2").text())
"""

from dataclasses import dataclass
from functools import cache
from html import escape

import yaml

from drydock.errors import WrongInput
from drydock.study import questions, standing

FILE = questions.DATA / "revision.yaml"
SOURCES = 3  # pages to read that a card names


@dataclass(frozen=True)
class Page:
    """One skill: what it is about, what to know, where the book shows it, pages to check."""

    skill: str
    about: str
    points: tuple[str, ...]
    lessons: tuple[str, ...]
    sources: tuple[str, ...]

    def text(self) -> str:
        """Return it as lines."""
        points = [f"  - {one}" for one in self.points]
        return "\n".join([f"{self.skill} {self.about}", *points, f"  {self.where()}"])

    def where(self) -> str:
        """Return where the book shows the skill, and the command to practise it."""
        word = "exercise "
        shown = [one for one in self.lessons if not one.startswith(word)]
        if done := [one.removeprefix(word) for one in self.lessons if one.startswith(word)]:
            shown.append(f"exercise{'s' if len(done) > 1 else ''} {', '.join(done)}")
        places = "; ".join(shown) or "questions only"
        return f"In the book: {places}. Practise: drydock practice --skill {self.skill}"

    def html(self) -> str:
        """Return it as HTML, folded away behind its name."""
        points = "".join(f"<li>{escape(one)}</li>" for one in self.points)
        pages = " · ".join(f'<a href="{one}">{_short(one)}</a>' for one in self.sources)
        return (
            f"<details><summary><b>{self.skill}</b> {escape(self.about)}</summary>\n"
            f"<ul>{points}</ul>\n<p>{escape(self.where())}<br>\nRead: {pages}</p></details>"
        )


class Pages:
    """The pages of some skills, which a notebook shows folded."""

    def __init__(self, pages: tuple[Page, ...]):
        self.pages = pages

    def __repr__(self) -> str:
        return f"Pages of {', '.join(one.skill for one in self.pages)}"

    def _repr_html_(self) -> str:
        return "\n".join(one.html() for one in self.pages)


def show(task: str) -> Pages:
    """Return the pages of a task such as "1.2", or of a domain such as "4"."""
    found = tuple(page(skill) for skill in skills() if skill.startswith(f"{task}."))
    if not found:
        raise WrongInput(f"no task or domain {task!r}: type for instance 1.2 or 4")
    return Pages(found)


def skills() -> list[str]:
    """Return the skills of this book, in the guide's order."""
    return [name for name, one in questions.guide()["skills"].items() if one["in_this_book"]]


def page(skill: str) -> Page:
    """Return the page of one skill; WrongInput if this book does not have it."""
    if skill not in skills():
        raise WrongInput(f"no skill {skill!r} in this book: type drydock questions --skills")
    return Page(
        skill,
        questions.guide()["skills"][skill]["about"],
        tuple(_points()[skill]),
        standing.lessons(skill),
        _sources().get(skill, ())[:SOURCES],
    )


@cache
def _points() -> dict[str, list[str]]:
    return yaml.safe_load(FILE.read_text())


@cache
def _sources() -> dict[str, tuple[str, ...]]:
    """The pages that the questions of each skill cite, without those that repeat."""
    found: dict[str, tuple[str, ...]] = {}
    for one in questions.load():
        for skill in one.skills:
            known = found.get(skill, ())
            found[skill] = known if one.source in known else (*known, one.source)
    return found


def _short(address: str) -> str:
    """The last part of an address, which names the page."""
    return escape(address.rstrip("/").rsplit("/", 1)[-1].removesuffix(".html"))
