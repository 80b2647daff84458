"""What clients ask before anything else: versions, groups, resources, and the OpenAPI document."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from localcloud.kubernetes import schemas
from localcloud.kubernetes.resources import OTHER_KINDS, SERVED, Resource

Object = dict[str, Any]
STRICT = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}


def version() -> Object:
    major, minor, _ = schemas.KUBERNETES.removeprefix("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{schemas.KUBERNETES}-drydock",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "CPython",
        "platform": "linux/amd64",
    }


def core_versions(address: str) -> Object:
    place = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": place}


def groups() -> Object:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(g) for g in _names()]}


def group(name: str) -> Object | None:
    versions = list(dict.fromkeys(r.version for r in SERVED if r.group == name and name))
    if not versions:
        return None
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": listed,
        "preferredVersion": listed[0],
    }


def _names() -> list[str]:
    return list(dict.fromkeys(resource.group for resource in SERVED if resource.group))


def resources(group_name: str, version_name: str) -> Object | None:
    found = [r for r in SERVED if (r.group, r.version) == (group_name, version_name)]
    if not found:
        return None
    listed = [one for resource in found for one in _listed(resource)]
    together = f"{group_name}/{version_name}" if group_name else version_name
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": together,
        "resources": listed,
    }


def _listed(resource: Resource) -> list[Object]:
    one = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        one["shortNames"] = list(resource.short)
    if resource.categories:
        one["categories"] = list(resource.categories)
    found = [one]
    for part in resource.subresources:
        verbs = ["get", "patch", "update"] if part in ("status", "scale") else ["create"]
        verbs = ["get"] if part == "log" else verbs
        verbs = ["create", "get"] if part == "exec" else verbs
        inner = {
            "name": f"{resource.plural}/{part}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": verbs,
        }
        if part in OTHER_KINDS:
            inner["group"], inner["version"], inner["kind"] = OTHER_KINDS[part]
        found.append(inner)
    return found


def openapi_groups() -> Object:
    """/openapi/v3: the addresses of the documents, one for each group and version."""
    paths = {}
    for group_name, version_name in dict.fromkeys((r.group, r.version) for r in SERVED):
        path = f"apis/{group_name}/{version_name}" if group_name else f"api/{version_name}"
        mark = hashlib.sha256(openapi(group_name, version_name)).hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={mark}"}
    return {"paths": paths}


@cache
def openapi(group_name: str, version_name: str) -> bytes:
    """The OpenAPI 3 document of a group and version: kubectl asks it which fields there are, and
    whether the server itself validates them."""
    found = [r for r in SERVED if (r.group, r.version) == (group_name, version_name)]
    paths = {}
    for resource in found:
        gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        about = {"x-kubernetes-group-version-kind": gvk}
        base = f"/apis/{resource.group}" if resource.group else "/api"
        where = "/namespaces/{namespace}" if resource.namespaced else ""
        many = f"{base}/{resource.version}{where}/{resource.plural}"
        answer = {"responses": {"200": {"description": "OK"}}}
        paths[many] = {"post": {"parameters": [STRICT], **answer, **about}}
        paths[many + "/{name}"] = {
            "get": {**answer, **about},
            "put": {"parameters": [STRICT], **answer, **about},
            "patch": {"parameters": [STRICT], **answer, **about},
        }
    named = {name: _version3(one) for name, one in _reachable(found).items()}
    document = {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": schemas.KUBERNETES},
        "paths": paths,
        "components": {"schemas": named},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _reachable(found: list[Resource]) -> dict[str, Any]:
    known = schemas.by_kind()
    names = [known.get((r.group, r.version, r.kind)) for r in found]
    waiting, seen = [name for name in names if name], {}
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = schemas.definitions()[name]
            text = json.dumps(seen[name])
            waiting += [part.partition('"')[0] for part in text.split("#/definitions/")[1:]]
    return seen


def _version3(definition: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(definition).replace("#/definitions/", "#/components/schemas/")
    found = json.loads(text)
    for field in found.get("properties", {}).values():
        if "$ref" in field and len(field) > 1:
            field["allOf"] = [{"$ref": field.pop("$ref")}]
    return found
