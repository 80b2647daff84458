"""Operations on task definitions."""

from __future__ import annotations

from typing import Any

from localcloud import arns
from localcloud.ecs import errors, rules, sizes, tags
from localcloud.ecs.models import Item, State, now
from localcloud.ecs.pages import page

KEPT = (
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
UNKNOWN = (
    "The specified task definition identifier is invalid. Specify a valid name or ARN and try "
    "again."
)
STILL_ACTIVE = (
    "The specified task definition is still in ACTIVE status. Please deregister the target and "
    "try again."
)
EMPTY_LISTS = ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls")


def register_task_definition(state: State, request: dict[str, Any]) -> dict[str, Any]:
    rules.check(request)
    family = request["family"]
    revision = max((d.wire["revision"] for d in state.revisions(family)), default=0) + 1
    key = f"{family}:{revision}"
    wire = {
        "taskDefinitionArn": arns.definition_arn(key),
        "family": family,
        "revision": revision,
        "status": "ACTIVE",
        "volumes": [],
        "placementConstraints": [],
        **{name: request[name] for name in KEPT if name in request},
        "containerDefinitions": [_with_defaults(c) for c in request["containerDefinitions"]],
        "compatibilities": _compatibilities(request),
        "registeredAt": now(),
        "registeredBy": f"arn:aws:iam::{arns.ACCOUNT}:root",
    }
    for name, parse in (("cpu", sizes.cpu_units), ("memory", sizes.memory_mib)):
        if name in request:
            wire[name] = str(parse(request[name]))
    item = state.add("definition", key, wire, tags.checked(request.get("tags")))
    return {"taskDefinition": item.wire, "tags": item.tags}


def describe_task_definition(state: State, request: dict[str, Any]) -> dict[str, Any]:
    item = state.definition(request["taskDefinition"])
    if item is None:
        raise errors.client_error("Unable to describe task definition.")
    answer = {"taskDefinition": item.wire}
    if "TAGS" in request.get("include", []):
        answer["tags"] = item.tags
    return answer


def deregister_task_definition(state: State, request: dict[str, Any]) -> dict[str, Any]:
    item = _exact(state, request["taskDefinition"])
    if item.wire["status"] == "ACTIVE":
        item.wire.update(status="INACTIVE", deregisteredAt=now())
        state.save(item)
    return {"taskDefinition": item.wire}


def delete_task_definitions(state: State, request: dict[str, Any]) -> dict[str, Any]:
    deleted, failures = [], []
    for reference in request["taskDefinitions"]:
        item = state.definition(reference) if ":" in arns.last_part(reference) else None
        if item is None:
            failures.append({"arn": reference, "reason": UNKNOWN})
        elif item.wire["status"] == "ACTIVE":
            failures.append({"arn": item.wire["taskDefinitionArn"], "reason": STILL_ACTIVE})
        else:
            item.wire.update(status="DELETE_IN_PROGRESS", deleteRequestedAt=now())
            state.save(item)
            deleted.append(item.wire)
    return {"taskDefinitions": deleted, "failures": failures}


def list_task_definitions(state: State, request: dict[str, Any]) -> dict[str, Any]:
    status, family = request.get("status", "ACTIVE"), request.get("familyPrefix")
    items = [
        d
        for d in state.all("definition")
        if d.wire["status"] == status and family in (None, d.wire["family"])
    ]
    return page(
        request,
        items,
        "taskDefinitionArns",
        lambda item: item.wire["taskDefinitionArn"],
        rank=lambda item: [item.wire["family"], item.wire["revision"]],
        descending=request.get("sort") == "DESC",
    )


def list_task_definition_families(state: State, request: dict[str, Any]) -> dict[str, Any]:
    """Families by status: one with an active revision is ACTIVE, any other INACTIVE."""
    status, prefix = request.get("status", "ACTIVE"), request.get("familyPrefix", "")
    families: dict[str, list[Item]] = {}
    for item in state.all("definition"):
        if item.wire["family"].startswith(prefix):
            families.setdefault(item.wire["family"], []).append(item)
    chosen = []
    for items in families.values():
        active = any(item.wire["status"] == "ACTIVE" for item in items)
        if status == "ALL" or active == (status == "ACTIVE"):
            chosen.append(items[0])
    return page(
        request,
        chosen,
        "families",
        lambda item: item.wire["family"],
        rank=lambda item: [item.wire["family"]],
    )


def _exact(state: State, reference: str) -> Item:
    if ":" not in arns.last_part(reference):
        raise errors.client_error("Revision is missing.")
    item = state.definition(reference)
    if item is None:
        raise errors.client_error("The specified task definition does not exist.")
    return item


def _with_defaults(container: dict[str, Any]) -> dict[str, Any]:
    """A container definition as AWS shows it after registration."""
    ports = [{"protocol": "tcp", **mapping} for mapping in container.get("portMappings", [])]
    for mapping in ports:
        mapping.setdefault("hostPort", mapping.get("containerPort", 0))
    empty = {name: [] for name in EMPTY_LISTS}
    return {"cpu": 0, "essential": True, **empty, **container, "portMappings": ports}


def _compatibilities(request: dict[str, Any]) -> list[str]:
    try:
        rules.check_fargate(request)
    except errors.EcsError:
        return ["EC2"]
    return ["EC2", "FARGATE"]
