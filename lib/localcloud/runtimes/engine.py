"""The container runtime: containers of Docker, Podman or any engine that speaks Docker's API.

What a sandbox shares: a control group, where we may make one for the engine, else every container
gets the sandbox's limits for itself; and a network of its own with doors (see ``doors``), where we
can enter it, else this machine's. A container that does nothing holds that network.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

from localcloud.runtimes import engine_client, engine_groups, engine_remains
from localcloud.runtimes.base import OUT_OF_MEMORY, ContainerSpec, Network, Usage
from localcloud.runtimes.doors import Doors, SandboxDoors
from localcloud.runtimes.engine_client import HOME_LABEL, Engine, plainly
from localcloud.runtimes.engine_container import EngineContainer

TICK_SECONDS = 0.1
CLOSELY_EVERY_TICKS = 10
LOG = {"type": "json-file", "config": {}}


class EngineRuntime:
    """Runs sandboxes on ``engine``; ``root`` is a directory that belongs to this runtime alone.

    ``groups`` and ``networks`` say whether sandboxes share limits, and have networks of their own.
    """

    kind = "container"

    def __init__(self, root: Path, engine: Engine):
        self.root, self.engine = root, engine
        self.home = engine_groups.name_for(root)
        self.client = engine_client.connect(engine)
        engine_remains.note(root, engine.address)
        self.groups = engine.groups and engine_groups.usable(self.home)
        self.networks = engine.here
        self._doors = Doors() if self.networks else None
        self._sandboxes: set[EngineSandbox] = set()
        self._changed = threading.Condition()
        self._closed, self._left_nothing = False, True
        self._monitor = threading.Thread(target=self._watch, name="runtime-monitor", daemon=True)
        self._monitor.start()

    def sandbox(
        self,
        name: str,
        cpu: float,
        memory_mib: int,
        disk_gib: int | None = None,
        network: Network | None = None,
    ) -> EngineSandbox:
        sandbox = EngineSandbox(self, name, cpu, memory_mib)
        try:
            if network and self._doors:
                with plainly(self.engine):
                    sandbox.isolate(self._doors, network)
        except BaseException:
            sandbox.remove()
            raise
        with self._changed:
            self._sandboxes.add(sandbox)
            self._changed.notify()
        return sandbox

    def forget(self, sandbox: EngineSandbox) -> None:
        with self._changed:
            self._sandboxes.discard(sandbox)

    def left_something(self) -> None:
        """The engine may keep something that the next server has to sweep."""
        self._left_nothing = False

    def sandbox_of(self, peer_port: int) -> str | None:
        return self._doors.sandbox_of(peer_port) if self._doors else None

    def find_image(self, reference: str) -> str | None:
        """The id of an image in the engine's store."""
        with plainly(self.engine), suppress(ImageNotFound):
            return self.client.images.get(reference).id
        return None

    def pull_image(self, reference: str) -> str:
        """The id of an image that the engine fetches from its registry. Raises OSError."""
        with plainly(self.engine):
            return self.client.images.pull(reference).id

    def sweep(self) -> None:
        engine_remains.sweep(self.root)
        self._left_nothing = True
        for entry in self.root.iterdir():
            shutil.rmtree(entry, ignore_errors=True)
        engine_remains.note(self.root, self.engine.address)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._monitor.join()
        if self._doors:
            self._doors.close()
        if self.groups:
            engine_groups.remove(f"/{self.home}")
        self.client.close()
        if self._left_nothing:
            engine_remains.forget(self.root, self.engine.address)

    def _watch(self) -> None:
        """Measure every sandbox, and now and then look what it may reach."""
        tick = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._sandboxes or self._closed)
                if self._closed:
                    return
                sandboxes = list(self._sandboxes)
            tick += 1
            for sandbox in sandboxes:
                try:
                    sandbox.look(closely=tick % CLOSELY_EVERY_TICKS == 0)
                except Exception:
                    traceback.print_exc()
            time.sleep(TICK_SECONDS)


class EngineSandbox:
    """Containers with shared limits, network and volumes."""

    def __init__(self, runtime: EngineRuntime, name: str, cpu: float, memory_mib: int):
        self.name, self.directory = name, runtime.root / name
        self._runtime, self._cpu, self._memory = runtime, cpu, memory_mib << 20
        self._containers: list[EngineContainer] = []
        self._made: list[Container] = []
        self._doors: SandboxDoors | None = None
        self._network_of: Container | None = None
        self._usage = Usage()
        self._lock = threading.Lock()  # a removed sandbox is not looked at
        self._removed = False
        self.directory.mkdir(parents=True)
        self._group = None
        if runtime.groups:
            self._group = engine_groups.TaskGroup(runtime.home, name, cpu, self._memory)

    def isolate(self, doors: Doors, network: Network) -> None:
        """Give it a network of its own."""
        image = engine_client.pause_image(self._runtime.client)
        group = {"cgroup_parent": f"/{self._runtime.home}"} if self._group else {}
        self._network_of = self._create(
            "pause", image=image, entrypoint=["/pause"], network_mode="none", **group
        )
        self._network_of.start()
        self._network_of.reload()
        self._doors = doors.open(self.name, self._network_of.attrs["State"]["Pid"], network)

    def start(self, spec: ContainerSpec) -> EngineContainer:
        group, limit = self._group, spec.memory_mib << 20 if spec.memory_mib else None
        settings: dict[str, Any] = {"network_mode": "host"}
        if self._network_of:
            settings["network_mode"] = f"container:{self._network_of.id}"
        if group:
            settings["cgroup_parent"] = group.parent
        else:
            settings["nano_cpus"] = round(self._cpu * 1e9)
            limit = limit or self._memory
        if limit:
            settings |= {"mem_limit": limit, "memswap_limit": limit}
        if spec.entry_point:
            settings["entrypoint"] = spec.entry_point
        if spec.working_directory:
            settings["working_dir"] = str(spec.working_directory)
        with plainly(self._runtime.engine):
            made = self._create(
                spec.name,
                image=spec.image,
                command=spec.command or None,
                environment=spec.environment,
                volumes=self._volumes(spec),
                **{**spec.settings, **settings},
            )
        ran_out = (lambda: group.ran_out(limit)) if group else (lambda: True)
        container = EngineContainer(
            spec, made, ran_out, self._kill_all, here=self._runtime.engine.here
        )
        self._containers.append(container)
        return container

    def _create(self, name: str, **settings: Any) -> Container:
        labels = {**settings.pop("labels", {}), HOME_LABEL: str(self._runtime.root)}
        made = self._runtime.client.containers.create(
            name=f"drydock-{self.name}-{name}",
            labels=labels,
            healthcheck={"test": ["NONE"]},  # of the image: ECS and Kubernetes have their own
            log_config=LOG,
            **settings,
        )
        self._made.append(made)
        return made

    def _volumes(self, spec: ContainerSpec) -> list[str]:
        found = []
        for mount in spec.mounts:
            source = mount.source
            if not source.startswith("/"):
                source = f"drydock-{self.name}-{mount.source}"
                labels = {HOME_LABEL: str(self._runtime.root)}
                self._runtime.client.volumes.create(source, labels=labels)
            found.append(f"{source}:{mount.target}:{'ro' if mount.read_only else 'rw'}")
        return found

    def _kill_all(self, pid: int) -> None:
        if self._group:
            self._group.kill()
        elif self._runtime.engine.here:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def look(self, closely: bool) -> None:
        """The monitor's turn; closely is what takes calls."""
        with self._lock:
            if self._removed:
                return
            if closely and self._doors:
                self._doors.update()
            if self._group:
                self._note(self._group.cpu_seconds(), self._group.memory_bytes())
            elif closely:
                measured = [container.measure() for container in self._containers]
                self._note(sum(cpu for cpu, _ in measured), sum(memory for _, memory in measured))

    def _note(self, cpu_seconds: float, memory: int) -> None:
        peak = max(memory, self._usage.memory_peak_bytes)
        self._usage = Usage(cpu_seconds, peak, memory)

    def usage(self) -> Usage:
        """CPU time is the kernel's. Memory is sampled, as the kernel's highest charge also counts
        page cache; where that reached the limit, it is the peak."""
        seen = self._usage
        if not self._group or self._removed:
            return seen
        with suppress(OSError, ValueError):
            ends = [container.wait(0) for container in self._containers]
            ran_out = any(end and end.reason == OUT_OF_MEMORY for end in ends)
            peak = self._group.peak_bytes() if ran_out else seen.memory_peak_bytes
            self._usage = Usage(self._group.cpu_seconds(), peak, seen.memory_bytes)
        return self._usage

    def remove(self) -> None:
        self._runtime.forget(self)
        with self._lock:
            self.usage()
            self._removed = True
            if self._doors:
                self._doors.close()
        steps: list[Callable[[], Any]] = [container.kill for container in self._containers]
        steps += [lambda made=made: engine_client.remove(made) for made in self._made[::-1]]
        steps += [self._remove_volumes]
        for step in steps:
            # What an engine that is away keeps of it, the next start of the server sweeps.
            try:
                step()
            except (DockerException, OSError):
                self._runtime.left_something()
        if self._group:
            self._group.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _remove_volumes(self) -> None:
        prefix = f"drydock-{self.name}-"
        for volume in self._runtime.client.volumes.list(filters={"name": prefix}):
            volume.remove(force=True)
