"""The process runtime: containers as ordinary processes of this machine, with real limits."""

from __future__ import annotations

import functools
import hashlib
import shutil
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

from localcloud.runtimes import cgroups, disk, engine_remains, orphans, watchdog
from localcloud.runtimes.base import ContainerSpec, Network, Usage
from localcloud.runtimes.container import ProcessContainer

SAMPLE_SECONDS = 0.2
GROUP_NOTE = ".cgroup.json"


class ProcessRuntime:
    """Runs sandboxes below ``root``, a directory that belongs to this runtime alone.

    Limits are control groups where this process may make them, else the watchdog;
    ``enforcement`` ("cgroup" or "watchdog") says which, and forces the latter when given.
    Every sandbox uses this machine's network.
    """

    kind = "process"

    def __init__(self, root: Path, enforcement: str = "auto"):
        self.root = root
        name = "drydock-" + hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]
        self.groups = None if enforcement == "watchdog" else cgroups.usable_root(name)
        self.enforcement = "cgroup" if self.groups else "watchdog"
        self._sandboxes: set[ProcessSandbox] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._monitor = threading.Thread(target=self._watch, name="runtime-monitor", daemon=True)
        self._monitor.start()

    def sandbox(
        self,
        name: str,
        cpu: float,
        memory_mib: int,
        disk_gib: int | None = None,
        network: Network | None = None,
    ) -> ProcessSandbox:
        sandbox = ProcessSandbox(self, name, cpu, memory_mib)
        if disk_gib:
            disk.mount(sandbox.directory, disk_gib)
        with self._changed:
            self._sandboxes.add(sandbox)
            self._changed.notify()
        return sandbox

    def forget(self, sandbox: ProcessSandbox) -> None:
        with self._changed:
            self._sandboxes.discard(sandbox)

    def sandbox_of(self, peer_port: int) -> str | None:
        return None

    def sweep(self) -> None:
        engine_remains.sweep(self.root)  # if tasks ran in containers before
        noted = self.root / GROUP_NOTE
        former = cgroups.noted(noted)
        orphans.kill(self.root, former)
        if former:
            former.remove()
        disk.sweep(self.root)
        for entry in self.root.iterdir():
            shutil.rmtree(entry, ignore_errors=True)
        noted.unlink(missing_ok=True)
        if self.groups:
            cgroups.note(self.groups, noted)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._monitor.join()
        if self.groups:
            self.groups.remove()
            (self.root / GROUP_NOTE).unlink(missing_ok=True)

    def _watch(self) -> None:
        """Measure every sandbox a few times a second; without control groups, enforce as well."""
        pause = SAMPLE_SECONDS if self.groups else watchdog.TICK_SECONDS
        last = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._sandboxes or self._closed)
                if self._closed:
                    return
                sandboxes = list(self._sandboxes)
            now = time.monotonic()
            try:
                self._look_at(sandboxes, min(now - last, 1.0))
            except Exception:
                traceback.print_exc()  # the other sandboxes still need their limits
            last = now
            time.sleep(pause)

    def _look_at(self, sandboxes: list[ProcessSandbox], seconds: float) -> None:
        if self.groups:
            for sandbox in sandboxes:
                sandbox.sample()
            return
        trees = watchdog.below({c.shim_pid for s in sandboxes for c in s.containers})
        for sandbox in sandboxes:
            sandbox.enforce(trees, seconds)


class ProcessSandbox:
    """A scratch directory, and limits that all its containers share."""

    def __init__(self, runtime: ProcessRuntime, name: str, cpu: float, memory_mib: int):
        self.name = name
        self.containers: list[ProcessContainer] = []
        self.directory = runtime.root / name
        self._runtime = runtime
        self._usage = Usage()
        self._over_limit: set[int] = set()
        memory = memory_mib << 20
        self._tree = watchdog.Tree(cpu, memory)
        self._container_trees: dict[int, watchdog.Tree] = {}
        self.directory.mkdir(parents=True)
        self._group = runtime.groups and runtime.groups.child(name, cpu, memory)

    def start(self, spec: ContainerSpec) -> ProcessContainer:
        limit = spec.memory_mib << 20 if spec.memory_mib else None
        if self._group:
            group = self._group.child(spec.name, memory=limit)
            files, killed = group.procs_files, lambda _: group.out_of_memory_kills() > 0
        else:
            group, files, killed = None, [], self._over_limit.__contains__
        scratch = self.directory / spec.name
        scratch.mkdir(exist_ok=True)
        rest = functools.partial(orphans.kill, scratch, group)
        container = ProcessContainer(spec, files, killed, rest)
        if limit:
            self._container_trees[container.shim_pid] = watchdog.Tree(float("inf"), limit)
        orphans.record(scratch, [container.shim_pid, container.pid])
        self.containers.append(container)
        return container

    def usage(self) -> Usage:
        """While running: sampled. A container that has ended counts with its exact CPU time, and
        its largest process's resident set counts towards the peak, however short it lived."""
        seen, ended = self._usage, [c for c in self.containers if c.cpu_seconds]
        peak = max([seen.memory_peak_bytes, *(c.memory_peak_bytes for c in ended)])
        cpu = max(seen.cpu_seconds, sum(c.cpu_seconds for c in ended))
        return Usage(cpu, peak, seen.memory_bytes)

    def sample(self) -> None:
        with suppress(OSError, ValueError):
            memory = self._group.memory_bytes()
            peak = max(memory, self._usage.memory_peak_bytes)
            self._usage = Usage(self._group.cpu_seconds(), peak, memory)

    def enforce(self, trees: dict[int, list], seconds: float) -> None:
        """The watchdog's turn: ``trees`` are the processes below each shim, ``seconds`` the time
        since the last turn."""
        live = {c: trees.get(c.shim_pid, []) for c in list(self.containers)}
        processes = [process for tree in live.values() for process in tree]
        spent, resident = self._tree.measure(processes)
        used = self._usage
        peak = max(used.memory_peak_bytes, resident)
        self._usage = Usage(used.cpu_seconds + spent, peak, resident)
        self._tree.throttle(processes, spent, seconds)
        for container, tree in live.items():
            own = self._container_trees.get(container.shim_pid)
            if own and own.measure(tree)[1] > own.memory:
                self._kill(container)
        if resident > self._tree.memory:
            self._kill(max(live, key=lambda c: watchdog.Tree(0, 0).measure(live[c])[1]))

    def _kill(self, container: ProcessContainer) -> None:
        self._over_limit.add(container.shim_pid)
        threading.Thread(target=container.kill, daemon=True).start()

    def remove(self) -> None:
        for container in self.containers:
            container.kill()
        self._runtime.forget(self)
        if self._group:
            orphans.kill_group(self._group)
            self._group.remove()
        else:
            orphans.kill(self.directory)
        disk.unmount(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)
