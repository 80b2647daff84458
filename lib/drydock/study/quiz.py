"""The quiz at the end of a lesson: one line there, data/quizzes.yaml says which questions.

    quiz.show("05")

Run, it is a widget that keeps each answer in the learner's progress. Without a kernel the same cell
shows the questions on paper, each answer folded away with its reasons.

`python -m drydock.study.quiz` writes the papers anew into the lessons, and lesson 9's pages of
skills: after a question has changed, or a lesson teaches another skill.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from html import escape

import nbformat
import yaml

from drydock import notebook_guard, notebooks
from drydock.errors import WrongInput
from drydock.study import desk, questions, revision
from drydock.study.practice import feedback
from drydock.study.questions import Question
from drydock.study.quiz_widget import Quiz

FILE = questions.DATA / "quizzes.yaml"
CALL = re.compile(r'^(quiz|revision)\.show\("([^"]+)"\)$', re.MULTILINE)


class LessonQuiz(Quiz):
    """A lesson's questions in their order; a reader without a kernel sees them on paper."""

    def __init__(self, some: tuple[Question, ...]):
        self._paper = {"text/html": paper(some)}
        super().__init__(
            some, seed=None, on_answer=lambda found: desk.keep_answer(found.question, found.right)
        )

    def _repr_mimebundle_(self, **_) -> dict[str, object]:
        # A front end takes the widget where it can, and the paper where it cannot.
        return super()._repr_mimebundle_() | self._paper


def show(lesson: str) -> LessonQuiz:
    """Return the quiz of a lesson such as "05", to be the last line of its cell."""
    return LessonQuiz(of(lesson))


def of(lesson: str) -> tuple[Question, ...]:
    """Return the questions of a lesson's quiz; WrongInput if it has none."""
    found = _quizzes()
    if lesson not in found:
        raise WrongInput(f"no quiz {lesson!r}: type one of {', '.join(found)}")
    bank = {one.id: one for one in questions.load()}
    if absent := [one for one in found[lesson] if one not in bank]:
        raise WrongInput(f"{FILE.name}, {lesson}: no question is called {absent[0]}")
    return tuple(bank[one] for one in found[lesson])


def paper(some: tuple[Question, ...]) -> str:
    """Return questions as HTML to read: each with its answer and all reasons folded away."""
    return f"<ol>\n{''.join(map(_on_paper, some))}</ol>"


def write_papers() -> list[str]:
    """Bring the stored paper of every lesson up to date; return the lessons that changed."""
    changed = []
    for path in sorted(notebooks.FOLDER.glob("[!.]*.ipynb")):
        notebook, new = notebook_guard.read(path), False
        for data, kind, about in stored(notebook):
            now = current(kind, about)
            new = new or {**data, **now} != data
            data |= now
        if new:
            notebooks.store(notebook, path)
            changed.append(path.stem)
    return changed


def stored(notebook: nbformat.NotebookNode) -> Iterator[tuple[dict, str, str]]:
    """Return each stored paper of a lesson, with its kind (quiz, revision) and what it is of."""
    for cell in notebook.cells:
        found = CALL.search(cell.source) if cell.cell_type == "code" else None
        if found:
            yield from ((one.data, *found.groups()) for one in cell.outputs if "data" in one)


def current(kind: str, about: str) -> dict[str, str]:
    """Return what a paper of this kind says today, as a notebook stores it."""
    if kind == "revision":
        pages = revision.show(about)
        return {"text/plain": repr(pages), "text/html": pages._repr_html_()}
    return {"text/plain": _title(of(about)), "text/html": paper(of(about))}


def _title(some: tuple[Question, ...]) -> str:
    return f"Quiz of {len(some)} questions"


def _on_paper(question: Question) -> str:
    options = [f"<li>{one.key}. {escape(one.text)}</li>" for one in question.shown()]
    if question.type == "matching":
        halves = [f"<li>{escape(one.match)}</li>" for one in question.shown_matches()]
        options += ["<li>with one of<ul>", *halves, "</ul></li>"]
    known = feedback(question, question.answer)
    reasons = "<br>\n".join(map(escape, known.reasons()))
    skills = ", ".join(question.skills)
    return (
        f"<li><p>{escape(question.prompt)} ({skills})</p>\n<ul>{''.join(options)}</ul>\n"
        f"<details><summary>Answer</summary><p><b>{escape(known.answer())}</b><br>\n{reasons}</p>"
        "</details></li>\n"
    )


@cache
def _quizzes() -> dict[str, list[str]]:
    return yaml.safe_load(FILE.read_text())


if __name__ == "__main__":
    print(", ".join(write_papers()) or "every lesson is up to date")
    sys.exit(0)
