"""The cluster query language, of memberOf constraints and of ListContainerInstances' filter.

attribute:ecs.instance-type =~ g5.* and not attribute:stack exists
runningTasksCount == 0 or task:group != service:web
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localcloud.ecs import errors

WORD = re.compile(
    r"\s*(\(|\)|\[|\]|,|==|!=|>=|<=|=~|!~|>|<|&&|\|\||!(?=[a-z(])|[^\s()\[\],=!<>&|]+)"
)
ALIASES = {"equals": "==", "not_equals": "!=", "matches": "=~", "not_in": "!in", "&&": "and"}
ALIASES |= {"||": "or", "not_exists": "!exists", "greater_than": ">", "less_than": "<"}
Facts = Callable[[str], list[str]]
"""From a subject, such as ``attribute:stack``, to all values that it has."""
Test = Callable[[Facts], bool]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def parse(expression: str) -> Test:
    """A test of an instance's facts. Raises InvalidParameterException."""
    parser = _Parser(_words(expression), expression)
    test = parser.either()
    if parser.words:
        raise parser.wrong()
    return test


def _words(expression: str) -> list[str]:
    words, position = [], 0
    text = expression.strip()
    while position < len(text):
        match = WORD.match(text, position)
        if not match:
            raise _invalid(expression)
        words.append(ALIASES.get(match[1], match[1]))
        position = match.end()
    return words


class _Parser:
    """Recursive descent: either > both > negated > one comparison or parentheses."""

    def __init__(self, words: list[str], expression: str):
        self.words, self._expression = words, expression

    def wrong(self) -> errors.EcsError:
        return _invalid(self._expression)

    def either(self) -> Test:
        test = self._both()
        while self._accept("or"):
            test = _or(test, self._both())
        return test

    def _both(self) -> Test:
        test = self._negated()
        while self._accept("and"):
            test = _and(test, self._negated())
        return test

    def _negated(self) -> Test:
        if self._accept("not") or self._accept("!"):
            test = self._negated()
            return lambda facts: not test(facts)
        if self._accept("("):
            test = self.either()
            self._expect(")")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        subject, operator = self._next(), self._next()
        if operator == "!" and self.words[:1] in (["in"], ["exists"]):
            operator += self._next()
        if operator in ("exists", "!exists"):
            return lambda facts: bool(facts(subject)) == (operator == "exists")
        if operator in ("in", "!in"):
            wanted = self._list()
            return lambda facts: any(v in wanted for v in facts(subject)) == (operator == "in")
        value = self._next()
        if operator in ("=~", "!~"):
            try:
                pattern = re.compile(value)
            except re.error:
                raise self.wrong() from None
            return lambda facts: (
                any(pattern.fullmatch(v) for v in facts(subject)) == (operator == "=~")
            )
        if operator == "!=":
            return lambda facts: value not in facts(subject)
        if operator not in COMPARISONS:
            raise self.wrong()
        compare = COMPARISONS[operator]
        return lambda facts: any(compare(*_alike(v, value)) for v in facts(subject))

    def _list(self) -> list[str]:
        self._expect("[")
        found = [self._next()]
        while self._accept(","):
            found.append(self._next())
        self._expect("]")
        return found

    def _accept(self, word: str) -> bool:
        if self.words[:1] == [word]:
            self.words.pop(0)
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self.wrong()

    def _next(self) -> str:
        if not self.words:
            raise self.wrong()
        return self.words.pop(0)


def _alike(one: str, other: str) -> tuple[Any, Any]:
    """Both as numbers if they are, else as text."""
    try:
        return float(one), float(other)
    except ValueError:
        return one, other


def _or(one: Test, other: Test) -> Test:
    return lambda facts: one(facts) or other(facts)


def _and(one: Test, other: Test) -> Test:
    return lambda facts: one(facts) and other(facts)


def _invalid(expression: str) -> errors.EcsError:
    return errors.invalid_parameter(f"Invalid expression: {expression}")
