"""Tags: their rules, and the three operations on them."""

from __future__ import annotations

import re
from typing import Any

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.models import Item, State

ALLOWED = re.compile(r"[\w\s.:/=+\-@]*", re.UNICODE)
KINDS = {
    "cluster": "cluster",
    "task-definition": "definition",
    "task": "task",
    "service": "service",
    "container-instance": "instance",
    "capacity-provider": "provider",
}


def checked(tags: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """The tags of a request, if they obey the rules."""
    tags = tags or []
    if len(tags) > 50:
        raise errors.invalid_parameter("Tags can not have more than 50 elements.")
    keys = [tag.get("key", "") for tag in tags]
    if len(set(keys)) < len(keys):
        raise errors.invalid_parameter(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    for tag in tags:
        key, value = tag.get("key", ""), tag.get("value", "")
        if not 1 <= len(key) <= 128 or not ALLOWED.fullmatch(key) or key.startswith("aws:"):
            raise errors.invalid_parameter(f"Invalid tag key: '{key}'.")
        if len(value) > 256 or not ALLOWED.fullmatch(value):
            raise errors.invalid_parameter(f"Invalid tag value for key '{key}'.")
    return [{"key": tag["key"], "value": tag.get("value", "")} for tag in tags]


def merged(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[dict[str, str]]:
    pairs = {tag["key"]: tag["value"] for tag in [*old, *new]}
    return [{"key": key, "value": value} for key, value in pairs.items()]


def tag_resource(state: State, request: dict[str, Any]) -> dict[str, Any]:
    item = _find(state, request["resourceArn"])
    item.tags = checked(merged(item.tags, checked(request["tags"])))
    state.save(item)
    return {}


def untag_resource(state: State, request: dict[str, Any]) -> dict[str, Any]:
    item = _find(state, request["resourceArn"])
    item.tags = [tag for tag in item.tags if tag["key"] not in request["tagKeys"]]
    state.save(item)
    return {}


def list_tags_for_resource(state: State, request: dict[str, Any]) -> dict[str, Any]:
    return {"tags": _find(state, request["resourceArn"]).tags}


def _find(state: State, arn: str) -> Item:
    if not arn.startswith(arns.PREFIX + ":"):
        raise errors.invalid_parameter("Invalid identifier: Identifier is for an unknown resource.")
    resource, _, path = arn.removeprefix(arns.PREFIX + ":").partition("/")
    kind = KINDS.get(resource)
    key = path if kind == "service" else arns.last_part(path)
    item = state.get(kind, key) if kind else None
    if item is None:
        raise errors.invalid_parameter(f"The specified {resource} is missing.")
    return item
