"""The rules that RegisterTaskDefinition applies, each with AWS's wording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localcloud.ecs import errors, sizes, volumes

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
MOST_CONTAINERS = 10
FARGATE_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
NOT_ON_FARGATE = ("links", "dockerSecurityOptions", "dnsServers", "dnsSearchDomains", "extraHosts")
ECR_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/.+")
HEALTH_LIMITS = {
    "interval": (5, 300),
    "timeout": (2, 60),
    "retries": (1, 10),
    "startPeriod": (0, 300),
}
DOCKER_VOLUME = "dockerVolumeConfiguration"
EPHEMERAL_GIB = (21, 200)
NETWORK_MODES = ("none", "bridge", "awsvpc", "host")


def check(request: dict[str, Any]) -> None:
    """Raise the first rule that the request of RegisterTaskDefinition breaks."""
    if not NAME.fullmatch(request["family"]):
        raise errors.client_error("Family contains invalid characters.")
    if request.get("networkMode", "bridge") not in NETWORK_MODES:
        raise errors.client_error(f"Invalid network mode: {request['networkMode']}.")
    containers = request["containerDefinitions"]
    cpu, memory = sizes.cpu_units(request.get("cpu")), sizes.memory_mib(request.get("memory"))
    check_containers(containers, memory)
    _check_sizes(containers, cpu, memory)
    _check_ports(request)
    _check_dependencies(containers)
    volumes.check(request)
    check_ephemeral_storage(request)
    if any(c.get("secrets") for c in containers) and not request.get("executionRoleArn"):
        raise errors.client_error(
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        )
    if "FARGATE" in request.get("requiresCompatibilities", []):
        check_fargate(request)


def check_ephemeral_storage(request: dict[str, Any]) -> None:
    """Of a task definition, or of overrides. The wording, of its lower bound, is quoted in
    https://github.com/guardian/cdk/pull/1101; the bounds are those of
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EphemeralStorage.html
    """
    size = request.get("ephemeralStorage", {}).get("sizeInGiB")
    least, most = EPHEMERAL_GIB
    if size is not None and size < least:
        raise errors.client_error(f"EphemeralStorage size should be at least {least}")
    if size is not None and size > most:
        raise errors.client_error(f"EphemeralStorage size should be at most {most}")


def check_fargate(request: dict[str, Any]) -> None:
    """The further rules of Fargate."""
    if request.get("networkMode") != "awsvpc":
        raise errors.client_error("Fargate only supports network mode 'awsvpc'.")
    sizes.require_fargate_size(
        sizes.cpu_units(request.get("cpu")), sizes.memory_mib(request.get("memory"))
    )
    if request.get("placementConstraints"):
        raise errors.client_error(
            "Fargate compatible task definitions do not support placement constraints."
        )
    for volume in request.get("volumes", []):
        for name, part in (("sourcePath", volume.get("host", {})), (DOCKER_VOLUME, volume)):
            if part.get(name):
                raise errors.client_error(
                    f"Fargate compatible task definitions do not support {name}."
                )
    for container in request["containerDefinitions"]:
        _check_fargate_container(container, request.get("executionRoleArn"))


def _check_fargate_container(container: dict[str, Any], execution_role: str | None) -> None:
    if container.get("privileged"):
        raise errors.client_error("Fargate compatible task definitions do not support privileged.")
    for name in NOT_ON_FARGATE:
        if container.get(name):
            raise errors.client_error(f"Fargate compatible task definitions do not support {name}.")
    for requirement in container.get("resourceRequirements", []):
        if requirement["type"] == "GPU":
            raise errors.client_error(
                "Fargate compatible task definitions do not support resource requirement GPU."
            )
    driver = container.get("logConfiguration", {}).get("logDriver")
    if driver and driver not in FARGATE_LOG_DRIVERS:
        raise errors.client_error(f"Fargate does not support log driver {driver}.")
    if driver == "awslogs":
        if not execution_role:
            raise errors.client_error(
                "Fargate requires task definition to have execution role ARN to support log "
                "driver awslogs."
            )
        if "awslogs-stream-prefix" not in container["logConfiguration"].get("options", {}):
            raise errors.client_error("Log driver awslogs requires options: awslogs-stream-prefix")
    if ECR_IMAGE.fullmatch(container["image"]) and not execution_role:
        raise errors.client_error(
            "Fargate requires task definition to have execution role ARN to support ECR images."
        )
    if not 0 <= container.get("stopTimeout", 30) <= 120:
        raise errors.client_error("The maximum stopTimeout value is 120 seconds on Fargate.")


def check_containers(containers: list[dict[str, Any]], task_memory: int | None) -> None:
    """The rules of container definitions, also after overrides."""
    if not containers:
        raise errors.client_error("Container list cannot be empty.")
    if len(containers) > MOST_CONTAINERS:
        raise errors.client_error("Too many containers.")
    for container in containers:
        _check_container(container, task_memory)
    names = [container["name"] for container in containers]
    if len(set(names)) < len(names):
        raise errors.client_error("Container names must be unique within a Task Definition.")
    if not any(container.get("essential", True) for container in containers):
        raise errors.client_error(
            "At least one container in a task definition must be marked as essential."
        )


def _check_container(container: dict[str, Any], task_memory: int | None) -> None:
    for field in ("name", "image"):
        if not container.get(field):
            raise errors.client_error(f"Container.{field} should not be null or empty.")
    name = container["name"]
    if not NAME.fullmatch(name):
        raise errors.client_error("Container.name contains invalid characters.")
    hard, soft = container.get("memory"), container.get("memoryReservation")
    if task_memory is None and hard is None and soft is None:
        raise errors.client_error(
            f"Invalid setting for container '{name}'. At least one of 'memory' or "
            "'memoryReservation' must be specified."
        )
    for setting, value in (("memory", hard), ("memoryReservation", soft)):
        if value is not None and value < 6:
            raise errors.client_error(
                f"Invalid '{setting}' setting for container '{name}'. The minimum is 6 MiB."
            )
    if hard is not None and soft is not None and soft > hard:
        raise errors.client_error(
            f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to "
            "'memoryReservation'."
        )
    if task_memory is not None and hard is not None and hard > task_memory:
        raise errors.client_error(
            f"The 'memory' setting for container '{name}' is greater than for the task."
        )
    _check_environment(container)
    _check_health(container)
    logs = container.get("logConfiguration", {})
    missing = [
        option
        for option in ("awslogs-region", "awslogs-group")
        if option not in logs.get("options", {})
    ]
    if logs.get("logDriver") == "awslogs" and missing:
        raise errors.client_error(f"Log driver awslogs requires options: {', '.join(missing)}")


def _check_health(container: dict[str, Any]) -> None:
    check = container.get("healthCheck")
    if check is None:
        return
    words = check["command"]
    if len(words) < 2 or words[0] not in ("CMD", "CMD-SHELL"):
        raise errors.client_error(
            f"Invalid healthCheck for container '{container['name']}': the command must start "
            "with CMD or CMD-SHELL."
        )
    for name, (low, high) in HEALTH_LIMITS.items():
        if not low <= check.get(name, low) <= high:
            raise errors.client_error(
                f"Invalid healthCheck for container '{container['name']}': {name} must be between "
                f"{low} and {high}."
            )


def _check_environment(container: dict[str, Any]) -> None:
    plain = [pair.get("name") for pair in container.get("environment", [])]
    secret = [pair["name"] for pair in container.get("secrets", [])]
    for name in [*plain, *secret]:
        if not name:
            raise errors.client_error("Environment variable name must not be null or empty.")
    both = sorted(set(plain) & set(secret))
    if both or len(set(secret)) < len(secret):
        raise errors.client_error(
            "The secret name must be unique and not shared with any new or existing environment "
            f"variables set on the container, such as '{(both or secret)[0]}'."
        )


def _check_sizes(
    containers: list[dict[str, Any]], task_cpu: int | None, task_memory: int | None
) -> None:
    if task_cpu is not None and sum(c.get("cpu", 0) for c in containers) > task_cpu:
        raise errors.client_error(
            "The sum of all container 'cpu' values cannot be greater than the value of the task "
            "'cpu'."
        )
    reserved = sum(c.get("memoryReservation", c.get("memory", 0)) for c in containers)
    if task_memory is not None and reserved > task_memory:
        raise errors.client_error(
            "The sum of all container memory reservations cannot be greater than the value of "
            "the task 'memory'."
        )


def _check_ports(request: dict[str, Any]) -> None:
    taken: set[tuple[int, str]] = set()
    for mapping in _port_mappings(request["containerDefinitions"]):
        port = mapping.get("containerPort")
        if request.get("networkMode") == "awsvpc":
            if mapping.get("hostPort", port) not in (port, 0):
                raise errors.client_error(
                    "When networkMode=awsvpc, the host ports and container ports in port mappings "
                    "must match."
                )
            if (port, mapping.get("protocol", "tcp")) in taken:
                raise errors.client_error(
                    "When networkMode=awsvpc, container ports must be unique within a Task "
                    f"Definition: {port}."
                )
            taken.add((port, mapping.get("protocol", "tcp")))


def _port_mappings(containers: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for container in containers:
        for mapping in container.get("portMappings", []):
            port = mapping.get("containerPort")
            if port is not None and not 0 <= port <= 65535:
                raise errors.client_error(f"Invalid port number: {port}.")
            yield mapping


def _check_dependencies(containers: list[dict[str, Any]]) -> None:
    by_name = {container["name"]: container for container in containers}
    for container in containers:
        for dependency in container.get("dependsOn", []):
            target = by_name.get(dependency["containerName"])
            if target is None or target is container:
                raise errors.client_error(
                    f"Container '{container['name']}' depends on a container that does not exist "
                    f"in the task definition: '{dependency['containerName']}'."
                )
            condition = dependency["condition"]
            if condition in ("SUCCESS", "COMPLETE") and target.get("essential", True):
                raise errors.client_error(
                    "A dependency container with SUCCESS or COMPLETE condition cannot be an "
                    "essential container"
                )
            if condition == "HEALTHY" and not target.get("healthCheck"):
                raise errors.client_error(
                    f"Container '{target['name']}' must have a healthCheck, because another "
                    "container depends on it being HEALTHY."
                )
    if _has_cycle({name: _depends(c) for name, c in by_name.items()}):
        raise errors.client_error("Cyclic dependency between containers.")


def _depends(container: dict[str, Any]) -> set[str]:
    return {dependency["containerName"] for dependency in container.get("dependsOn", [])}


def _has_cycle(graph: dict[str, set[str]]) -> bool:
    waiting = dict(graph)
    while waiting:
        free = [name for name, needs in waiting.items() if not needs & waiting.keys()]
        if not free:
            return True
        for name in free:
            del waiting[name]
    return False
