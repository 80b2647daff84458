"""Questions in a terminal: shown as text, answered by letters."""

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

import click

from drydock.errors import WrongInput
from drydock.study import desk
from drydock.study.exam import Exam
from drydock.study.practice import Practice
from drydock.study.questions import Question, Response

WIDTH = 88
STOP = ("q", "quit")


def shown(question: Question) -> str:
    """Return a question as lines, with how it is answered."""
    lines = [*textwrap.wrap(question.prompt, WIDTH), ""]
    for one in question.shown():
        lines += _item(f"{one.key}.", one.text)
    if question.type == "matching":
        lines.append("")
        for number, one in enumerate(question.shown_matches(), start=1):
            lines += _item(f"{number}.", one.match)
    return "\n".join([*lines, "", how(question)])


def how(question: Question) -> str:
    """Return how this question is answered, for instance "one letter"."""
    return {
        "multiple_choice": "Type one letter.",
        "multiple_response": f"Type {len(question.answer)} letters.",
        "ordering": "Type all letters in their order.",
        "matching": "Type each letter with its number, such as a2 b1.",
    }[question.type]


def response(question: Question, typed: str) -> Response:
    """Return what was typed as an answer; WrongInput says what is wrong with it."""
    text, keys = typed.lower(), [one.key for one in question.options]
    wrong = WrongInput(f"{typed.strip()!r} is no answer here. {how(question)}")
    if question.type == "matching":
        halves = question.shown_matches()
        found = dict(re.findall(r"([a-z])\W*(\d)", text))
        numbers = sorted(found.values())
        if sorted(found) != keys or numbers != [str(n + 1) for n in range(len(keys))]:
            raise wrong
        return {key: halves[int(number) - 1].key for key, number in found.items()}
    letters = [one for one in re.sub(r"\b(and|then)\b", " ", text) if one not in " ,;.-"]
    many = {"multiple_choice": 1, "ordering": len(keys)}.get(question.type, len(question.answer))
    if not set(letters) <= set(keys) or len(set(letters)) != len(letters) or len(letters) != many:
        raise wrong
    return letters


def ask(question: Question) -> Response | None:
    """Ask until there is an answer; None when the person stops (q, or the end of the input)."""
    click.echo(f"\n{shown(question)}")
    while True:
        typed = line("> ")
        if typed in STOP:
            return None
        try:
            return response(question, typed)
        except WrongInput as error:
            click.echo(str(error))


def line(prompt: str) -> str:
    """Return a typed line; the end of the input is as if q was typed."""
    try:
        return input(prompt).strip()
    except EOFError:
        return STOP[0]


def practise(some: Iterable[Question], seed: int) -> None:
    """Ask one question after another. Each answer is kept at once: Ctrl-C loses nothing."""
    session = Practice(some, seed=seed)
    while question := session.next():
        answer = ask(question)
        if answer is None:
            break
        found = session.answer(answer)
        desk.keep_answer(question, found.right)
        click.echo(f"\n{found.text()}")
    total = session.right + session.wrong
    click.echo(f"\n{session.right} of {total} right at first. Type: drydock progress")


def sit(exam: Exam, path: Path) -> None:
    """Take a mock exam; it is saved with every step, and its clock stands when this ends."""
    exam.start()
    at = next(iter(exam.unanswered()), 0)
    try:
        while True:
            at = _step(exam, at)
            exam.save(path)
            if at is None:
                break
    finally:
        if not exam.finished:
            exam.pause()
        exam.save(path)
    if not exam.finished:
        click.echo("The clock stands, and your answers are kept. Type: drydock exam")
        return
    result = exam.finish()
    desk.keep_exam(exam, result)
    click.echo(f"\n{result.text()}\n\nWhat was wrong, and why: drydock exam --wrong")


def _step(exam: Exam, at: int) -> int | None:
    """Show a question and do what is typed; return the next one, None to stop."""
    question, last = exam.questions[at], len(exam.questions) - 1
    given = exam.answers.get(question.id)
    flag = ", flagged" if question.id in exam.flags else ""
    head = f"Question {at + 1} of {last + 1}{flag}, {exam.remaining() / 60:.0f} minutes left"
    click.echo(f"\n{head}\n\n{shown(question)}")
    if given:
        click.echo(f"Your answer: {given}")
    click.echo("Or: next, back, go 12, flag, left, finish, quit (stops the clock)")
    while True:
        typed = line("> ").lower()
        try:
            if typed in STOP:
                return None
            if typed in ("next", ""):
                return min(at + 1, last)
            if typed == "back":
                return max(at - 1, 0)
            if typed == "flag":
                exam.flag(at, question.id not in exam.flags)
                return at
            if go := re.fullmatch(r"go\s*(\d+)", typed):
                if not 1 <= int(go[1]) <= last + 1:
                    raise WrongInput(f"there is no question {go[1]}: type 1 to {last + 1}")
                return int(go[1]) - 1
            if typed == "left":
                click.echo(f"not answered: {_numbers(exam.unanswered())}")
                click.echo(f"flagged: {_numbers(exam.flagged())}")
                continue
            if typed == "finish" or exam.remaining() <= 0:
                exam.finish()
                return None
            exam.answer(at, response(question, typed))
            return min(at + 1, last)
        except WrongInput as error:
            click.echo(str(error))


def _numbers(indexes: list[int]) -> str:
    return ", ".join(str(one + 1) for one in indexes) or "none"


def _item(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {label} ", subsequent_indent="     ")
