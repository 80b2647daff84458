"""The patterns of COPY and of a .dockerignore file.

They are Go's filepath.Match with ``**`` added: ``*`` and ``?`` stop at a slash, ``**`` does not
(https://docs.docker.com/build/concepts/context "Syntax" of .dockerignore).
"""

import posixpath
import re
from collections.abc import Callable

from drydock.errors import WrongInput

TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\\.|\[\^?(?:\\.|[^\]\\])+\]|.", re.DOTALL)
SPECIAL = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether a path, as a whole, matches. Raises WrongInput."""
    try:
        expression = re.compile("".join(_translated(t) for t in TOKEN.findall(pattern)))
    except re.error as error:
        raise WrongInput(f"{pattern!r} is not a pattern: {error}") from None
    return lambda path: expression.fullmatch(path) is not None


def _translated(token: str) -> str:
    if token in SPECIAL:
        return SPECIAL[token]
    if token == "[":
        raise WrongInput("a pattern has a [ without its ]")
    if token.startswith("["):
        return token
    return re.escape(token[-1])


def excluded_by(text: str) -> Callable[[list[str]], bool]:
    """What a .dockerignore file leaves out, asked with a path and its folders, outermost first.

    A line that matches a folder matches all that is in it. The last line that matches decides, and
    one that begins with ``!`` takes a path in again.
    """
    rules = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            line = line.strip()
            keeps = line.startswith("!")
            cleaned = posixpath.normpath(line.removeprefix("!").strip().lstrip("/") or ".")
            rules.append((keeps, matcher(cleaned)))

    def excluded(paths: list[str]) -> bool:
        out = False
        for keeps, matches in rules:
            if any(matches(path) for path in paths):
                out = not keeps
        return out

    return excluded
