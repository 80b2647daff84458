"""From a task definition and overrides to a new task in state PROVISIONING."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcloud import arns
from localcloud.ecs import errors, machine, placement, places, roles, rules, sizes, tags
from localcloud.ecs.models import Item, State, now

PLATFORM_VERSION = "1.4.0"
LONGEST_OVERRIDES = 8192
DEFAULT_EPHEMERAL_GIB = 20


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
    launch_type: str = "FARGATE"
    capacity_strategy: list[dict[str, Any]] = field(default_factory=list)
    constraints: list[dict[str, str]] = field(default_factory=list)
    strategies: list[dict[str, str]] = field(default_factory=list)
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


@dataclass
class Seat:
    """Where one task runs: its capacity provider, and on EC2 its machine with what it takes."""

    provider: str | None = None
    instance: Item | None = None
    reserved: dict[str, Any] = field(default_factory=dict)


def check_definition(definition: Item, launch_type: str, network: dict[str, Any] | None) -> None:
    """Raise unless the task definition, and the network configuration, fit the launch type."""
    if launch_type not in definition.wire["compatibilities"]:
        raise errors.invalid_parameter(
            f"Task definition does not support launch_type {launch_type}."
        )
    if network_mode(definition) != "awsvpc":
        if network:
            raise errors.invalid_parameter(
                "Network Configuration is not valid for the given networkMode of this task "
                "definition."
            )
        return
    subnets = (network or {}).get("awsvpcConfiguration", {}).get("subnets")
    if network is None or "awsvpcConfiguration" not in network:
        raise errors.invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if not subnets:
        raise errors.invalid_parameter("subnets can not be empty.")
    places.check(network, launch_type)


def network_mode(definition: Item) -> str:
    return definition.wire.get("networkMode", "bridge")


def check_overrides(definition: Item, launch_type: str, overrides: dict[str, Any]) -> None:
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
    if launch_type == "FARGATE" and ("cpu" in overrides or "memory" in overrides):
        try:
            sizes.require_fargate_size(*task_size(definition, overrides))
        except errors.EcsError as error:
            raise errors.invalid_parameter(error.message) from None
    try:
        rules.check_ephemeral_storage(overrides)
        containers = container_definitions(definition, overrides)
        rules.check_containers(containers, task_size(definition, overrides)[1])
    except errors.EcsError as error:
        raise errors.invalid_parameter(error.message) from None


def task_size(definition: Item, overrides: dict[str, Any]) -> tuple[int | None, int | None]:
    """CPU units and MiB of a task; None where it has none of its own, as it may on EC2."""
    cpu = overrides.get("cpu", definition.wire.get("cpu"))
    memory = overrides.get("memory", definition.wire.get("memory"))
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


def reservation(launch: Launch) -> dict[str, Any]:
    """What a task takes of a container instance."""
    containers = container_definitions(launch.definition, launch.overrides)
    need = placement.needs(containers, network_mode(launch.definition))
    cpu, memory = task_size(launch.definition, launch.overrides)
    return {
        **need,
        "cpu": need["cpu"] if cpu is None else cpu,
        "memory": need["memory"] if memory is None else memory,
    }


def create_task(state: State, launch: Launch, seat: Seat) -> Item:
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
    containers = container_definitions(definition, overrides)
    cpu, memory = seat.reserved.get("cpu"), seat.reserved.get("memory")
    if seat.instance is None:
        cpu, memory = task_size(definition, overrides)
    wire = {
        "taskArn": arns.task_arn(cluster, task_id),
        "clusterArn": launch.cluster.wire["clusterArn"],
        "taskDefinitionArn": definition.wire["taskDefinitionArn"],
        "group": launch.group,
        "launchType": launch.launch_type,
        "availabilityZone": arns.ZONE,
        "cpu": str(cpu),
        "memory": str(memory),
        "createdAt": now(),
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "healthStatus": "UNKNOWN",
        "enableExecuteCommand": launch.execute_command,
        "attachments": [_interface(launch.network)] if launch.network else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "containers": [_container(cluster, task_id, container) for container in containers],
        "overrides": _shown_overrides(definition, overrides),
        "version": 1,
    }
    limits = (cpu / 1024, memory) if seat.instance is None else _limits(launch, seat.instance)
    if seat.instance is None:
        wire.update(platformVersion=launch.platform_version, platformFamily="Linux")
        chosen = overrides.get("ephemeralStorage") or definition.wire.get("ephemeralStorage")
        wire["ephemeralStorage"] = chosen or {"sizeInGiB": DEFAULT_EPHEMERAL_GIB}
    else:
        _sit_down(wire, containers, seat)
    if launch.started_by:
        wire["startedBy"] = launch.started_by
    if seat.provider:
        del wire["launchType"]
        wire["capacityProviderName"] = seat.provider
    return state.add(
        "task",
        task_id,
        wire,
        tags.checked(launch.tags),
        definition=definition.key,
        overrides=overrides,
        client_token=launch.client_token,
        launch_type=launch.launch_type,
        network_mode=network_mode(definition),
        place=places.remembered(launch.network),
        limits=limits,
        reserved=seat.reserved,
        checked=any(
            c["essential"] and "healthCheck" in c for c in definition.wire["containerDefinitions"]
        ),
        tokens={c["name"]: secrets.token_urlsafe(24) for c in wire["containers"]},
    )


def _limits(launch: Launch, instance: Item) -> tuple[float, int]:
    """vCPU and MiB that a task may use on EC2: all of the machine where nothing says less."""
    cpu, memory = task_size(launch.definition, launch.overrides)
    total = machine.of_resources(instance.wire["registeredResources"], 0)
    containers = container_definitions(launch.definition, launch.overrides)
    hard = [container.get("memory") for container in containers]
    if memory is None:
        memory = sum(hard) if all(hard) else total.memory_mib
    return (cpu or total.cpu) / 1024, memory


def _sit_down(wire: dict[str, Any], containers: list[dict[str, Any]], seat: Seat) -> None:
    """Fill in the machine, and hand its GPUs to the containers that ask for some."""
    attributes = {a["name"]: a.get("value") for a in seat.instance.wire["attributes"]}
    wire["containerInstanceArn"] = seat.instance.wire["containerInstanceArn"]
    wire["availabilityZone"] = attributes.get("ecs.availability-zone", arns.ZONE)
    wire["attributes"][0]["value"] = attributes.get("ecs.cpu-architecture", "x86_64")
    free = list(seat.reserved["gpu_ids"])
    for shown, container in zip(wire["containers"], containers, strict=True):
        count = placement.gpus_of(container)
        if count:
            shown["gpuIds"], free = free[:count], free[count:]


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
