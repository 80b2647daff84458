"""Server-side apply: each manager owns the fields that it applied.

Fields that a manager no longer applies go, unless another owns them; a field that another manager
applied with another value is a conflict, unless forced. Only appliers are tracked: what a plain
update changes has no owner here, so it never conflicts.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from localcloud.kubernetes import errors, schemas
from localcloud.kubernetes.resources import Resource
from localcloud.kubernetes.store import now

Object = dict[str, Any]
Path = tuple[str, ...]
# Identity, not configuration: nobody owns it.
UNOWNED = {("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace")}


def apply(
    before: Object | None, wanted: Object, resource: Resource, manager: str, force: bool
) -> Object:
    """The object after ``manager`` applied ``wanted``. Raises ApiError Conflict."""
    schema = schemas.of(resource.group, resource.version, resource.kind)
    new = _paths(wanted, schema) - UNOWNED
    live = before or {"metadata": {}}
    managers = {
        entry["manager"]: entry
        for entry in live["metadata"].get("managedFields", [])
        if entry["operation"] == "Apply"
    }
    others = {name: _read(entry["fieldsV1"]) for name, entry in managers.items() if name != manager}
    _conflicts(live, wanted, new, others, schema, resource, force)
    old = _read(managers[manager]["fieldsV1"]) if manager in managers else set()
    kept = set().union(*others.values(), new)
    after = _drop(live, sorted(old - kept, key=len, reverse=True), schema)
    after = _lay_over(after, wanted, schema)
    entries = {
        name: {**managers[name], "fieldsV1": _write(paths - new if force else paths)}
        for name, paths in others.items()
        if not force or paths - new
    }
    mine = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": resource.api_version,
        "time": now(),
        "fieldsType": "FieldsV1",
        "fieldsV1": _write(new),
    }
    if manager in managers and managers[manager]["fieldsV1"] == mine["fieldsV1"]:
        mine["time"] = managers[manager]["time"]
    after["metadata"]["managedFields"] = [*entries.values(), mine]
    return after


def _conflicts(
    live: Object,
    wanted: Object,
    new: set[Path],
    others: dict[str, set[Path]],
    schema: dict[str, Any],
    resource: Resource,
    force: bool,
) -> None:
    if force:
        return
    found = []
    for name, paths in others.items():
        found += [
            (name, path) for path in sorted(new & paths) if _at(live, path) != _at(wanted, path)
        ]
    if not found:
        return
    name = found[0][0]
    fields = "".join("." + part.removeprefix("f:") for _, path in found[:1] for part in path)
    count = "1 conflict" if len(found) == 1 else f"{len(found)} conflicts"
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{n}"', "field": _told(p)}
        for n, p in found
    ]
    raise errors.ApiError(
        409,
        "Conflict",
        f'Apply failed with {count}: conflict with "{name}": {fields}',
        {"causes": causes},
    )


def _told(path: Path) -> str:
    return "".join(
        f"[{part.removeprefix('k:')}]" if part.startswith("k:") else "." + part[2:] for part in path
    )


def _keys(schema: dict[str, Any]) -> list[str]:
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        return keys
    key = schema.get("x-kubernetes-patch-merge-key")
    return [key] if key else []


def _key_of(item: Object, keys: list[str]) -> str:
    found = {key: item[key] for key in keys if key in item}
    if "protocol" in keys:
        found.setdefault("protocol", "TCP")
    return "k:" + json.dumps(found, separators=(",", ":"), sort_keys=True)


def _inner(schema: dict[str, Any], name: str) -> dict[str, Any]:
    found = schemas.resolve(schema)
    return found.get("properties", {}).get(name) or found.get("additionalProperties") or {}


def _paths(value: Any, schema: dict[str, Any], at: Path = ()) -> set[Path]:
    """Every leaf, as FieldsV1 spells it."""
    if isinstance(value, dict) and value:
        found = [
            _paths(one, _inner(schema, name), (*at, f"f:{name}")) for name, one in value.items()
        ]
        return set().union(*found)
    keys = _keys(schema)
    if isinstance(value, list) and keys and value:
        items = schema.get("items", {})
        return set().union(*(_paths(one, items, (*at, _key_of(one, keys))) for one in value))
    return {at}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if part.startswith("k:"):
            wanted = json.loads(part[2:])
            items = value if isinstance(value, list) else []
            value = next(
                (i for i in items if all(i.get(k, "TCP") == v for k, v in wanted.items())), None
            )
        else:
            value = value.get(part[2:]) if isinstance(value, dict) else None
    return value


def _drop(live: Object, paths: list[Path], schema: dict[str, Any]) -> Object:
    after = copy.deepcopy(live)
    for path in paths:
        holder = _at(after, path[:-1])
        if isinstance(holder, dict):
            holder.pop(path[-1].removeprefix("f:"), None)
        _tidy(after, path[:-1])
    return after


def _tidy(after: Object, path: Path) -> None:
    """Take out what the removal left empty: a list's item with nothing but its key, a map."""
    while path:
        value, holder = _at(after, path), _at(after, path[:-1])
        last = path[-1]
        bare = last.startswith("k:") and value is not None
        bare = bare and set(value) <= set(json.loads(last[2:]))
        if bare:
            holder.remove(value)
        elif value == {} and isinstance(holder, dict):
            del holder[last[2:]]
        else:
            return
        path = path[:-1]


def _lay_over(live: Any, wanted: Any, schema: dict[str, Any]) -> Any:
    if isinstance(wanted, dict):
        after = live if isinstance(live, dict) else {}
        for name, value in wanted.items():
            after[name] = _lay_over(after.get(name), value, _inner(schema, name))
        return after
    keys = _keys(schema)
    if not isinstance(wanted, list) or not keys:
        return copy.deepcopy(wanted)
    after = live if isinstance(live, list) else []
    known = {_key_of(one, keys): at for at, one in enumerate(after)}
    for one in wanted:
        at = known.get(_key_of(one, keys))
        if at is None:
            after.append(_lay_over(None, one, schema.get("items", {})))
        else:
            after[at] = _lay_over(after[at], one, schema.get("items", {}))
    return after


def _write(paths: set[Path]) -> Object:
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
    return tree


def _read(tree: Object, at: Path = ()) -> set[Path]:
    if not tree:
        return {at}
    return set().union(*(_read(inner, (*at, part)) for part, inner in tree.items()))
