"""From a pod's container to what a runtime can start, with the images that ECS tasks use too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.failures import TaskFailed
from localcloud.images import folders
from localcloud.images.pull import pull as pull_image
from localcloud.kubernetes import sizes
from localcloud.kubernetes.pod_environment import environment, expand
from localcloud.kubernetes.pod_volumes import Volumes, pointer
from localcloud.runtimes.base import ContainerSpec, Mount, Sandbox

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.pod_logs import LogFile
    from localcloud.kubernetes.store import Object

MIB = 2**20


class CannotPull(Exception):
    """The image cannot be had; the message is containerd's."""


def pull(cluster: Cluster, reference: str) -> Any:
    """Raises CannotPull."""
    footing = cluster.footing
    try:
        return pull_image(footing.runtime, footing.clients, None, reference)
    except TaskFailed as failure:
        why = str(failure).partition("failed to resolve ref ")[2].partition(": ")[2]
        why = why or str(failure).partition(": ")[2]
        code = "NotFound" if "not found" in why else "Unknown"
        raise CannotPull(
            f'Failed to pull image "{reference}": rpc error: code = {code} desc = failed to pull '
            f'and unpack image "{reference}": failed to resolve reference "{reference}": {why}'
        ) from None


def spec(
    cluster: Cluster, pod: Object, container: Object, image: Any, sandbox: Sandbox, parts: Parts
) -> ContainerSpec:
    """Raises NotYet while something that it names is missing."""
    known = environment(cluster, pod, container)
    words = {
        "entryPoint": [expand(word, known) for word in container.get("command", [])],
        "command": [expand(word, known) for word in container.get("args", [])],
    }
    mounts = parts.volumes.mounts(container)
    limit = sizes.amounts(container.get("resources", {}).get("limits")).get(sizes.MEMORY)
    common = {
        "name": parts.name,
        "log": parts.log.write,
        "memory_mib": max(1, limit // MIB) if limit else None,
        "stop_timeout": parts.grace,
    }
    directory = container.get("workingDir")
    if cluster.footing.runtime.kind == "process":
        point = pointer(mounts)
        command = folders.command_line(image, words)
        known = {**folders.environment(image, sandbox.directory / parts.name), **known}
        return ContainerSpec(
            command=[point(word) for word in command],
            environment={key: point(value) for key, value in known.items()},
            working_directory=Path(point(directory)) if directory else image.context,
            **common,
        )
    found = [Mount(str(folder), path, ro) for path, (folder, ro) in mounts.items()]
    certificates = cluster.footing.certificates
    if certificates.is_file():
        found.append(Mount(str(certificates), str(certificates), read_only=True))
    return ContainerSpec(
        command=words["command"],
        entry_point=words["entryPoint"],
        environment=known,
        working_directory=Path(directory) if directory else None,
        image=image.engine_id,
        mounts=tuple(found),
        settings=_settings(pod, container),
        **common,
    )


class Parts:
    """What else a container is made of: its name in the sandbox, its volumes, its log."""

    def __init__(self, name: str, volumes: Volumes, log: LogFile, grace: float):
        self.name, self.volumes, self.log, self.grace = name, volumes, log, grace


def _settings(pod: Object, container: Object) -> dict[str, Any]:
    """The security context in the words of Docker's client."""
    context = {**pod["spec"].get("securityContext", {}), **container.get("securityContext", {})}
    user = context.get("runAsUser")
    found = {
        "user": f"{user}:{context.get('runAsGroup', user)}" if user is not None else None,
        "read_only": context.get("readOnlyRootFilesystem"),
        "privileged": context.get("privileged"),
        "cap_add": context.get("capabilities", {}).get("add"),
        "cap_drop": context.get("capabilities", {}).get("drop"),
    }
    return {name: value for name, value in found.items() if value}


def plain_name(name: str, attempt: int) -> str:
    """A name that no earlier run of the container has in its sandbox."""
    return re.sub(r"[^a-z0-9-]", "-", name) + (f".{attempt}" if attempt else "")
