"""Label selectors and field selectors, as text and as objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localcloud.kubernetes import errors

Match = Callable[[dict[str, Any]], bool]
SET_BASED = re.compile(r"^(\S+)\s+(in|notin)\s*\(([^)]*)\)$")
# Fields that a selector may name besides metadata.name and metadata.namespace.
FIELDS = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "nodes": ("spec.unschedulable",),
    "jobs": ("status.successful",),
    "replicasets": ("status.replicas",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
}


def labels(text: str) -> Match:
    """``app=web,tier!=db,env in (a,b),!old``. Raises ApiError."""
    tests = [_requirement(part.strip()) for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    return lambda found: all(test(found) for test in tests)


def _requirement(part: str) -> Match:
    found = SET_BASED.match(part)
    if found:
        values = {value.strip() for value in found[3].split(",")}
        return _expression({"key": found[1], "operator": found[2], "values": values})
    for sign, operator in (("!=", "notin"), ("==", "in"), ("=", "in")):
        key, split, value = part.partition(sign)
        if split:
            return _expression(
                {"key": key.strip(), "operator": operator, "values": {value.strip()}}
            )
    if re.fullmatch(r"!?[\w./-]+", part):
        operator = "doesnotexist" if part[0] == "!" else "exists"
        return _expression({"key": part.lstrip("!"), "operator": operator})
    raise errors.bad_request(
        f"unable to parse requirement: found '{part}', expected: !, identifier, or 'end of string'"
    )


def of_object(selector: dict[str, Any] | None) -> Match:
    """A LabelSelector: an empty one matches everything, None nothing."""
    if selector is None:
        return lambda _: False
    pairs = (selector.get("matchLabels") or {}).items()
    tests = [_expression({"key": k, "operator": "in", "values": [v]}) for k, v in pairs]
    tests += [_expression(one) for one in selector.get("matchExpressions") or []]
    return lambda found: all(test(found) for test in tests)


def _expression(one: dict[str, Any]) -> Match:
    key, operator, values = one["key"], one["operator"].lower(), one.get("values") or ()
    values = set(values)
    if operator == "in":
        return lambda found: found.get(key) in values
    if operator == "notin":
        return lambda found: found.get(key) not in values
    if operator in ("gt", "lt"):
        limit = int(next(iter(values)))
        return lambda found: _compares(found.get(key), operator, limit)
    wanted = operator == "exists"
    return lambda found: (key in found) is wanted


def _compares(value: str | None, operator: str, limit: int) -> bool:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return False
    return number > limit if operator == "gt" else number < limit


def as_text(selector: dict[str, Any] | None) -> str:
    parts = [f"{k}={v}" for k, v in sorted(((selector or {}).get("matchLabels") or {}).items())]
    for one in (selector or {}).get("matchExpressions") or []:
        values = ",".join(sorted(one.get("values") or []))
        words = {"In": f"{one['key']} in ({values})", "NotIn": f"{one['key']} notin ({values})"}
        words |= {"Exists": one["key"], "DoesNotExist": f"!{one['key']}"}
        parts.append(words[one["operator"]])
    return ",".join(parts)


def fields(text: str, plural: str) -> Match:
    """``status.phase=Running,metadata.name!=x``. Raises ApiError for a field without an index."""
    tests = []
    for part in filter(None, text.split(",")):
        sign = next((s for s in ("!=", "==", "=") if s in part), None)
        if sign is None:
            raise errors.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path, _, value = part.partition(sign)
        if path not in ("metadata.name", "metadata.namespace", *FIELDS.get(plural, ())):
            raise errors.bad_request(f"field label not supported: {path}")
        tests.append((path, value, sign != "!="))
    return lambda found: all((at(found, p) == value) is same for p, value, same in tests)


def at(found: dict[str, Any], path: str) -> str:
    value: Any = found
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
