"""The four ways to patch an object, by content type.

JSON patch (RFC 6902), merge patch (RFC 7396), strategic merge patch (lists merge by the key that
the schema names), and server-side apply (see ``apply``).
"""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import yaml

from localcloud.kubernetes import errors, schemas
from localcloud.kubernetes.resources import Resource

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
DIRECTIVES = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")
Object = dict[str, Any]


def read(kind: str, body: bytes) -> Any:
    """Raises ApiError."""
    if kind not in (JSON, MERGE, STRATEGIC, APPLY):
        raise errors.ApiError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON}, {MERGE}, {STRATEGIC}, {APPLY}",
        )
    try:
        return yaml.safe_load(body) if kind == APPLY else json.loads(body)
    except (ValueError, yaml.YAMLError) as error:
        raise errors.bad_request(f"error decoding patch: {error}") from None


def apply_patch(kind: str, before: Object, patch: Any, resource: Resource) -> Object:
    """The object after the patch; ``before`` stays as it is. Raises ApiError."""
    if kind == JSON:
        return _json(before, patch)
    if not isinstance(patch, dict):
        raise errors.bad_request("error decoding patch: a patch must be an object")
    if kind == MERGE:
        return merge(before, patch)
    schema = schemas.of(resource.group, resource.version, resource.kind)
    return strategic(before, patch, schema)


def _json(before: Object, patch: Any) -> Object:
    try:
        return jsonpatch.apply_patch(before, patch)
    except jsonpatch.JsonPatchConflict as error:
        raise errors.ApiError(
            422,
            "Invalid",
            f"the server rejected our request due to an error in our request: {error}",
        ) from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError) as error:
        raise errors.ApiError(422, "Invalid", f"error in JSON patch: {error}") from None


def merge(before: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    after = copy.deepcopy(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = merge(after.get(name), value)
    return after


def strategic(before: Any, patch: Object, schema: dict[str, Any]) -> Object:
    """``schema`` is that of the object; what it does not know merges as in a merge patch."""
    fields = schemas.resolve(schema).get("properties", {})
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    after = copy.deepcopy(before) if isinstance(before, dict) else {}
    if "$retainKeys" in patch:
        after = {name: after[name] for name in patch["$retainKeys"] if name in after}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            after[field] = [one for one in after.get(field, []) if one not in value]
        elif name.startswith(DIRECTIVES):
            continue
        elif value is None:
            after.pop(name, None)
        else:
            inner = _field(schema, fields, name)
            after[name] = _strategic_value(after.get(name), value, inner)
    for name, order in patch.items():
        if name.startswith("$setElementOrder/"):
            _order(after, name.partition("/")[2], order, fields)
    return after


def _field(schema: dict[str, Any], fields: dict[str, Any], name: str) -> dict[str, Any]:
    return fields.get(name) or schemas.resolve(schema).get("additionalProperties") or {}


def _strategic_value(before: Any, value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if value.get("$patch") == "delete":
            return {}
        return strategic(before, value, schema)
    key, merges = merge_key(schema)
    if not isinstance(value, list) or not merges:
        return copy.deepcopy(value)
    found = list(before or [])
    if key is None:
        return found + [one for one in value if one not in found]
    if any(one.get("$patch") == "replace" for one in value):
        return [one for one in value if "$patch" not in one]
    for one in value:
        at = next((i for i, old in enumerate(found) if old.get(key) == one.get(key)), None)
        if one.get("$patch") == "delete":
            found = [old for old in found if old.get(key) != one.get(key)]
        elif at is None:
            found.append(strategic({}, one, schema.get("items", {})))
        else:
            found[at] = strategic(found[at], one, schema.get("items", {}))
    return found


def merge_key(schema: dict[str, Any]) -> tuple[str | None, bool]:
    """The key by which a list merges, and whether it merges at all."""
    merges = "merge" in schema.get("x-kubernetes-patch-strategy", "")
    return schema.get("x-kubernetes-patch-merge-key"), merges


def _order(after: Object, name: str, order: list[Any], fields: dict[str, Any]) -> None:
    key, _ = merge_key(fields.get(name, {}))
    wanted = [one.get(key) if isinstance(one, dict) else one for one in order]

    def place(one: Any) -> int:
        value = one.get(key) if isinstance(one, dict) else one
        return wanted.index(value) if value in wanted else len(wanted)

    if name in after:
        after[name] = sorted(after[name], key=place)
