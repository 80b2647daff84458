"""What a request names and asks for: its address, its body, its options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from localcloud.kubernetes import errors, protobuf
from localcloud.kubernetes.front import Request
from localcloud.kubernetes.resources import BY_PATH, Resource

if TYPE_CHECKING:
    from localcloud.kubernetes.store import Object


class Place:
    """What an address names. Raises ApiError NotFound."""

    def __init__(self, path: str):
        parts = [part for part in path.split("/") if part]
        self.group = "" if parts[0] == "api" else parts[1]
        rest = parts[1:] if parts[0] == "api" else parts[2:]
        version, rest = rest[0], rest[1:]
        self.namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
            self.namespace, rest = rest[1], rest[2:]
        found = BY_PATH.get((self.group, version, rest[0])) if rest else None
        if found is None or (self.namespace and not found.namespaced):
            raise errors.no_such_path()
        self.resource: Resource = found
        self.name = rest[1] if len(rest) > 1 else ""
        self.part = "/".join(rest[2:])


def read_body(request: Request) -> Any:
    kind = request.headers.get("Content-Type", "application/json")
    try:
        if kind.startswith(protobuf.KIND):
            return protobuf.read(request.body)
        return yaml.safe_load(request.body) if "yaml" in kind else json.loads(request.body)
    except (ValueError, yaml.YAMLError) as error:
        raise errors.bad_request(f"error decoding the request body: {error}") from None


def delete_options(request: Request) -> Object:
    """From the body, or the query, or both."""
    options = read_body(request) if request.body.strip() else {}
    query = request.query
    if "gracePeriodSeconds" in query:
        options.setdefault("gracePeriodSeconds", int(query["gracePeriodSeconds"]))
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    if "orphanDependents" in options:
        orphan = options.pop("orphanDependents")
        options.setdefault("propagationPolicy", "Orphan" if orphan else "Background")
    if query.get("dryRun"):
        options["dryRun"] = ["All"]
    return {name: value for name, value in options.items() if value is not None}


def wants_table(request: Request) -> bool:
    accepted = request.headers.get("Accept", "").replace(" ", "")
    return "as=Table" in accepted.partition(",")[0]


def validation(request: Request) -> str:
    return request.query.get("fieldValidation") or "Warn"


def is_dry(request: Request) -> bool:
    return bool(request.query.get("dryRun"))
