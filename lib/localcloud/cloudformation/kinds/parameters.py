"""From a template's properties to the parameters of an API call, by the service's own model."""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.cloudformation.errors import ResourceFailed

NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def parameters(
    operation: Any,
    properties: dict[str, Any],
    rename: dict[str, str],
    tags: dict[str, str],
    tag_specification: str | None,
) -> dict[str, Any]:
    """The call's parameters, with the stack's tags where the call takes tags.

    ``rename`` has the parameter's name for a property, where it differs in more than case.
    Raises ResourceFailed for a property that the call does not take, or of the wrong type.
    """
    shape = operation.input_shape
    properties = {rename.get(name, name): value for name, value in properties.items()}
    own = as_tags(properties.pop("Tags", {}))
    found = structure(shape, properties, "")
    tags = {**tags, **own}
    if tags and tag_specification:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        one = {"ResourceType": tag_specification, "Tags": pairs}
        found.setdefault("TagSpecifications", []).append(one)
    elif tags:
        name = _members(shape).get("tags")
        if name:
            found[name] = typed(shape.members[name], tags, "/Tags")
        elif own:
            raise ResourceFailed("Encountered unsupported property Tags")
    return found


def as_tags(tags: Any) -> dict[str, str]:
    """Tags as a mapping, whether a template has them as one or as a list of pairs."""
    return {one["Key"]: one["Value"] for one in tags} if isinstance(tags, list) else dict(tags)


def structure(shape: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResourceFailed(f"Value of property {where or '/'} must be an object")
    members = _members(shape)
    found = {}
    for name, one in value.items():
        member = members.get(_plain(name))
        if member is None:
            raise ResourceFailed(f"Encountered unsupported property {f'{where}/{name}'[1:]}")
        found[member] = typed(shape.members[member], one, f"{where}/{name}")
    return found


def typed(shape: Any, value: Any, where: str) -> Any:
    """``value`` as the API wants it: templates may write numbers and booleans as text."""
    kind = shape.type_name
    if kind == "structure":
        return (
            value if getattr(shape, "is_document_type", False) else structure(shape, value, where)
        )
    if kind == "list":
        if isinstance(value, dict) and _is_pairs(shape.member):
            pairs = [{"Key": key, "Value": one} for key, one in value.items()]
            return [typed(shape.member, one, where) for one in pairs]
        if not isinstance(value, list):
            raise ResourceFailed(f"Value of property {where[1:]} must be of type List")
        return [typed(shape.member, one, f"{where}/{n}") for n, one in enumerate(value)]
    if kind == "map":
        given = as_tags(value) if isinstance(value, list | dict) else None
        if given is None:
            raise ResourceFailed(f"Value of property {where[1:]} must be an object")
        return {key: typed(shape.value, one, f"{where}/{key}") for key, one in given.items()}
    return _scalar(kind, value, where)


def _scalar(kind: str, value: Any, where: str) -> Any:
    if kind == "string":
        if isinstance(value, dict):  # a policy document
            return json.dumps(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            raise ResourceFailed(f"Value of property {where[1:]} must be of type String")
        return str(value)
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind in NUMBERS:
        try:
            return NUMBERS[kind](str(value))
        except ValueError:
            pass
    if kind in ("boolean", *NUMBERS):
        raise ResourceFailed(f"Value of property {where[1:]} must be of type {kind.title()}")
    return value.encode() if kind == "blob" and isinstance(value, str) else value


def _members(shape: Any) -> dict[str, str]:
    return {_plain(name): name for name in shape.members}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_pairs(shape: Any) -> bool:
    return shape.type_name == "structure" and {_plain(n) for n in shape.members} == {"key", "value"}
