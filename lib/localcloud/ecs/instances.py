"""Operations on container instances."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import errors, machine, query, tags
from localcloud.ecs.models import Item, State, now
from localcloud.ecs.pages import page

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

AGENT = {"agentVersion": "1.99.0", "agentHash": "0", "dockerVersion": "DockerVersion: 25.0.8"}
NOT_FOUND = "Referenced container instance {} not found."


def register_container_instance(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    """What ECS's agent calls on a new machine; also a way to add one without EC2.

    ``instanceIdentityDocument`` is JSON with instanceId and instanceType, as the machine's
    metadata service gives it.
    """
    cluster = ecs.state.cluster(request.get("cluster"))
    try:
        document = json.loads(request.get("instanceIdentityDocument") or "{}")
        instance_type = document.get("instanceType")
    except (ValueError, AttributeError):
        raise errors.client_error("The instance identity document is not valid JSON.") from None
    room, architecture = machine.Room(), "x86_64"
    if instance_type:
        room, architecture = machine.of_type(instance_type)
    if request.get("totalResources"):
        room = machine.of_resources(request["totalResources"], room.enis)
    elif not instance_type:
        raise errors.invalid_parameter(
            "Give totalResources, or an instanceIdentityDocument with an instanceType."
        )
    known = {
        "ecs.instance-type": instance_type,
        "ecs.availability-zone": document.get("availabilityZone", arns.ZONE),
        "ecs.cpu-architecture": architecture,
        "ecs.os-type": "linux",
        "ecs.ami-id": document.get("imageId"),
    }
    attributes = [{"name": name, "value": value} for name, value in known.items() if value]
    item = add(
        ecs.state,
        cluster,
        document.get("instanceId") or f"i-{uuid.uuid4().hex[:17]}",
        room,
        [*attributes, *request.get("attributes", [])],
        tags.checked(request.get("tags")),
    )
    return {"containerInstance": described(ecs.state, item, ["TAGS"])}


def add(
    state: State,
    cluster: Item,
    ec2_id: str,
    room: machine.Room,
    attributes: list[dict[str, str]],
    its_tags: list[dict[str, str]],
    provider: str | None = None,
) -> Item:
    key = uuid.uuid4().hex
    wire = {
        "containerInstanceArn": arns.instance_arn(cluster.key, key),
        "clusterArn": cluster.wire["clusterArn"],
        "ec2InstanceId": ec2_id,
        "version": 1,
        "versionInfo": AGENT,
        "registeredResources": room.as_resources(),
        "status": "ACTIVE",
        "agentConnected": True,
        "attributes": attributes,
        "registeredAt": now(),
        "attachments": [],
    }
    if provider:
        wire["capacityProviderName"] = provider
    return state.add("instance", key, wire, its_tags, enis=room.enis)


def deregister_container_instance(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    item = _find(ecs.state, request.get("cluster"), request["containerInstance"])
    if item is None or item.wire["status"] == "INACTIVE":
        raise errors.invalid_parameter(NOT_FOUND.format(request["containerInstance"]))
    if live_tasks(ecs.state, item) and not request.get("force"):
        raise errors.invalid_parameter("Found running tasks on the instance.")
    item.wire.update(status="INACTIVE", agentConnected=False)
    ecs.state.save(item)
    return {"containerInstance": described(ecs.state, item, ["TAGS"])}


def describe_container_instances(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    found, failures = _look_up(ecs.state, request)
    include = request.get("include", [])
    shown = [described(ecs.state, item, include) for item in found]
    return {"containerInstances": shown, "failures": failures}


def list_container_instances(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state, wanted = ecs.state, request.get("status")
    cluster = state.cluster(request.get("cluster"))
    test = query.parse(request["filter"]) if request.get("filter") else lambda facts: True
    chosen = [
        item
        for item in of_cluster(state, cluster.key)
        if wanted in (None, item.wire["status"]) and test(facts_of(state, item))
    ]
    name = "containerInstanceArns"
    return page(request, chosen, name, lambda item: item.wire["containerInstanceArn"])


def update_container_instances_state(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    """DRAINING takes no new tasks, and services move theirs elsewhere; ACTIVE ends that."""
    if request["status"] not in ("ACTIVE", "DRAINING"):
        raise errors.invalid_parameter(
            "Container instance status should be one of [ACTIVE,DRAINING]"
        )
    found, failures = _look_up(ecs.state, request)
    for item in found:
        if item.wire["status"] != "INACTIVE":
            item.wire["status"] = request["status"]
            item.wire["version"] += 1
            ecs.state.save(item)
    shown = [described(ecs.state, item, []) for item in found]
    return {"containerInstances": shown, "failures": failures}


def of_cluster(state: State, cluster: str) -> list[Item]:
    """The registered instances of a cluster's name."""
    return [
        item
        for item in state.all("instance")
        if item.cluster == cluster and item.wire["status"] != "INACTIVE"
    ]


def live_tasks(state: State, instance: Item) -> list[Item]:
    """Tasks that still hold resources of the instance."""
    arn = instance.wire["containerInstanceArn"]
    return [
        task
        for task in state.tasks(instance.cluster)
        if task.wire.get("containerInstanceArn") == arn and task.wire["lastStatus"] != "STOPPED"
    ]


def remaining(instance: Item, tasks: list[Item]) -> machine.Room:
    """What is left of the instance beside ``tasks``, its live ones."""
    total = machine.of_resources(instance.wire["registeredResources"], instance.private["enis"])
    return machine.left(total, (task.private["reserved"] for task in tasks))


def stays(state: State, task: Item) -> bool:
    """Whether the task's machine keeps it: not so while it drains, or after it has left."""
    arn = task.wire.get("containerInstanceArn")
    instance = state.get("instance", arns.last_part(arn)) if arn else None
    return arn is None or (instance is not None and instance.wire["status"] == "ACTIVE")


def facts_of(state: State, instance: Item, tasks: list[Item] | None = None) -> query.Facts:
    """Answers the cluster query language's subjects for one instance."""
    tasks = live_tasks(state, instance) if tasks is None else tasks

    def facts(subject: str) -> list[str]:
        kind, _, name = subject.partition(":")
        wire = instance.wire
        if kind == "attribute":
            return [a.get("value", "") for a in wire["attributes"] if a["name"] == name]
        if subject == "task:group":
            return [task.wire["group"] for task in tasks]
        values = {
            "ec2InstanceId": wire["ec2InstanceId"],
            "agentConnected": str(wire["agentConnected"]).lower(),
            "runningTasksCount": _count(tasks, "RUNNING"),
            "pendingTasksCount": len(tasks) - _count(tasks, "RUNNING"),
            "registeredAt": wire["registeredAt"],
        }
        if subject not in values:
            raise errors.invalid_parameter(f"Invalid expression: unknown subject {subject}")
        return [str(values[subject])]

    return facts


def described(state: State, item: Item, include: list[str]) -> dict[str, Any]:
    tasks = live_tasks(state, item)
    running = _count(tasks, "RUNNING")
    shown = {name: value for name, value in item.wire.items() if name != "clusterArn"}
    return {
        **shown,
        "remainingResources": remaining(item, tasks).as_resources(),
        "runningTasksCount": running,
        "pendingTasksCount": len(tasks) - running,
        "tags": item.tags if "TAGS" in include else [],
    }


def _count(tasks: list[Item], status: str) -> int:
    return sum(task.wire["lastStatus"] == status for task in tasks)


def _look_up(state: State, request: dict[str, Any]) -> tuple[list[Item], list[dict[str, str]]]:
    found, failures = [], []
    cluster = state.cluster(request.get("cluster"))
    if not 1 <= len(request["containerInstances"]) <= 100:
        raise errors.invalid_parameter("Between 1 and 100 container instances must be specified.")
    for reference in request["containerInstances"]:
        item = _find(state, cluster.key, reference)
        if item:
            found.append(item)
        else:
            arn = arns.instance_arn(cluster.key, arns.last_part(reference))
            failures.append({"arn": arn, "reason": "MISSING"})
    return found, failures


def _find(state: State, cluster: str | None, reference: str) -> Item | None:
    item = state.get("instance", arns.last_part(reference))
    return item if item and item.cluster == state.cluster(cluster).key else None
