"""Lists in pages: maxResults and nextToken."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.ecs import errors
from localcloud.ecs.models import Item

Rank = Callable[[Item], list]


def by_creation(item: Item) -> list:
    return [item.sequence]


def page(
    request: dict[str, Any],
    items: Iterable[Item],
    name: str,
    value: Callable[[Item], str],
    rank: Rank = by_creation,
    descending: bool = False,
) -> dict[str, Any]:
    """One page of ``items``, ordered by ``rank``, under ``name``, with the next page's token.

    The token is the last item's rank, so items that come or go between two calls neither repeat
    nor hide others.
    """
    size = request.get("maxResults", 100)
    if not 1 <= size <= 100:
        raise errors.invalid_parameter("maxResults must be between 1 and 100.")
    rest = sorted(items, key=rank, reverse=descending)
    if request.get("nextToken"):
        last = _decode(request["nextToken"])
        try:
            rest = [i for i in rest if (rank(i) < last if descending else rank(i) > last)]
        except TypeError:
            raise errors.invalid_parameter("Invalid token.") from None
    answer: dict[str, Any] = {name: [value(item) for item in rest[:size]]}
    if len(rest) > size:
        answer["nextToken"] = _encode(rank(rest[size - 1]))
    return answer


def _encode(rank: list) -> str:
    return base64.urlsafe_b64encode(json.dumps(rank).encode()).decode()


def _decode(token: str) -> list:
    try:
        return json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise errors.invalid_parameter("Invalid token.") from None


def page_of(request: dict[str, Any], found: list[Any], name: str, size: int = 100) -> dict:
    """One page of things that are no items, by their position."""
    size = request.get("maxResults") or size
    if not 1 <= size <= 100:
        raise errors.invalid_parameter("maxResults must be between 1 and 100.")
    start = _decode(request["nextToken"])[0] if request.get("nextToken") else 0
    answer: dict[str, Any] = {name: found[start : start + size]}
    if start + size < len(found):
        answer["nextToken"] = _encode([start + size])
    return answer
