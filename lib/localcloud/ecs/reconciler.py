"""What keeps services at their desired count, and rolls out new task definitions.

A new task counts as healthy once it is HEALTHY, or, without a health check, once it has been
RUNNING for a short while (``deployments.STEADY_SECONDS``). A task that becomes UNHEALTHY is
replaced. Old tasks are stopped only as far as minimumHealthyPercent of healthy tasks remain, so a
deployment that crashes never takes the working one with it. Tasks that fail soon after their
start are tried again with a growing delay.
"""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localcloud.ecs import (
    deployments,
    history,
    hosts,
    instances,
    launch,
    load_balancing,
    placement,
    protection,
    starting,
    tags,
)
from localcloud.ecs.models import Item, now

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

TICK_SECONDS = 0.5
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1.0, 60.0
PLACEMENT_RETRY_SECONDS = 1.0
UNSTABLE_AFTER = 3
BROKEN = "ECS deployment circuit breaker: tasks failed to start."
OWN_FAULT = ("EssentialContainerExited", "TaskFailedToStart")


class Reconciler:
    """A thread that brings every service closer to what it should be, after each change."""

    def __init__(self, ecs: Ecs):
        self._ecs, self._state = ecs, ecs.state
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="services", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._state.changed:
            self._stopping = True
            self._state.changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        cleaned = 0.0
        while not self._stopping:
            with self._state.lock:
                self._try(hosts.sync, self._ecs)
                for service in self._state.all("service"):
                    if service.wire["status"] != "INACTIVE":
                        self._try(self._tend, service)
            if time.monotonic() - cleaned > 60:
                self._state.drop_old_tasks()
                cleaned = time.monotonic()
            time.sleep(0.05)
            with self._state.changed:
                if not self._stopping:
                    self._state.changed.wait(TICK_SECONDS)

    @staticmethod
    def _try(work: Callable[[Any], None], subject: Any) -> None:
        """One service's trouble must not keep the others waiting."""
        try:
            work(subject)
        except Exception:
            traceback.print_exc()

    def _tend(self, service: Item) -> None:
        before = _fingerprint(service)
        tasks = list(self._state.tasks(service.cluster, service.wire["serviceName"]))
        live = [t for t in tasks if t.wire["desiredStatus"] == "RUNNING"]
        self._stop_unhealthy(service, live)
        self._note_ended(service, {task.key: task for task in tasks})
        self._stop_surplus(service, live)
        self._start_missing(service, live)
        self._count(service, tasks)
        self._conclude(service, tasks)
        if _fingerprint(service) != before:
            self._state.note(service)

    def _note_ended(self, service: Item, tasks: dict[str, Item]) -> None:
        """Count tasks of the primary deployment that ended through their own fault."""
        primary, private = service.wire["deployments"][0], service.private
        for key in list(private["live"]):
            task = tasks.get(key)
            if task and task.wire["lastStatus"] != "STOPPED":
                continue
            private["live"].remove(key)
            if not task or task.wire["startedBy"] != primary["id"]:
                continue
            unhealthy = task.wire["healthStatus"] == "UNHEALTHY" or load_balancing.failed(task)
            if task.wire.get("stopCode") in OWN_FAULT or unhealthy:
                primary["failedTasks"] += 1
                private["steady"] = False
                ran = task.wire["stoppingAt"] - task.wire.get("startedAt", task.wire["stoppingAt"])
                self._delay(
                    service, 0 if ran >= deployments.STEADY_SECONDS else private["streak"] + 1
                )
        if any(deployments.steady(task) for task in deployments.of(primary, tasks.values())):
            private["streak"] = 0

    def _delay(self, service: Item, streak: int) -> None:
        """After ``streak`` failures in a row: wait before the next start, or give up."""
        wire, private = service.wire, service.private
        private["streak"] = streak
        if streak:
            delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (streak - 1))
            private["retry_at"] = time.time() + delay
        if streak == UNSTABLE_AFTER:
            deployments.event(service, "is unable to consistently start tasks successfully.")
        breaker = wire["deploymentConfiguration"].get("deploymentCircuitBreaker", {})
        primary = wire["deployments"][0]
        rolling = primary["rolloutState"] == "IN_PROGRESS"
        if breaker.get("enable") and rolling and streak >= deployments.threshold(service):
            self.fail(service, bool(breaker.get("rollback")), BROKEN)

    def fail(self, service: Item, roll_back: bool, reason: str) -> None:
        """Stop trying, and go back to the last good task definition. The state's lock is held."""
        primary = service.wire["deployments"][0]
        primary.update(rolloutState="FAILED", rolloutStateReason=reason, updatedAt=now())
        deployments.event(
            service, f"(deployment {primary['id']}) deployment failed: {reason.rpartition(': ')[2]}"
        )
        history.failed(service, reason)
        good = service.private.get("completed")
        if roll_back and good and good != primary["taskDefinition"]:
            service.wire["taskDefinition"] = good
            history.rolling_back(service, reason)
            deployments.begin(service)
            service.wire["deployments"][0]["rolloutStateReason"] = (
                f"ECS deployment circuit breaker: rolling back to deploymentId "
                f"{service.wire['deployments'][0]['id']}."
            )
            deployments.event(service, f"rolling back to {good}.")

    def _stop_unhealthy(self, service: Item, live: list[Item]) -> None:
        for task in [t for t in live if t.wire["healthStatus"] == "UNHEALTHY"]:
            live.remove(task)
            reason = "Task failed container health checks"
            self._ecs.scheduler.stop(task, "ServiceSchedulerInitiated", reason)
            deployments.event(service, f"(task {task.key}) failed container health checks.")
        for task in list(live):
            unhealthy = load_balancing.trouble(service, task)
            if unhealthy:
                live.remove(task)
                reason = f"Task failed ELB health checks in (target-group {unhealthy})"
                self._ecs.scheduler.stop(task, "ServiceSchedulerInitiated", reason)
                deployments.event(service, load_balancing.explained(task))

    def _stop_surplus(self, service: Item, live: list[Item]) -> None:
        """Stop what is too much: old tasks as far as enough healthy ones remain, then new ones."""
        wire = service.wire
        primary, desired = wire["deployments"][0], wire["desiredCount"]
        protected = [task for task in live if protection.is_protected(task)]
        new = self._lasting(deployments.of(primary, live))
        old = [task for task in live if task not in new and task not in protected]
        low = wire["deploymentConfiguration"]["minimumHealthyPercent"]
        healthy = sum(map(deployments.steady, new)) + sum(
            t.wire["lastStatus"] == "RUNNING" for t in old
        )
        spare = max(0, healthy - math.ceil(desired * low / 100))
        idle = [task for task in old if task.wire["lastStatus"] != "RUNNING"]
        running = [task for task in old if task not in idle]
        # Protected ones are kept first, so that those that go are others.
        kept_first = sorted(new, key=lambda task: (task not in protected, task.sequence))
        extra = [task for task in kept_first[desired:] if task not in protected]
        surplus = idle + running[:spare] + extra
        for task in surplus:
            live.remove(task)
            reason = f"Scaling activity initiated by (deployment {primary['id']})"
            self._ecs.scheduler.stop(task, "ServiceSchedulerInitiated", reason)
        if surplus:
            deployments.event(
                service, f"has stopped {len(surplus)} running tasks: {deployments.names(surplus)}."
            )

    def _start_missing(self, service: Item, live: list[Item]) -> None:
        wire, private = service.wire, service.private
        primary, desired = wire["deployments"][0], wire["desiredCount"]
        if primary["rolloutState"] == "FAILED" or time.time() < private["retry_at"]:
            return
        most = math.floor(desired * wire["deploymentConfiguration"]["maximumPercent"] / 100)
        kept = self._lasting(deployments.of(primary, live))
        missing = min(desired - len(kept), max(most, 1) - len(live))
        if missing <= 0:
            return
        providers = Counter(task.wire.get("capacityProviderName", "") for task in kept)
        done = starting.start(self._state, self._order(service), missing, providers)
        if done.error:
            deployments.event(
                service, f"failed to launch a task with (error {done.error.message})."
            )
            self._delay(service, private["streak"] + 1)
        if done.unplaced:
            deployments.event_once(service, placement.explain(done.unplaced))
            private["retry_at"] = time.time() + PLACEMENT_RETRY_SECONDS
        for task in done.tasks:
            live.append(task)
            private["live"].append(task.key)
            self._ecs.scheduler.submit(task)
        if done.tasks:
            private["steady"] = False
            deployments.event(
                service, f"has started {len(done.tasks)} tasks: {deployments.names(done.tasks)}."
            )

    def _lasting(self, tasks: list[Item]) -> list[Item]:
        """Without those whose container instance is being drained or has left."""
        return [task for task in tasks if instances.stays(self._state, task)]

    def _order(self, service: Item) -> launch.Launch:
        wire = service.wire
        definition = self._state.definition(wire["deployments"][0]["taskDefinition"])
        propagated = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}
        return launch.Launch(
            cluster=self._state.cluster(service.cluster),
            definition=definition,
            group=f"service:{wire['serviceName']}",
            network=wire.get("networkConfiguration"),
            tags=tags.checked(propagated.get(wire["propagateTags"], [])),
            started_by=wire["deployments"][0]["id"],
            launch_type=deployments.launch_type(service),
            capacity_strategy=wire.get("capacityProviderStrategy", []),
            constraints=wire["placementConstraints"],
            strategies=wire["placementStrategy"],
            execute_command=wire["enableExecuteCommand"],
        )

    def _count(self, service: Item, tasks: list[Item]) -> None:
        present = [t for t in tasks if t.wire["lastStatus"] != "STOPPED"]
        wanted = [t for t in present if t.wire["desiredStatus"] == "RUNNING"]
        for counted, among in [
            (service.wire, wanted),
            *((d, deployments.of(d, wanted)) for d in service.wire["deployments"]),
        ]:
            running = sum(task.wire["lastStatus"] == "RUNNING" for task in among)
            counted.update(runningCount=running, pendingCount=len(among) - running)

    def _conclude(self, service: Item, tasks: list[Item]) -> None:
        """Drop replaced deployments, and say when a rollout, or a deletion, is complete."""
        wire = service.wire
        primary = wire["deployments"][0]
        present = [t for t in tasks if t.wire["lastStatus"] != "STOPPED"]
        if wire["status"] == "DRAINING":
            if not present:
                wire.update(status="INACTIVE", deployments=[])
            return
        old = [task for task in present if task not in deployments.of(primary, present)]
        enough = (
            sum(map(deployments.steady, deployments.of(primary, present)))
            == wire["desiredCount"]
            == len(present)
        )
        if not enough or old:
            return
        wire["deployments"] = [primary]
        if primary["rolloutState"] != "COMPLETED":
            done = f"ECS deployment {primary['id']} completed."
            primary.update(rolloutState="COMPLETED", rolloutStateReason=done, updatedAt=now())
            history.completed(service)
            deployments.event(service, f"(deployment {primary['id']}) deployment completed.")
        service.private["completed"] = primary["taskDefinition"]
        if not service.private["steady"]:
            service.private["steady"] = True
            deployments.event(service, "has reached a steady state.")


def _fingerprint(service: Item) -> str:
    return repr((service.wire, service.private))
