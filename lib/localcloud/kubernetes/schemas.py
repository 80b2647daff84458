"""The official schemas of one Kubernetes version: what a kind's fields are, and their checks.

A wrong type is an error of decoding, as in Kubernetes; what is missing or out of range is told by
``rules``. The schemas are Kubernetes' own OpenAPI document, see data/kubernetes_schemas.json, and
those of custom resources.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from localcloud.kubernetes import custom, errors

DATA = Path(__file__).parents[3] / "data" / "kubernetes_schemas.json"
KUBERNETES = "v1.36.3"
INT32 = (-(2**31), 2**31 - 1)
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
FREE = ("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",)
GO_NAMES = {"integer": "int32", "boolean": "bool", "number": "float64", "string": "string"}


@cache
def definitions() -> dict[str, dict[str, Any]]:
    return {**json.loads(DATA.read_text())["definitions"], **custom.definitions()}


@cache
def by_kind() -> dict[tuple[str, str, str], str]:
    """The name of each kind's definition by group, version and kind."""
    found = {}
    for name, definition in definitions().items():
        for one in definition.get("x-kubernetes-group-version-kind", []):
            found[one["group"], one["version"], one["kind"]] = name
    return found


def of(group: str, version: str, kind: str) -> dict[str, Any]:
    return definitions()[by_kind()[group, version, kind]]


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """The definition behind a reference, or the schema itself."""
    reference = schema.get("$ref")
    return definitions()[reference.removeprefix("#/definitions/")] if reference else schema


def decode(document: Any, group: str, version: str, kind: str) -> tuple[dict[str, Any], list[str]]:
    """The document with only the fields that the kind has, nulls left out, and the paths of those
    that it does not have. Raises ApiError for a value of the wrong type."""
    unknown: list[str] = []
    schema = of(group, version, kind)
    try:
        found = _read(document, schema, "", kind, unknown)
    except TypeError as error:
        raise errors.bad_request(
            f'{kind} in version "{version}" cannot be handled as a {kind}: {error}'
        ) from None
    return found, unknown


def _read(value: Any, schema: dict[str, Any], path: str, owner: str, unknown: list[str]) -> Any:
    reference = schema.get("$ref", "").removeprefix("#/definitions/")
    if reference:
        owner, schema = reference.rpartition(".")[2], definitions()[reference]
        if reference in FREE:
            return value
        if reference in (QUANTITY, INT_OR_STRING):
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return str(value) if reference == QUANTITY else value
            raise _wrong(value, owner, path, owner)
    if "properties" in schema:
        return _read_object(value, schema["properties"], path, owner, unknown)
    kind = schema.get("type")
    if kind == "object":
        return _read_map(value, schema.get("additionalProperties", {}), path, owner, unknown)
    if kind == "array":
        if not isinstance(value, list):
            raise _wrong(value, owner, path, "[]" + _go_type(schema["items"]))
        items = schema["items"]
        return [_read(one, items, f"{path}[{at}]", owner, unknown) for at, one in enumerate(value)]
    return _read_plain(value, schema, path, owner)


def _read_object(
    value: Any, fields: dict[str, Any], path: str, owner: str, unknown: list[str]
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, owner, path, owner)
    found = {}
    for name, one in value.items():
        inner = f"{path}.{name}" if path else name
        if name not in fields:
            unknown.append(inner)
        elif one is not None:
            found[name] = _read(one, fields[name], inner, owner, unknown)
    return found


def _read_map(
    value: Any, items: dict[str, Any], path: str, owner: str, unknown: list[str]
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, owner, path, f"map[string]{_go_type(items)}")
    if not items:
        return value
    return {
        name: "" if one is None else _read(one, items, f"{path}.{name}", owner, unknown)
        for name, one in value.items()
    }


def _read_plain(value: Any, schema: dict[str, Any], path: str, owner: str) -> Any:
    kind = schema.get("type")
    if kind == "boolean":
        good = isinstance(value, bool)
    elif kind == "integer":
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        good = isinstance(value, int) and not isinstance(value, bool)
        if good and schema.get("format") == "int32" and not INT32[0] <= value <= INT32[1]:
            good = False
    elif kind == "number":
        good = isinstance(value, int | float) and not isinstance(value, bool)
    elif kind == "string":
        good = isinstance(value, str)
    else:
        good = True
    if not good:
        raise _wrong(value, owner, path, schema.get("format") or GO_NAMES[kind])
    return value


def _wrong(value: Any, owner: str, path: str, wanted: str) -> TypeError:
    kinds = {str: "string", bool: "bool", dict: "object", list: "array"}
    got = kinds.get(type(value), "number")
    if got == "number" and wanted == "int32":
        got = f"number {value}"
    plain = "".join(part.partition("[")[0] + "." for part in path.split(".")).rstrip(".")
    return TypeError(
        f"json: cannot unmarshal {got} into Go struct field {owner}.{plain} of type {wanted}"
    )


def _go_type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return "v1." + schema["$ref"].rpartition(".")[2]
    return GO_NAMES.get(schema.get("type"), schema.get("type", "interface {}"))


def missing(document: dict[str, Any], group: str, version: str, kind: str) -> list[str]:
    """The paths of required fields that the document lacks."""
    found: list[str] = []
    _look_for_missing(document, of(group, version, kind), "", found)
    return found


def _look_for_missing(value: Any, schema: dict[str, Any], path: str, found: list[str]) -> None:
    schema = resolve(schema)
    if isinstance(value, list):
        for at, one in enumerate(value):
            _look_for_missing(one, schema.get("items", {}), f"{path}[{at}]", found)
        return
    if not isinstance(value, dict):
        return
    fields = schema.get("properties", {})
    for name in schema.get("required", []):
        if value.get(name) in (None, "", []):
            found.append(f"{path}.{name}" if path else name)
    for name, one in value.items():
        inner = fields.get(name) or schema.get("additionalProperties")
        if inner:
            _look_for_missing(one, inner, f"{path}.{name}" if path else name, found)
