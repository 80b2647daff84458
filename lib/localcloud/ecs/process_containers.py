"""A task's containers without a container engine: folders with a Dockerfile, run as processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.ecs import images
from localcloud.ecs.failures import TaskFailed
from localcloud.ecs.volumes import Mounts
from localcloud.runtimes.base import ContainerSpec, Sandbox

if TYPE_CHECKING:
    from localcloud.ecs.prepare import Parts
    from localcloud.ecs.roles import Clients

# Where the machine keeps the software that stands in for the image's own.
FROM_HOST = ("LD_LIBRARY_PATH", "CONDA_PREFIX", "JAVA_HOME", "ODBCSYSINI", "ODBCINI")
NOT_FROM_IMAGE = ("PATH", "HOME", "TMPDIR", "HOST")
NEEDS_ENGINE = ("volumesFrom",)


def pull(clients: Clients, execution_role: str | None, reference: str) -> images.Image:
    """Raises TaskFailed."""
    if not images.REFERENCE.fullmatch(reference):
        raise images.not_resolved(
            reference,
            "no container engine here, so only images that `drydock build` registered in ECR can "
            "run",
        )
    return images.read_folder(images.look_up(clients, execution_role, reference), reference)


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
    command = images.command_line(image, definition)
    if not command:
        raise TaskFailed(
            "CannotStartContainerError: Error response from daemon: no command specified"
        )
    mounts = Mounts(parts.volumes, definition, sandbox.directory)
    environment = {**_surroundings(image, sandbox.directory / name), **parts.environment}
    return ContainerSpec(
        name=name,
        command=[mounts.point(word) for word in command],
        environment={key: mounts.point(value) for key, value in environment.items()},
        working_directory=image.context,
        log=parts.log,
        memory_mib=definition.get("memory"),
        stop_timeout=parts.stop_timeout,
    )


def _surroundings(image: images.Image, scratch: Path) -> dict[str, str]:
    """What an image would give. Of the server's own environment only where software is."""
    for folder in (scratch / "home", scratch / "tmp"):
        folder.mkdir(parents=True)
    binaries = Path(sys.executable).parent
    return {
        **{key: os.environ[key] for key in FROM_HOST if key in os.environ},
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        **{k: v for k, v in image.environment.items() if k not in NOT_FROM_IMAGE},
        "PATH": f"{binaries}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
    }
