"""Which route of an HTTP API a request takes. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

DEFAULT = "$default"


def find(routes: Iterable[Any], method: str, path: str) -> tuple[Any | None, dict[str, str]]:
    """The most specific route and the path's variables: a full match comes before a greedy one,
    that before $default, and a method before ANY."""
    best, variables, rank = None, {}, None
    for route in routes:
        found = _match(route.route_key, method, path)
        if found is not None and (rank is None or found[0] < rank):
            rank, variables, best = found[0], found[1], route
    return best, variables


def split_stage(stages: dict[str, Any], path: str) -> tuple[Any | None, str]:
    """The stage that a path names first, and the rest; else the stage $default and all of it."""
    first, slash, rest = path.removeprefix("/").partition("/")
    if first in stages and first != DEFAULT:
        return stages[first], slash + rest if slash else "/"
    return stages.get(DEFAULT), path


def _match(key: str, method: str, path: str) -> tuple[tuple, dict[str, str]] | None:
    if key == DEFAULT:
        return (3, 0, 0), {}
    wanted, _, template = key.partition(" ")
    if wanted not in (method, "ANY"):
        return None
    pattern = re.sub(r"\\{([\w.-]+)(\\\+)?\\}", _variable, re.escape(template))
    found = re.fullmatch(pattern, path)
    if found is None:
        return None
    greedy = template.endswith("+}")
    fixed = sum(1 for part in template.split("/") if part and not part.startswith("{"))
    names = re.findall(r"\{([\w.-]+)\+?\}", template)
    values = dict(zip(names, map(unquote, found.groups()), strict=True))
    return (2 if greedy else 1, -fixed, wanted == "ANY"), values


def _variable(found: re.Match) -> str:
    return "(.+)" if found[2] else "([^/]+)"
