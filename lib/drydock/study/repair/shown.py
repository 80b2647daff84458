"""What a lab says to the learner. The same on every machine and in every run, so that a notebook's
stored output can be compared: no ids, times, addresses or paths."""

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drydock.errors import DrydockError

WIDTH = 96
LABEL_WIDTH = 12
LEVELS = ("nudge", "pointer", "near-solution")
# Paths first, of which the file's name stays; then digests before task ids, which they contain.
CHANGING = (
    (re.compile(r"(?<![\w/:])/(?:[\w.-]+/){2,}([\w.-]+)"), r"\1"),
    (re.compile(r"(?:-[0-9]+)?-[0-9a-f]{12}(\.parquet|\.jsonl)\b"), r"-…\1"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:…"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "…"),
    (re.compile(r"(arn:aws:secretsmanager:[^\s:]*:\d{12}:secret:[\w/+=.@-]+)-\w{6}\b"), r"\1-…"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b"), "…"),
    (re.compile(r"\b(localhost|[\w.-]+\.amazonaws\.com):\d{4,5}\b"), r"\1"),
    (re.compile(r"\bport \d{4,5}(?= failed)"), "port …"),
    (re.compile(r"\b(eni|subnet|sg|vpc|rtb|vpce|nat|igw)-[0-9a-f]{8,17}\b"), r"\1-…"),
    (re.compile(r"\bRequestID?:? ?[\w-]{8,}", re.IGNORECASE), "RequestId …"),
)


class CannotBeShown(DrydockError):
    """This machine cannot show the lab's trouble; the message says what it lacks."""


@dataclass(frozen=True)
class Rule:
    """One thing that must be true of the system. `broken` returns why it is not, or None."""

    name: str
    text: str
    broken: Callable[[], str | None]


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check. `failed` is the name of the first rule that does not hold, or None.

    Rules are looked at in order, and none after the one that failed.
    """

    lab: str
    held: tuple[Rule, ...]
    left: tuple[Rule, ...] = ()
    why: str | None = None

    @property
    def repaired(self) -> bool:
        return not self.left

    @property
    def failed(self) -> str | None:
        return self.left[0].name if self.left else None

    def __bool__(self) -> bool:
        return self.repaired

    def __repr__(self) -> str:
        lines = [f"{self.lab}: {'repaired' if self.repaired else 'not repaired yet'}"]
        lines += [line for rule in self.held for line in _wrapped("holds", rule.text)]
        if self.left:
            lines += _wrapped("FAILS", self.left[0].text)
            lines += _wrapped("", self.why)
        lines += [line for rule in self.left[1:] for line in _wrapped("not yet", rule.text)]
        return "\n".join(lines)


@dataclass(frozen=True)
class Hint:
    """One hint; `level` is 1, 2 or 3, and 0 when there are no more."""

    level: int
    text: str

    def __repr__(self) -> str:
        if not self.level:
            return self.text
        label = f"Hint {self.level} of {len(LEVELS)} ({LEVELS[self.level - 1]}): "
        return "\n".join(textwrap.wrap(label + self.text, WIDTH))


@dataclass(frozen=True)
class Solution:
    """The stored solution as text: plain boto3."""

    text: str = field(repr=False)

    def __repr__(self) -> str:
        return self.text


def tidy(text: str) -> str:
    """Take out of a message what differs from run to run."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return " ".join(text.split())


def page(title: str, parts: Sequence[tuple[str, str | Sequence[str]]]) -> str:
    """A title over labelled paragraphs; a part with several lines keeps them apart."""
    lines = [title, ""]
    for label, content in parts:
        for number, line in enumerate([content] if isinstance(content, str) else content):
            lines += _wrapped("" if number else label, line)
    return "\n".join(lines)


def _wrapped(label: str, text: str) -> list[str]:
    first = f"{label:<{LABEL_WIDTH}}"
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * LABEL_WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
    )
