"""A service's deployments as records: a new one, its tasks, its events."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterable
from typing import Any

from localcloud.ecs import history, load_balancing
from localcloud.ecs.models import Item, now

STEADY_SECONDS = 2.0
MOST_EVENTS = 100
LEAST_FAILURES, MOST_FAILURES = 3, 200
CARRIED = (
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "launchType",
    "capacityProviderStrategy",
)


def begin(service: Item) -> None:
    """Make the service's present settings its new primary deployment."""
    wire = service.wire
    for old in wire["deployments"]:
        old["status"] = "ACTIVE"
    moment, number = now(), uuid.uuid4().int % 10**19
    identity = f"ecs-svc/{number:019d}"
    deployment = {
        "id": identity,
        "status": "PRIMARY",
        "taskDefinition": wire["taskDefinition"],
        "desiredCount": wire["desiredCount"],
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": moment,
        "updatedAt": moment,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {identity} in progress.",
    }
    deployment |= {name: wire[name] for name in CARRIED if name in wire}
    wire["deployments"].insert(0, deployment)
    history.begun(service, deployment)
    service.private.update(streak=0, retry_at=0.0, steady=False)
    service.private.setdefault("live", [])


def resize(service: Item) -> None:
    """Carry the service's desired count over to its deployment."""
    primary = service.wire["deployments"][0]
    primary.update(desiredCount=service.wire["desiredCount"], updatedAt=now())
    service.private["steady"] = False


def threshold(service: Item) -> int:
    """Failed tasks in a row that make the circuit breaker act: half of the desired count, but
    between 3 and 200."""
    return min(MOST_FAILURES, max(LEAST_FAILURES, math.ceil(service.wire["desiredCount"] / 2)))


def launch_type(service: Item) -> str:
    """FARGATE or EC2, also where capacity providers stand for it."""
    return "FARGATE" if "platformVersion" in service.wire else "EC2"


def of(deployment: dict[str, Any], tasks: Iterable[Item]) -> list[Item]:
    """Those of ``tasks`` that the deployment started."""
    return [task for task in tasks if task.wire.get("startedBy") == deployment["id"]]


def steady(task: Item) -> bool:
    """Whether the task counts as healthy: HEALTHY, or, unchecked, RUNNING for STEADY_SECONDS; and
    so are its targets, if it has any."""
    wire = task.wire
    if wire["lastStatus"] != "RUNNING" or wire["desiredStatus"] != "RUNNING":
        return False
    if not load_balancing.steady(task):
        return False
    if task.private["checked"]:
        return wire["healthStatus"] == "HEALTHY"
    return time.time() - wire["startedAt"] >= STEADY_SECONDS


def event(service: Item, message: str) -> None:
    """Put an event in front of the service's list, newest first."""
    text = f"(service {service.wire['serviceName']}) {message}"
    entry = {"id": str(uuid.uuid4()), "createdAt": now(), "message": text}
    service.wire["events"] = [entry, *service.wire["events"]][:MOST_EVENTS]


def event_once(service: Item, message: str) -> None:
    """Like ``event``, unless it is what the newest event says already."""
    events = service.wire["events"]
    if not events or not events[0]["message"].endswith(message):
        event(service, message)


def names(tasks: list[Item]) -> str:
    return " ".join(f"(task {task.key})" for task in tasks)
