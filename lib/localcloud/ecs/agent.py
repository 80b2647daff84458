"""One task's life, from PROVISIONING to STOPPED."""

from __future__ import annotations

import queue
import secrets
import threading
import traceback
from typing import TYPE_CHECKING, Any

from localcloud.ecs import health, launch, load_balancing, metrics, network, surroundings
from localcloud.ecs.models import Item, now
from localcloud.ecs.prepare import Preparation
from localcloud.failures import TaskFailed
from localcloud.runtimes.base import CannotStart, Container, ContainerSpec, Sandbox, Usage

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

STOP, HEALTH = "stop", "health"
Event = tuple[str, str]


class StopRequested(Exception):
    """The task is to be stopped: by a caller, or because an essential container ended."""


class Agent:
    """Runs one task in the calling thread: ``run`` returns when it is STOPPED.

    Other threads only put events into its queue.
    """

    def __init__(self, ecs: Ecs, task: Item):
        self.task = task
        self._ecs, self._state = ecs, ecs.state
        definition = ecs.state.get("definition", task.private["definition"])
        overrides = task.private["overrides"]
        self._definitions = {
            c["name"]: c for c in launch.container_definitions(definition, overrides)
        }
        self._roles = {
            name: overrides.get(name, definition.wire.get(name))
            for name in ("executionRoleArn", "taskRoleArn")
        }
        disk = overrides.get("ephemeralStorage") or definition.wire.get("ephemeralStorage") or {}
        self._disk_gib = disk.get("sizeInGiB")
        self._events: queue.Queue[Event] = queue.Queue()
        self._sandbox: Sandbox | None = None
        self._running: dict[str, Container] = {}

    def request_stop(self) -> None:
        self._events.put((STOP, ""))

    def kill(self) -> None:
        """End its containers without any grace."""
        for container in list(self._running.values()):
            container.kill()

    def processes(self) -> list[int]:
        """Of each container the process whose descendants are all of the container's."""
        return [getattr(c, "shim_pid", c.pid) for c in list(self._running.values())]

    def usage(self) -> Usage | None:
        """What its containers have used so far; None before there are any."""
        return self._sandbox.usage() if self._sandbox else None

    def run(self) -> None:
        try:
            self._provision()
            self._start(self._prepare())
            while True:
                self._handle_event()
        except TaskFailed as failure:
            self._stop_with("TaskFailedToStart", str(failure))
        except StopRequested:
            pass
        except OSError as error:
            self._stop_with("TaskFailedToStart", f"CannotCreateContainerError: {error}")
        except Exception as error:
            traceback.print_exc()
            self._stop_with("TaskFailedToStart", f"ServerError: {error!r}: see the server's log")
        finally:
            self._finish()

    def _provision(self) -> None:
        with self._state.lock:
            network.attach(self.task, self._ecs.addresses.take())
            self._update(lastStatus="PENDING", connectivity="CONNECTED", connectivityAt=now())

    def _prepare(self) -> list[ContainerSpec]:
        preparation = Preparation(self._ecs, self.task, self._definitions, self._roles)
        preparation.fetch_secrets()
        self._check_stop()
        self._update(pullStartedAt=now())
        preparation.pull_images()
        self._update(pullStoppedAt=now())
        self._check_stop()
        vcpu, memory_mib = self.task.private["limits"]
        own = surroundings.network_of(self._ecs, self.task)
        self._sandbox = self._ecs.runtime.sandbox(
            self.task.key, vcpu, memory_mib, self._disk_gib, own
        )
        return preparation.specs(self._sandbox)

    def _start(self, specs: list[ContainerSpec]) -> None:
        """Start each container as soon as those it depends on are as far as it wants."""
        waiting = {spec.name: spec for spec in specs}
        while waiting:
            self._check_stop()
            ready = [name for name in waiting if self._may_start(name)]
            for name in ready:
                self._start_container(waiting.pop(name))
            if not ready:
                self._handle_event()
        load_balancing.attach(self._ecs, self.task)
        self._update(lastStatus="RUNNING", startedAt=now())

    def _may_start(self, name: str) -> bool:
        for dependency in self._definitions[name].get("dependsOn", []):
            other = self._container(dependency["containerName"])
            condition, status = dependency["condition"], other["lastStatus"]
            if condition == "SUCCESS" and other.get("exitCode", 0) != 0:
                raise TaskFailed(
                    f"Container {name} cannot start: its dependency {other['name']} exited with "
                    f"code {other['exitCode']}, not 0"
                )
            met = {
                "START": status != "PENDING",
                "COMPLETE": status == "STOPPED",
                "SUCCESS": status == "STOPPED",
                "HEALTHY": other["healthStatus"] == "HEALTHY",
            }
            if not met[condition]:
                return False
        return True

    def _start_container(self, spec: ContainerSpec) -> None:
        try:
            container = self._sandbox.start(spec)
        except CannotStart as error:
            reason = (
                "CannotStartContainerError: Error response from daemon: failed to create task for "
                f"container: OCI runtime create failed: unable to start container process: {error}"
                ": unknown"
            )
            self._container(spec.name).update(reason=reason, exitCode=127)
            raise TaskFailed(reason) from None
        self._running[spec.name] = container
        runtime_id = f"{self.task.key}-{secrets.randbelow(10**10):010d}"
        self._container(spec.name).update(lastStatus="RUNNING", runtimeId=runtime_id)
        threading.Thread(target=self._wait_for, args=(spec.name, container), daemon=True).start()
        check = self._definitions[spec.name].get("healthCheck")
        if check:
            health.watch(check, container, lambda status: self._tell_health(spec.name, status))

    def _wait_for(self, name: str, container: Container) -> None:
        container.wait()
        self._events.put(("exit", name))

    def _tell_health(self, name: str, status: str) -> None:
        with self._state.lock:
            self._container(name)["healthStatus"] = status
            overall = health.of_task(self.task.wire["containers"], self._definitions)
            self._update(healthStatus=overall)
        self._events.put((HEALTH, name))

    def _handle_event(self) -> None:
        """Wait for one event. Raises StopRequested when it ends the task."""
        kind, name = self._events.get()
        if kind == STOP:
            raise StopRequested
        if kind == HEALTH:
            return
        self._record_exit(name)
        if self._definitions[name]["essential"]:
            self._stop_with("EssentialContainerExited", "Essential container in task exited")
            raise StopRequested

    def _record_exit(self, name: str) -> None:
        status = self._running.pop(name).wait()
        container = self._container(name)
        container.update(lastStatus="STOPPED", exitCode=status.code)
        if status.reason:
            container["reason"] = status.reason
        self._update()

    def _finish(self) -> None:
        try:
            if self.task.private.get("targets"):
                self._update(lastStatus="DEACTIVATING")
                load_balancing.detach(self._ecs, self.task, wait=bool(self._running))
            self._update(lastStatus="STOPPING", stoppingAt=now())
            self._stop_containers()
            self._update(lastStatus="DEPROVISIONING", executionStoppedAt=now())
            if self._sandbox:
                usage = self._sandbox.usage()
                self._sandbox.remove()
                if "startedAt" in self.task.wire:
                    metrics.publish(self._ecs.clients, self.task, usage)
        finally:
            for token in self.task.private["tokens"].values():
                self._ecs.endpoints.forget(token)
            self._ecs.conclude(self.task)

    def _stop_containers(self) -> None:
        """All at once, each with its own stopTimeout."""
        stopping = [threading.Thread(target=c.stop) for c in self._running.values()]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        for name in list(self._running):
            self._record_exit(name)

    def _stop_with(self, code: str, reason: str) -> None:
        """Note why the task stops, unless it was being stopped already."""
        with self._state.lock:
            if self.task.wire["desiredStatus"] != "STOPPED":
                self._update(desiredStatus="STOPPED", stopCode=code, stoppedReason=reason)

    def _check_stop(self) -> None:
        if self.task.wire["desiredStatus"] == "STOPPED":
            raise StopRequested

    def _container(self, name: str) -> dict[str, Any]:
        return next(c for c in self.task.wire["containers"] if c["name"] == name)

    def _update(self, **changes: Any) -> None:
        with self._state.lock:
            self.task.wire.update(changes)
            self.task.wire["version"] += 1
            self._state.note(self.task)
