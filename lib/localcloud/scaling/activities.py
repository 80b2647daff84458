"""Scaling activities: kept with moto's own state, so that they are there after a restart."""

from __future__ import annotations

import time
import uuid
from typing import Any

NAMESPACE, DIMENSION = "ecs", "ecs:service:DesiredCount"
KEPT_ACTIVITIES = 200
Activity = dict[str, Any]


def of(kept: Any) -> list[Activity]:
    """All of them, newest first. ``kept`` is moto's backend."""
    return kept.__dict__.setdefault("activities", [])


def begin(kept: Any, resource: str, desired: int, cause: str) -> Activity:
    activity = {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
        "Description": _setting(desired),
        "Cause": cause,
        "StartTime": time.time(),
        "StatusCode": "InProgress",
        "StatusMessage": f"Successfully set desired count to {desired}. Waiting for change to be "
        "fulfilled by ecs.",
    }
    found = of(kept)
    found.insert(0, activity)
    del found[KEPT_ACTIVITIES:]
    return activity


def end(activity: Activity, code: str, message: str) -> None:
    activity.update(StatusCode=code, StatusMessage=message, EndTime=time.time())


def conclude(kept: Any, counts: dict[str, tuple[int, int]]) -> None:
    """End the activities that are over. ``counts`` has the desired and the running count of every
    target that there still is, by its resource id.

    What tells is the service, not who began: an activity of a server that was killed ends as well.
    """
    for activity in [one for one in of(kept) if one["StatusCode"] == "InProgress"]:
        if activity["ResourceId"] not in counts:
            end(activity, "Failed", "The service or its scalable target no longer exists.")
            continue
        desired, running = counts[activity["ResourceId"]]
        if activity["Description"] != _setting(desired):
            message = f"The desired count has been set to {desired} meanwhile."
            end(activity, "Overridden", message)
        elif running == desired:
            message = f"Successfully set desired count to {desired}. Change successfully fulfilled"
            end(activity, "Successful", f"{message} by ecs.")


def _setting(desired: int) -> str:
    return f"Setting desired count to {desired}."
