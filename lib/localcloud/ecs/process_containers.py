"""A task's containers without a container engine: folders with a Dockerfile, run as processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.ecs.volumes import Mounts
from localcloud.failures import TaskFailed
from localcloud.images import folders
from localcloud.runtimes.base import ContainerSpec, Sandbox

if TYPE_CHECKING:
    from localcloud.ecs.prepare import Parts

NEEDS_ENGINE = ("volumesFrom",)


def spec(parts: Parts, sandbox: Sandbox) -> ContainerSpec:
    """Raises TaskFailed."""
    definition, image = parts.definition, parts.image
    name = definition["name"]
    for feature in NEEDS_ENGINE:
        if definition.get(feature):
            raise TaskFailed(
                f"CannotCreateContainerError: container {name}: {feature} cannot be honoured "
                "without a container engine"
            )
    command = folders.command_line(image, definition)
    if not command:
        raise TaskFailed(
            "CannotStartContainerError: Error response from daemon: no command specified"
        )
    mounts = Mounts(parts.volumes, definition, sandbox.directory)
    environment = {**folders.environment(image, sandbox.directory / name), **parts.environment}
    return ContainerSpec(
        name=name,
        command=[mounts.point(word) for word in command],
        environment={key: mounts.point(value) for key, value in environment.items()},
        working_directory=image.context,
        log=parts.log,
        memory_mib=definition.get("memory"),
        stop_timeout=parts.stop_timeout,
    )
