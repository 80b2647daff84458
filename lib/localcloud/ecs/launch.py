"""From a task definition and overrides to a new task in state PROVISIONING."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcloud.ecs import arns, errors, roles, rules, sizes, tags
from localcloud.ecs.models import Item, State, now

PLATFORM_VERSION = "1.4.0"
LONGEST_OVERRIDES = 8192
FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
NO_INSTANCES = "No Container Instances were found in your cluster."


@dataclass
class Launch:
    """What RunTask, or a service, asks for."""

    cluster: Item
    definition: Item
    group: str
    network: dict[str, Any] | None
    overrides: dict[str, Any] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    started_by: str | None = None
    capacity_provider: str | None = None
    platform_version: str = PLATFORM_VERSION
    execute_command: bool = False
    client_token: str | None = None


def active_definition(state: State, reference: str) -> Item:
    definition = state.definition(reference)
    if definition is None:
        raise errors.client_error("TaskDefinition not found.")
    if definition.wire["status"] != "ACTIVE":
        raise errors.client_error("TaskDefinition is inactive")
    return definition


def require_fargate(request: dict[str, Any]) -> str | None:
    """Check launch type and capacity providers; return the provider's name if one is named."""
    strategy = request.get("capacityProviderStrategy", [])
    if strategy and "launchType" in request:
        raise errors.invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    if len(strategy) > 1:
        raise errors.unsupported("a capacity provider strategy of several providers")
    if strategy:
        provider = strategy[0]["capacityProvider"]
        if provider not in FARGATE_PROVIDERS:
            raise errors.invalid_parameter("The specified capacity provider was not found.")
        return provider
    if request.get("launchType", "EC2") != "FARGATE":
        raise errors.invalid_parameter(NO_INSTANCES)
    return None


def check_definition_for_fargate(definition: Item, network: dict[str, Any] | None) -> None:
    if "FARGATE" not in definition.wire["compatibilities"]:
        raise errors.invalid_parameter("Task definition does not support launch_type FARGATE.")
    subnets = (network or {}).get("awsvpcConfiguration", {}).get("subnets")
    if network is None or "awsvpcConfiguration" not in network:
        raise errors.invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if not subnets:
        raise errors.invalid_parameter("subnets can not be empty.")


def check_overrides(definition: Item, overrides: dict[str, Any]) -> None:
    if len(str(overrides)) > LONGEST_OVERRIDES:
        raise errors.invalid_parameter(
            f"Container Overrides length must be at most {LONGEST_OVERRIDES}"
        )
    containers = {c["name"]: c for c in definition.wire["containerDefinitions"]}
    for override in overrides.get("containerOverrides", []):
        name = override.get("name")
        if name not in containers:
            raise errors.invalid_parameter(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )
    if "cpu" in overrides or "memory" in overrides:
        try:
            sizes.require_fargate_size(*task_size(definition, overrides))
        except errors.EcsError as error:
            raise errors.invalid_parameter(error.message) from None
    try:
        containers = container_definitions(definition, overrides)
        rules.check_containers(containers, task_size(definition, overrides)[1])
    except errors.EcsError as error:
        raise errors.invalid_parameter(error.message) from None


def task_size(definition: Item, overrides: dict[str, Any]) -> tuple[int, int]:
    """CPU units and MiB of a task."""
    cpu = overrides.get("cpu", definition.wire["cpu"])
    memory = overrides.get("memory", definition.wire["memory"])
    return sizes.cpu_units(cpu), sizes.memory_mib(memory)


def container_definitions(definition: Item, overrides: dict[str, Any]) -> list[dict[str, Any]]:
    """The task definition's containers with the overrides applied."""
    changes = {o["name"]: o for o in overrides.get("containerOverrides", [])}
    merged = []
    for container in definition.wire["containerDefinitions"]:
        change = dict(changes.get(container["name"], {}))
        pairs = {p["name"]: p for p in container["environment"]}
        pairs |= {p["name"]: p for p in change.pop("environment", [])}
        merged.append({**container, **change, "environment": list(pairs.values())})
    return merged


def create_task(state: State, launch: Launch) -> Item:
    """Add the task to the state. The caller hands it to the scheduler.

    Raises ClientException if a role cannot be assumed.
    """
    definition, cluster = launch.definition, launch.cluster.key
    overrides = launch.overrides
    for name in ("taskRoleArn", "executionRoleArn"):
        role = overrides.get(name, definition.wire.get(name))
        if role:
            roles.require_assumable(role)
    task_id = uuid.uuid4().hex
    cpu, memory = task_size(definition, overrides)
    wire = {
        "taskArn": arns.task_arn(cluster, task_id),
        "clusterArn": launch.cluster.wire["clusterArn"],
        "taskDefinitionArn": definition.wire["taskDefinitionArn"],
        "group": launch.group,
        "launchType": "FARGATE",
        "platformVersion": launch.platform_version,
        "platformFamily": "Linux",
        "availabilityZone": arns.ZONE,
        "cpu": str(cpu),
        "memory": str(memory),
        "createdAt": now(),
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "healthStatus": "UNKNOWN",
        "enableExecuteCommand": launch.execute_command,
        "attachments": [_interface(launch.network)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "containers": [
            _container(cluster, task_id, container)
            for container in container_definitions(definition, overrides)
        ],
        "overrides": _shown_overrides(definition, overrides),
        "ephemeralStorage": definition.wire.get("ephemeralStorage", {"sizeInGiB": 20}),
        "version": 1,
    }
    if launch.started_by:
        wire["startedBy"] = launch.started_by
    if launch.capacity_provider:
        del wire["launchType"]
        wire["capacityProviderName"] = launch.capacity_provider
    return state.add(
        "task",
        task_id,
        wire,
        tags.checked(launch.tags),
        definition=definition.key,
        overrides=overrides,
        client_token=launch.client_token,
        checked=any(
            c["essential"] and "healthCheck" in c for c in definition.wire["containerDefinitions"]
        ),
        tokens={c["name"]: secrets.token_urlsafe(24) for c in wire["containers"]},
    )


def _container(cluster: str, task_id: str, definition: dict[str, Any]) -> dict[str, Any]:
    container = {
        "containerArn": arns.container_arn(cluster, task_id, str(uuid.uuid4())),
        "taskArn": arns.task_arn(cluster, task_id),
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(definition["cpu"]),
    }
    for name in ("memory", "memoryReservation"):
        if name in definition:
            container[name] = str(definition[name])
    return container


def _interface(network: dict[str, Any]) -> dict[str, Any]:
    subnet = network["awsvpcConfiguration"]["subnets"][0]
    return {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "PRECREATED",
        "details": [{"name": "subnetId", "value": subnet}],
    }


def _shown_overrides(definition: Item, overrides: dict[str, Any]) -> dict[str, Any]:
    given = {o["name"]: o for o in overrides.get("containerOverrides", [])}
    names = [c["name"] for c in definition.wire["containerDefinitions"]]
    shown = [given.get(name, {"name": name}) for name in names]
    return {**overrides, "containerOverrides": shown, "inferenceAcceleratorOverrides": []}
