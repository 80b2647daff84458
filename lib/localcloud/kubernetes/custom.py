"""Custom resources: kinds that data/custom_resources.yaml defines, as CustomResourceDefinitions.

From there come their names, columns, schemas, defaults and checks. The schemas are structural ones;
a ``$ref`` names a definition of Kubernetes' own OpenAPI document, and stands for it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from localcloud.kubernetes.ages import age
from localcloud.kubernetes.errors import Problem, bad_value, unsupported

Object = dict[str, Any]
DATA = Path(__file__).parents[3] / "data" / "custom_resources.yaml"
SHORT = {"Quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity"}
META = {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
PLAIN = {"type": "string"}
SELECTED = re.compile(r'(\w+)\[\?\(@\.(\w+)=="([^"]*)"\)\]')


@cache
def _documents() -> list[Object]:
    return list(yaml.safe_load_all(DATA.read_text()))


def names() -> list[Object]:
    """The fields of each kind's ``Resource``."""
    found = []
    for spec, version in _versions():
        named = spec["names"]
        found.append(
            {
                "group": spec["group"],
                "version": version["name"],
                "kind": named["kind"],
                "plural": named["plural"],
                "short": tuple(named.get("shortNames", ())),
                "namespaced": spec["scope"] == "Namespaced",
                "subresources": tuple(version.get("subresources", ())),
                "categories": tuple(named.get("categories", ())),
            }
        )
    return found


def _versions() -> Iterator[tuple[Object, Object]]:
    for document in _documents():
        for version in document["spec"]["versions"]:
            yield document["spec"], version


@cache
def definitions() -> dict[str, Object]:
    """The schemas, as Kubernetes' OpenAPI document has those of its own kinds."""
    found = {}
    for spec, version in _versions():
        schema = _linked(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= {"apiVersion": PLAIN, "kind": PLAIN, "metadata": META}
        gvk = {"group": spec["group"], "version": version["name"], "kind": spec["names"]["kind"]}
        schema["x-kubernetes-group-version-kind"] = [gvk]
        reverse = ".".join(reversed(spec["group"].split(".")))
        found[f"{reverse}.{version['name']}.{gvk['kind']}"] = schema
    return found


def _linked(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_linked(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _linked(one) for name, one in schema.items()}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = "#/definitions/" + SHORT.get(found["$ref"], found["$ref"])
    return found


@cache
def _by_kind() -> dict[tuple[str, str], tuple[Object, Object]]:
    return {(spec["group"], spec["names"]["kind"]): (spec, one) for spec, one in _versions()}


def _schema(resource: Any) -> Object | None:
    found = _by_kind().get((resource.group, resource.kind))
    return found[1]["schema"]["openAPIV3Schema"] if found else None


# what a document is given and checked for ---------------------------------------------------------
def fill(resource: Any, document: Object) -> None:
    """The schema's defaults, where a parent is there to hold them."""
    schema = _schema(resource)
    if schema:
        _fill(document, schema)


def _fill(value: Any, schema: Object) -> None:
    if isinstance(value, list):
        for one in value:
            _fill(one, schema.get("items", {}))
    if not isinstance(value, dict):
        return
    for name, inner in schema.get("properties", {}).items():
        if "default" in inner and name not in value:
            value[name] = copy.deepcopy(inner["default"])
        if name in value:
            _fill(value[name], inner)


def check(resource: Any, document: Object) -> list[Problem]:
    """What is out of the schema's bounds, in the API server's words."""
    schema = _schema(resource)
    return list(_check(document, schema, "")) if schema else []


def _check(value: Any, schema: Object, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for name, one in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if inner:
                yield from _check(one, inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        most = schema.get("maxItems")
        if most is not None and len(value) > most:
            words = f"Too many: {len(value)}: must have at most {most} items"
            yield ("FieldValueTooMany", words, path)
        for at, one in enumerate(value):
            yield from _check(one, schema.get("items", {}), f"{path}[{at}]")
    elif "enum" in schema and value not in schema["enum"]:
        yield unsupported(path, value, schema["enum"])
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        yield bad_value(path, value, f"{path} in body should match '{schema['pattern']}'")
    elif value is not None and "minimum" in schema and value < schema["minimum"]:
        words = f"{path} in body should be greater than or equal to {schema['minimum']}"
        yield bad_value(path, value, words)
    elif value is not None and "maximum" in schema and value > schema["maximum"]:
        words = f"{path} in body should be less than or equal to {schema['maximum']}"
        yield bad_value(path, value, words)


# what `kubectl get` shows -------------------------------------------------------------------------
def columns(resource: Any) -> tuple[tuple, Any] | None:
    """The columns of the kind's table, and the function that fills a row; None for other kinds."""
    found = _by_kind().get((resource.group, resource.kind))
    if not found:
        return None
    wanted = found[1].get("additionalPrinterColumns", [])
    heads = tuple((one["name"], one["type"], one.get("priority", 0)) for one in wanted)

    def row(document: Object) -> list[Any]:
        return [document["metadata"]["name"], *(_cell(document, one) for one in wanted)]

    return (("Name",), *heads), row


def _cell(document: Object, column: Object) -> Any:
    value = at(document, column["jsonPath"])
    if column["type"] == "date":
        return age(value)
    return value if column["type"] == "integer" else "" if value is None else str(value)


def at(document: Any, path: str) -> Any:
    """A JSONPath of a printer column: fields, ``\\.`` in a name, and ``[?(@.type=="Ready")]``."""
    for part in re.split(r"(?<!\\)\.(?![^\[]*\])", path.lstrip(".")):
        if document is None:
            return None
        selected = SELECTED.fullmatch(part)
        if selected:
            name, key, wanted = selected.groups()
            rows = document.get(name) or []
            document = next((one for one in rows if one.get(key) == wanted), None)
        else:
            document = document.get(part.replace("\\.", "."))
    return document
