"""The control group of a task, below which an engine puts the task's containers.

An engine that manages groups itself (cgroupfs) looks for the parent that we name in every
hierarchy from its top. Version 1 has a hierarchy per controller, and the engine also makes
directories in those that we do not need: they are removed with the group.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from localcloud.runtimes import orphans
from localcloud.runtimes.cgroups import Group, mount_points

# A memory limit that was hit shows as a peak this close to it: whole pages, and per-CPU batches.
NEARLY = 0.99


class TaskGroup:
    """Shared limits of a task: ``cpu`` vCPU, and memory in bytes."""

    def __init__(self, home: str, task: str, cpu: float, memory: int):
        self.parent = f"/{home}/{task}"
        self._memory = memory
        self._group = _top().child(home).child(task, cpu, memory)

    def cpu_seconds(self) -> float:
        return self._group.cpu_seconds()

    def memory_bytes(self) -> int:
        return self._group.memory_bytes()

    def peak_bytes(self) -> int:
        """The highest charge ever, page cache included."""
        name = "memory.peak" if self._group.version == 2 else "memory.max_usage_in_bytes"
        with suppress(OSError, ValueError):
            return int((self._group.memory / name).read_text())
        return 0

    def ran_out(self, limit: int | None) -> bool:
        """Whether the kernel had a reason to kill for memory: the task's limit, or a container's.

        Version 1 counts kills only in the container's own group, which is gone when it has
        ended; there a peak at the lower of the limits tells.
        """
        if self._group.version == 2:
            return self._group.out_of_memory_kills() > 0
        return self.peak_bytes() >= NEARLY * min(self._memory, limit or self._memory)

    def kill(self) -> None:
        """SIGKILL all that is in it, without asking the engine."""
        orphans.kill_group(self._group)

    def remove(self) -> None:
        remove(self.parent)


def name_for(root: Path) -> str:
    """The group of all tasks of the runtime that has this root."""
    return "drydock-engine-" + hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]


def remove(parent: str) -> None:
    """Delete a group with those below it, in every hierarchy, killing what still runs there."""
    for mount in set(mount_points().values()):
        directory = mount / parent.strip("/")
        if directory.is_dir():
            group = Group(2, directory, directory, directory)
            orphans.kill_group(group)
            group.remove()


def _top() -> Group:
    mounts = mount_points()
    if {"cpu", "cpuacct", "memory"} <= mounts.keys():
        return Group(1, mounts["cpu"], mounts["cpuacct"], mounts["memory"])
    return Group(2, *[mounts[""]] * 3)


def usable(home: str) -> bool:
    """Whether we may make such groups on this machine."""
    try:
        _top().child(home).child("probe", 1.0, 64 << 20)
        remove(f"/{home}/probe")
    except (OSError, KeyError):
        return False
    return True
