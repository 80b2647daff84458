"""A task's containers on a container engine: images that were really built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.ecs import volumes
from localcloud.runtimes.base import ContainerSpec, Mount, Sandbox

if TYPE_CHECKING:
    from localcloud.ecs.prepare import Parts


def spec(parts: Parts, sandbox: Sandbox, certificates: Path) -> ContainerSpec:
    """``certificates`` is what databases are verified with: a container sees it at the path that
    it has on this machine. Raises TaskFailed."""
    definition = parts.definition
    mounts = volumes.engine_mounts(parts.volumes, definition, parts.siblings)
    if certificates.is_file():
        mounts.append(Mount(str(certificates), str(certificates), read_only=True))
    directory = definition.get("workingDirectory")
    return ContainerSpec(
        name=definition["name"],
        command=list(definition.get("command") or []),
        entry_point=list(definition.get("entryPoint") or []),
        environment=parts.environment,
        working_directory=Path(directory) if directory else None,
        log=parts.log,
        memory_mib=definition.get("memory"),
        stop_timeout=parts.stop_timeout,
        image=parts.image.engine_id,
        mounts=tuple(mounts),
        settings=_settings(definition),
    )


def _settings(definition: dict[str, Any]) -> dict[str, Any]:
    """What else a container definition asks for, in the words of Docker's client."""
    linux = definition.get("linuxParameters") or {}
    capabilities = linux.get("capabilities") or {}
    limits = definition.get("ulimits") or []
    shared = linux.get("sharedMemorySize")
    wanted = {
        "user": definition.get("user"),
        "read_only": definition.get("readonlyRootFilesystem"),
        "privileged": definition.get("privileged"),
        "labels": definition.get("dockerLabels"),
        "init": linux.get("initProcessEnabled"),
        "cap_add": capabilities.get("add"),
        "cap_drop": capabilities.get("drop"),
        "shm_size": f"{shared}m" if shared else None,
        "tmpfs": {t["containerPath"]: _tmpfs(t) for t in linux.get("tmpfs") or []},
        "ulimits": [
            {"name": one["name"], "soft": one["softLimit"], "hard": one["hardLimit"]}
            for one in limits
        ],
    }
    return {name: value for name, value in wanted.items() if value}


def _tmpfs(wanted: dict[str, Any]) -> str:
    return ",".join([f"size={wanted['size']}m", *wanted.get("mountOptions", [])])
