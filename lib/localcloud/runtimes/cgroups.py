"""Control groups, version 1 and 2: limits that the kernel enforces, where we may make them.

Version 1 groups are made below the server's own group, so that a task never escapes limits
that were put on the server. In version 2 a group that holds processes cannot have limited
children, so the nearest group upwards that hands out cpu and memory is used.
"""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PERIOD_MICROSECONDS = 100_000


@dataclass(frozen=True)
class Group:
    """One control group: a directory per hierarchy (one for version 2)."""

    version: int
    cpu: Path
    cpuacct: Path
    memory: Path

    @property
    def directories(self) -> list[Path]:
        return list(dict.fromkeys((self.cpu, self.cpuacct, self.memory)))

    @property
    def procs_files(self) -> list[Path]:
        return [directory / "cgroup.procs" for directory in self.directories]

    def child(self, name: str, cpu: float | None = None, memory: int | None = None) -> Group:
        """Make (or find) a group below this one, with limits in vCPU and bytes if given."""
        group = Group(self.version, self.cpu / name, self.cpuacct / name, self.memory / name)
        for directory in self.directories:
            directory.mkdir(exist_ok=True)
        if self.version == 2 and not {"cpu", "memory"} <= _words(self.cpu, "subtree_control"):
            (self.cpu / "cgroup.subtree_control").write_text("+cpu +memory")
        for directory in group.directories:
            directory.mkdir(exist_ok=True)
        if cpu is not None:
            group._limit_cpu(cpu)
        if memory is not None:
            group._limit_memory(memory)
        return group

    def _limit_cpu(self, cpu: float) -> None:
        quota = max(1000, round(cpu * PERIOD_MICROSECONDS))
        if self.version == 2:
            (self.cpu / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        else:
            (self.cpu / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (self.cpu / "cpu.cfs_quota_us").write_text(str(quota))

    def _limit_memory(self, limit: int) -> None:
        if self.version == 2:
            (self.memory / "memory.max").write_text(str(limit))
            with suppress(OSError):
                (self.memory / "memory.swap.max").write_text("0")
        else:
            (self.memory / "memory.limit_in_bytes").write_text(str(limit))
            with suppress(OSError):
                (self.memory / "memory.memsw.limit_in_bytes").write_text(str(limit))

    def cpu_seconds(self) -> float:
        if self.version == 2:
            return _fields(self.cpu / "cpu.stat").get("usage_usec", 0) / 1e6
        return int((self.cpuacct / "cpuacct.usage").read_text()) / 1e9

    def memory_bytes(self) -> int:
        """Charged memory less inactive page cache: what `docker stats` and Container Insights
        show."""
        stat = _fields(self.memory / "memory.stat")
        if self.version == 2:
            used, cache = "memory.current", stat.get("inactive_file", 0)
        else:
            used, cache = "memory.usage_in_bytes", stat.get("total_inactive_file", 0)
        return max(0, int((self.memory / used).read_text()) - cache)

    def out_of_memory_kills(self) -> int:
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        return _fields(self.memory / name).get("oom_kill", 0)

    def pids(self) -> set[int]:
        """Processes in this group and below, in any hierarchy."""
        found: set[int] = set()
        for directory in self.directories:
            for file in directory.rglob("cgroup.procs"):
                with suppress(OSError):
                    found.update(int(line) for line in file.read_text().split())
        return found

    def remove(self) -> None:
        """Delete this group and those below. Their processes must have ended."""
        for directory in self.directories:
            if not directory.exists():
                continue
            below = [path for path in directory.rglob("*") if path.is_dir()]
            for path in [*sorted(below, reverse=True), directory]:
                _remove_directory(path)


def note(group: Group, file: Path) -> None:
    """Write down where a group is, for a later process that itself lives elsewhere."""
    file.write_text(
        json.dumps([group.version, *map(str, (group.cpu, group.cpuacct, group.memory))])
    )


def noted(file: Path) -> Group | None:
    with suppress(OSError, ValueError):
        version, *directories = json.loads(file.read_text())
        return Group(version, *map(Path, directories))
    return None


def usable_root(name: str) -> Group | None:
    """The group ``name`` for our use, or None where this process may not make working ones."""
    for parent in _candidates():
        try:
            root = parent.child(name)
            probe = root.child("probe", cpu=1, memory=64 << 20)
            join = "".join(f"echo 0 > '{file}' && " for file in probe.procs_files)
            done = subprocess.run(["/bin/sh", "-c", join + "exit 0"], capture_output=True)
            probe.remove()
        except OSError:
            continue
        if done.returncode == 0:
            return root
    return None


def mount_points() -> dict[str, Path]:
    """Controller -> the top of its hierarchy; the empty name is version 2."""
    return {controller: point for controller, (_, point) in _mounts().items()}


def _candidates() -> list[Group]:
    """Groups below which ours may go, best first."""
    mounts, own = _mounts(), _own_groups()
    if {"cpu", "cpuacct", "memory"} <= mounts.keys():
        return [Group(1, *(_own(mounts, own, c) for c in ("cpu", "cpuacct", "memory")))]
    if "" not in mounts:
        return []
    top, path = mounts[""][1], _own(mounts, own, "")
    chain = [path, *path.parents]
    inside = [parent for parent in chain if parent == top or top in parent.parents]
    ready = [p for p in inside if {"cpu", "memory"} <= _words(p, "subtree_control")]
    return [Group(2, path, path, path) for path in ready]


def _mounts() -> dict[str, tuple[str, Path]]:
    """Controller -> (root of the mount, mount point); the empty name is version 2."""
    found: dict[str, tuple[str, Path]] = {}
    with suppress(OSError), open("/proc/self/mountinfo") as lines:
        for line in lines:
            before, _, after = line.partition(" - ")
            root, point = before.split()[3:5]
            kind, _, options = after.split()[:3]
            if kind == "cgroup2":
                found[""] = (root, Path(point))
            elif kind == "cgroup":
                for controller in options.split(","):
                    found.setdefault(controller, (root, Path(point)))
    return found


def _own_groups() -> dict[str, str]:
    """Controller -> this process's group, as /proc tells it."""
    found = {}
    with suppress(OSError), open("/proc/self/cgroup") as lines:
        for line in lines:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _own(mounts: dict[str, tuple[str, Path]], own: dict[str, str], controller: str) -> Path:
    root, point = mounts[controller]
    path = own.get(controller, "/")
    relative = path[len(root.rstrip("/")) :] if path.startswith(root.rstrip("/")) else "/"
    directory = point / relative.strip("/")
    return directory if directory.is_dir() else point


def _words(directory: Path, name: str) -> set[str]:
    with suppress(OSError):
        return set((directory / f"cgroup.{name}").read_text().split())
    return set()


def _fields(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _remove_directory(path: Path) -> None:
    # The kernel may take a moment to let go of a group whose last process has just ended.
    for _ in range(50):
        try:
            path.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
