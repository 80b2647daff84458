"""What a deployment serves: its resources' paths, and which of them a request takes."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Route:
    """A method of a resource. ``route_key`` is as an HTTP API writes it."""

    resource_id: str
    path: str
    method: Any

    @property
    def route_key(self) -> str:
        return f"{self.method.http_method} {self.path}"


def snapshot(api: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """The resources as they are now: by path, the id and the methods."""
    return {
        resource.get_path(): (resource.id, copy.deepcopy(resource.resource_methods))
        for resource in list(api.resources.values())
    }


def find(served: dict, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    """The most specific resource, then its method, else ANY; and the path's variables."""
    best, variables, rank = "", {}, None
    for template in served:
        found = _match(template, path)
        if found is not None and (rank is None or found[0] < rank):
            best, (rank, variables) = template, found
    resource_id, methods = served.get(best, ("", {}))
    chosen = methods.get(method) or methods.get("ANY")
    return (Route(resource_id, best, chosen), variables) if chosen else (None, {})


def _match(template: str, path: str) -> tuple[tuple, dict[str, str]] | None:
    """How specific each segment is (a name 0, a variable 1, all the rest 2), and the variables."""
    pattern, rank = "", []
    for part in template.strip("/").split("/"):
        if part.endswith("+}"):
            pattern, rank = pattern + "/(.+)", [*rank, 2]
        elif part.startswith("{"):
            pattern, rank = pattern + "/([^/]+)", [*rank, 1]
        else:
            pattern, rank = pattern + "/" + re.escape(part), [*rank, 0]
    found = re.fullmatch(pattern, path)
    if found is None:
        return None
    names = re.findall(r"\{([^}+]+)\+?\}", template)
    return tuple(rank), dict(zip(names, map(unquote, found.groups()), strict=True))
