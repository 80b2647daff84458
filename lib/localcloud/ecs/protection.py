"""Task protection: a service does not stop a protected task to scale in or to deploy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

DEFAULT_MINUTES, MOST_MINUTES, MOST_TASKS = 120, 2880, 10
NOT_OF_A_SERVICE = "TASK_NOT_VALID"


def is_protected(task: Item) -> bool:
    return task.private.get("protected_until", 0.0) > time.time()


def update_task_protection(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    minutes = request.get("expiresInMinutes", DEFAULT_MINUTES)
    if not 1 <= minutes <= MOST_MINUTES:
        raise errors.invalid_parameter(
            f"expiresInMinutes must be between 1 and {MOST_MINUTES} minutes."
        )
    if not 1 <= len(request["tasks"]) <= MOST_TASKS:
        raise errors.invalid_parameter(f"Between 1 and {MOST_TASKS} tasks must be specified.")
    until = time.time() + 60 * minutes if request["protectionEnabled"] else 0.0

    def protect(task: Item) -> None:
        task.private["protected_until"] = until
        ecs.state.save(task)

    return _each(ecs, request, request["tasks"], protect)


def get_task_protection(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    cluster = ecs.state.cluster(request["cluster"])
    of_services = [t for t in ecs.state.tasks(cluster.key) if _of_service(t)]
    live = [task.wire["taskArn"] for task in of_services if task.wire["lastStatus"] != "STOPPED"]
    return _each(ecs, request, request.get("tasks") or live, lambda task: None)


def _each(ecs: Ecs, request: dict[str, Any], references: list[str], work: Any) -> dict[str, Any]:
    cluster = ecs.state.cluster(request["cluster"])
    done, failures = [], []
    for reference in references:
        task = ecs.state.get("task", arns.last_part(reference))
        arn = arns.task_arn(cluster.key, arns.last_part(reference))
        if task is None or task.cluster != cluster.key or task.wire["lastStatus"] == "STOPPED":
            failures.append({"arn": arn, "reason": "MISSING"})
        elif not _of_service(task):
            failures.append({"arn": arn, "reason": NOT_OF_A_SERVICE})
        else:
            work(task)
            done.append(_shown(task))
    return {"protectedTasks": done, "failures": failures}


def _of_service(task: Item) -> bool:
    return task.wire["group"].startswith("service:")


def _shown(task: Item) -> dict[str, Any]:
    found: dict[str, Any] = {
        "taskArn": task.wire["taskArn"],
        "protectionEnabled": is_protected(task),
    }
    if found["protectionEnabled"]:
        found["expirationDate"] = task.private["protected_until"]
    return found
