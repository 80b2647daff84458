"""From a task's container definitions to what a runtime can start: secrets, images, logs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.ecs import arns, awslogs, images, network, secret_values
from localcloud.ecs.failures import TaskFailed
from localcloud.ecs.models import Item
from localcloud.ecs.volumes import Mounts
from localcloud.runtimes.base import ContainerSpec, LogBatch, Sandbox

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

DEFAULT_STOP_TIMEOUT_SECONDS = 30
# Where the machine keeps the software that stands in for the image's own.
FROM_HOST = ("LD_LIBRARY_PATH", "CONDA_PREFIX", "JAVA_HOME", "ODBCSYSINI", "ODBCINI")
NOT_FROM_IMAGE = ("PATH", "HOME", "TMPDIR", "HOST")
NEEDS_ENGINE = ("volumesFrom", "environmentFiles")


class Preparation:
    """The steps before a task's containers start. Each raises TaskFailed."""

    def __init__(self, ecs: Ecs, task: Item, definitions: dict[str, dict[str, Any]], roles: dict):
        self._ecs, self._task, self._definitions = ecs, task, definitions
        self._execution_role, self._task_role = roles["executionRoleArn"], roles["taskRoleArn"]
        self._secrets: dict[str, dict[str, str]] = {}
        self._images: dict[str, images.Image] = {}
        self._volumes = ecs.state.get("definition", task.private["definition"]).wire["volumes"]

    def fetch_secrets(self) -> None:
        for name, definition in self._definitions.items():
            wanted = definition.get("secrets", [])
            self._secrets[name] = secret_values.fetch(
                self._ecs.clients, self._execution_role, wanted
            )

    def pull_images(self) -> None:
        for container in self._task.wire["containers"]:
            try:
                image = images.pull(self._ecs.clients, self._execution_role, container["image"])
            except TaskFailed as failure:
                container["reason"] = str(failure)
                raise
            container["imageDigest"] = image.digest
            self._images[container["name"]] = image

    def specs(self, sandbox: Sandbox) -> list[ContainerSpec]:
        return [self._spec(definition, sandbox) for definition in self._definitions.values()]

    def _spec(self, definition: dict[str, Any], sandbox: Sandbox) -> ContainerSpec:
        name = definition["name"]
        for feature in NEEDS_ENGINE:
            if definition.get(feature):
                raise TaskFailed(
                    f"CannotCreateContainerError: container {name}: {feature} cannot be honoured "
                    "without a container engine"
                )
        image = self._images[name]
        command = images.command_line(image, definition)
        if not command:
            raise TaskFailed(
                "CannotStartContainerError: Error response from daemon: no command specified"
            )
        mounts = Mounts(self._volumes, definition, sandbox.directory)
        environment = self._environment(definition, image, sandbox.directory / name)
        return ContainerSpec(
            name=name,
            command=[mounts.point(word) for word in command],
            environment={key: mounts.point(value) for key, value in environment.items()},
            working_directory=image.context,
            log=self._log(definition),
            memory_mib=definition.get("memory"),
            stop_timeout=definition.get("stopTimeout", DEFAULT_STOP_TIMEOUT_SECONDS),
        )

    def _gpus(self, name: str) -> dict[str, str]:
        """The reserved GPUs, told as NVIDIA's container runtime tells them."""
        shown = next(c for c in self._task.wire["containers"] if c["name"] == name)
        ids = shown.get("gpuIds")
        return {"NVIDIA_VISIBLE_DEVICES": ",".join(ids)} if ids else {}

    def _log(self, definition: dict[str, Any]) -> Callable[[LogBatch], None]:
        if definition.get("logConfiguration", {}).get("logDriver") != "awslogs":
            return lambda lines: None
        role = self._execution_role
        return awslogs.LogStream(self._ecs.clients, role, definition, self._task.key).write

    def _environment(
        self, definition: dict[str, Any], image: images.Image, scratch: Path
    ) -> dict[str, str]:
        """All that the container sees. Of the server's own only where software is."""
        for folder in (scratch / "home", scratch / "tmp"):
            folder.mkdir(parents=True)
        binaries = Path(sys.executable).parent
        name, address = definition["name"], network.address_of(self._task)
        token = self._task.private["tokens"][name]
        return {
            **{key: os.environ[key] for key in FROM_HOST if key in os.environ},
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            **{k: v for k, v in image.environment.items() if k not in NOT_FROM_IMAGE},
            "PATH": f"{binaries}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(scratch / "home"),
            "TMPDIR": str(scratch / "tmp"),
            "HOSTNAME": f"ip-{address.replace('.', '-')}.ec2.internal",
            "HOST": address,
            "AWS_ENDPOINT_URL": self._ecs.endpoint,
            "AWS_REGION": arns.REGION,
            "AWS_DEFAULT_REGION": arns.REGION,
            "AWS_EXECUTION_ENV": f"AWS_ECS_{self._task.private['launch_type']}",
            **self._gpus(name),
            **self._ecs.endpoints.register(token, self._task, name, self._task_role),
            **{pair["name"]: pair.get("value", "") for pair in definition["environment"]},
            **self._secrets[name],
        }
