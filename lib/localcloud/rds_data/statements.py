"""SQL with named parameters, as PostgreSQL takes it: :name becomes $1, $2 and so on.

Every occurrence is a parameter of its own. Text that is no SQL keeps its colons: strings, quoted
names, dollar quotes and comments; so do casts (::) and := .
"""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"""
      (?P<kept>
          (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'        # E'it\'s'
        | '(?:[^']|'')*'
        | "(?:[^"]|"")*"
        | \$(?P<tag>[A-Za-z_\x80-\uffff][\w]*)?\$.*?\$(?(tag)(?P=tag))\$
        | --[^\n]*
        | ::
        | :=
      )
    | (?P<comment>/\*)
    | :(?P<name>[A-Za-z0-9_]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


def numbered(sql: str, known: set[str]) -> tuple[str, list[str]]:
    """Return the statement with $n in place of names, and the name that each $n stands for.

    A number that is no name in ``known`` is a bound of an array slice (a[1:2]).
    """
    found: list[str] = []
    made: list[str] = []
    at = 0
    while match := _PARTS.search(sql, at):
        made.append(sql[at : match.start()])
        end = match.end()
        if match["comment"]:
            end = _end_of_comment(sql, match.start())
        name = match["name"]
        if name is None or (name not in known and name.isdigit()):
            made.append(sql[match.start() : end])
        else:
            found.append(name)
            made.append(f"${len(found)}")
        at = end
    made.append(sql[at:])
    return "".join(made), found


def _end_of_comment(sql: str, start: int) -> int:
    """PostgreSQL's comments nest."""
    depth, at = 0, start
    while match := _COMMENT.search(sql, at):
        depth += 1 if match[0] == "/*" else -1
        at = match.end()
        if depth == 0:
            return at
    return len(sql)
