"""Volumes that the containers of one task share.

A bind volume without a host path is a folder that lives as long as its task, on Fargate and on EC2.
With a container engine it is a volume of the engine. Without one it is a folder in the task's
scratch directory. A process sees this machine's files, so nothing can
be mounted at ``containerPath``; instead the path is replaced wherever the container's command or
environment names it. A program that takes its folder from there, as it should, runs unchanged; one
that has the path in its code does not find the volume. ``readOnly`` is not enforced.

Docker's own volumes and a path of the host need an engine; EFS, FSx and EBS are not here at all.
Their task stops with a CannotCreateContainerError that says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from localcloud.ecs import errors
from localcloud.failures import TaskFailed
from localcloud.runtimes.base import Mount

# No container can have this name, so the folder cannot be a container's own.
FOLDER = ".volumes"
DOCKER = "dockerVolumeConfiguration"
OTHER_KINDS = {
    "efsVolumeConfiguration": "EFS",
    "fsxWindowsFileServerVolumeConfiguration": "FSx",
    DOCKER: "Docker",
    "configuredAtLaunch": "launch-time",
    "s3filesVolumeConfiguration": "S3 Files",
}


def check(request: dict[str, Any]) -> None:
    """The rules of volumes in RegisterTaskDefinition."""
    names = [volume.get("name") for volume in request.get("volumes", [])]
    if not all(names):
        raise errors.client_error("Volume name should not be null or empty.")
    if len(set(names)) < len(names):
        raise errors.client_error("Volume names must be unique within a Task Definition.")
    for container in request["containerDefinitions"]:
        paths = []
        for mount in container.get("mountPoints", []):
            if mount.get("sourceVolume") not in names:
                raise errors.client_error(f"Unknown volume '{mount.get('sourceVolume')}'.")
            if not mount.get("containerPath", "").startswith("/"):
                raise errors.client_error(
                    f"Invalid mount point of container '{container['name']}': containerPath must "
                    "be an absolute path."
                )
            paths.append(mount["containerPath"].rstrip("/"))
        if len(set(paths)) < len(paths) or "" in paths:
            raise errors.client_error(
                f"Invalid mount points of container '{container['name']}': each needs a "
                "containerPath of its own."
            )


class Mounts:
    """One container's mount points, as folders below a task's directory."""

    def __init__(self, volumes: list[dict[str, Any]], container: dict[str, Any], root: Path):
        by_name = {volume["name"]: volume for volume in volumes}
        self._folders: dict[str, Path] = {}
        for mount in container.get("mountPoints", []):
            name = mount["sourceVolume"]
            _require_plain(container["name"], by_name[name])
            folder = root / FOLDER / str(list(by_name).index(name))
            folder.mkdir(parents=True, exist_ok=True)
            self._folders[mount["containerPath"].rstrip("/")] = folder
        longest_first = sorted(self._folders, key=len, reverse=True)
        paths = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![\w./-])({paths})(?![\w.-])") if paths else None

    def point(self, text: str) -> str:
        """``text`` with every mounted path replaced by its folder."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: str(self._folders[match[1]]), text)


def _require_plain(container: str, volume: dict[str, Any]) -> None:
    kinds = [words for name, words in OTHER_KINDS.items() if volume.get(name)]
    if volume.get("host", {}).get("sourcePath"):
        kinds.append("host path")
    if kinds:
        raise TaskFailed(
            f"CannotCreateContainerError: container {container}: the {kinds[0]} volume "
            f"{volume['name']} cannot be honoured without a container engine"
        )


def engine_mounts(
    volumes: list[dict[str, Any]],
    container: dict[str, Any],
    siblings: dict[str, dict[str, Any]],
) -> list[Mount]:
    """One container's mount points, and those that ``volumesFrom`` takes from its siblings."""
    names = [volume["name"] for volume in volumes]
    points = [(mount, False) for mount in container.get("mountPoints", [])]
    for other in container.get("volumesFrom", []):
        source = siblings[other["sourceContainer"]]
        read_only = other.get("readOnly", False)
        points += [(mount, read_only) for mount in source.get("mountPoints", [])]
    mounts = []
    for mount, read_only in points:
        at = names.index(mount["sourceVolume"])
        volume = volumes[at]
        kind = _not_here(volume)
        if kind:
            raise TaskFailed(
                f"CannotCreateContainerError: container {container['name']}: the {kind} "
                f"volume {volume['name']} cannot be honoured by the local cloud"
            )
        source = volume.get("host", {}).get("sourcePath") or f"volume-{at}"
        target = mount["containerPath"].rstrip("/")
        mounts.append(Mount(source, target, read_only or mount.get("readOnly", False)))
    return mounts


def _not_here(volume: dict[str, Any]) -> str | None:
    """What is asked of the volume that an engine's volume of this task alone would not be."""
    for kind, words in OTHER_KINDS.items():
        if volume.get(kind) and kind != DOCKER:
            return words
    wanted = volume.get(DOCKER) or {}
    # A shared one outlives its task: it would stay with the engine when everything else is removed.
    if wanted.get("scope") == "shared":
        return "shared Docker"
    driver = wanted.get("driver", "local")
    if driver != "local" or wanted.get("driverOpts"):
        return f"Docker {driver}" if driver != "local" else "Docker driverOpts"
    return None
