"""From a task's container definitions to what a runtime can start: secrets, images, logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import awslogs, network, process_containers, secret_values
from localcloud.ecs.models import Item
from localcloud.ecs.paths import Paths
from localcloud.failures import TaskFailed
from localcloud.images.pull import pull
from localcloud.runtimes.base import ContainerSpec, LogBatch, Sandbox

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs
    from localcloud.images.pull import PulledImage

DEFAULT_STOP_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Parts:
    """What a container is made of, whichever runtime runs it. ``siblings`` are the definitions of
    all the task's containers, by name; ``environment`` is what ECS and the definition give."""

    definition: dict[str, Any]
    siblings: dict[str, dict[str, Any]]
    volumes: list[dict[str, Any]]
    image: PulledImage
    environment: dict[str, str]
    log: Callable[[LogBatch], None]

    @property
    def stop_timeout(self) -> float:
        return self.definition.get("stopTimeout", DEFAULT_STOP_TIMEOUT_SECONDS)


class Preparation:
    """The steps before a task's containers start. Each raises TaskFailed."""

    def __init__(self, ecs: Ecs, task: Item, definitions: dict[str, dict[str, Any]], roles: dict):
        self._ecs, self._task, self._definitions = ecs, task, definitions
        self._execution_role, self._task_role = roles["executionRoleArn"], roles["taskRoleArn"]
        self._secrets: dict[str, dict[str, str]] = {}
        self._images: dict[str, PulledImage] = {}
        self._paths = Paths(ecs, task)
        self._volumes = ecs.state.get("definition", task.private["definition"]).wire["volumes"]

    def fetch_secrets(self) -> None:
        for name, definition in self._definitions.items():
            wanted = definition.get("secrets", [])
            for secret in wanted:
                self._paths.check_secret(secret["valueFrom"])
            self._secrets[name] = secret_values.fetch(
                self._ecs.clients, self._execution_role, wanted
            )

    def pull_images(self) -> None:
        for container in self._task.wire["containers"]:
            try:
                self._paths.check_image(container["image"])
                image = pull(
                    self._ecs.runtime, self._ecs.clients, self._execution_role, container["image"]
                )
            except TaskFailed as failure:
                container["reason"] = str(failure)
                raise
            container["imageDigest"] = image.digest
            self._images[container["name"]] = image

    def specs(self, sandbox: Sandbox) -> list[ContainerSpec]:
        return [self._spec(definition, sandbox) for definition in self._definitions.values()]

    def _spec(self, definition: dict[str, Any], sandbox: Sandbox) -> ContainerSpec:
        if definition.get("environmentFiles"):
            raise TaskFailed(
                f"CannotCreateContainerError: container {definition['name']}: environmentFiles "
                "cannot be honoured by the local cloud"
            )
        parts = Parts(
            definition,
            self._definitions,
            self._volumes,
            self._images[definition["name"]],
            self._environment(definition),
            self._log(definition),
        )
        if self._ecs.runtime.kind == "process":
            return process_containers.spec(parts, sandbox)
        from localcloud.ecs import engine_containers

        return engine_containers.spec(parts, sandbox, self._ecs.certificates)

    def _gpus(self, name: str) -> dict[str, str]:
        """The reserved GPUs, told as NVIDIA's container runtime tells them."""
        shown = next(c for c in self._task.wire["containers"] if c["name"] == name)
        ids = shown.get("gpuIds")
        return {"NVIDIA_VISIBLE_DEVICES": ",".join(ids)} if ids else {}

    def _log(self, definition: dict[str, Any]) -> Callable[[LogBatch], None]:
        if definition.get("logConfiguration", {}).get("logDriver") != "awslogs":
            return lambda lines: None
        self._paths.check_logs(definition)
        role = self._execution_role
        return awslogs.LogStream(self._ecs.clients, role, definition, self._task.key).write

    def _environment(self, definition: dict[str, Any]) -> dict[str, str]:
        """All that ECS itself gives a container."""
        name, address = definition["name"], network.address_of(self._task)
        token = self._task.private["tokens"][name]
        return {
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
