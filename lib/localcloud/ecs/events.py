"""ECS's events on EventBridge's default bus: what changes is told, in order, a moment later.

Detail types "ECS Task State Change", "ECS Container Instance State Change", "ECS Service Action"
and "ECS Deployment State Change", as in the ECS developer guide. moto matches the rules and
delivers to SQS queues and CloudWatch log groups.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.events.models import events_backends

from localcloud import arns
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

TASK, INSTANCE = "ECS Task State Change", "ECS Container Instance State Change"
ACTION, DEPLOYMENT = "ECS Service Action", "ECS Deployment State Change"
# What a service's own event says, and the event that EventBridge gets.
SAID = {
    "has reached a steady state.": (ACTION, "SERVICE_STEADY_STATE", "INFO"),
    "is unable to consistently start tasks": (ACTION, "SERVICE_TASK_START_IMPAIRED", "WARN"),
    "was unable to place a task": (ACTION, "SERVICE_TASK_PLACEMENT_FAILURE", "ERROR"),
    "has set the desired count": (ACTION, "SERVICE_DESIRED_COUNT_UPDATED", "INFO"),
    "deployment completed.": (DEPLOYMENT, "SERVICE_DEPLOYMENT_COMPLETED", "INFO"),
    "deployment failed": (DEPLOYMENT, "SERVICE_DEPLOYMENT_FAILED", "ERROR"),
}


class Events:
    """Call ``notice`` with every item that was saved; the rest happens in a thread of its own."""

    def __init__(self, ecs: Ecs):
        self._ecs = ecs
        self._seen: dict[str, Any] = {}
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._send, name="events", daemon=True)

    def start(self) -> None:
        for kind in ("task", "instance", "service"):
            for item in self._ecs.state.all(kind):
                self._seen[item.key] = _face(item)
        self._ecs.state.listeners.append(self.notice)
        self._thread.start()

    def stop(self) -> None:
        """Return when everything was told."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def notice(self, item: Item) -> None:
        """With the state's lock held."""
        if item.kind not in ("task", "instance", "service"):
            return
        before, face = self._seen.get(item.key), _face(item)
        self._seen[item.key] = face
        ended = face[0] == "STOPPED" or "INACTIVE" in face
        if ended:
            del self._seen[item.key]
        if before == face or (before is None and ended):
            return
        if _is_anybody_there():
            for entry in _entries(item, before):
                self._queue.put(entry)

    def _send(self) -> None:
        while (entry := self._queue.get()) is not None:
            try:
                self._ecs.clients.get("events").put_events(Entries=[entry])
            except (ClientError, BotoCoreError) as error:
                print(f"An event was lost: {error}", file=sys.stderr)


def _is_anybody_there() -> bool:
    """Whether EventBridge has any rule: without one an event would go nowhere."""
    # Not "in", and not []: the one is always true, the other starts it.
    backend = events_backends[arns.ACCOUNT].get(arns.REGION)
    return backend is not None and any(bus.rules for bus in list(backend.event_buses.values()))


def _face(item: Item) -> Any:
    """What of an item makes an event when it changes."""
    wire = item.wire
    if item.kind == "task":
        health = wire["healthStatus"]
        return wire["lastStatus"], wire["desiredStatus"], health, wire.get("startedAt")
    if item.kind == "instance":
        return wire["status"], wire["agentConnected"]
    newest = wire["deployments"][0]["id"] if wire["deployments"] else None
    return newest, wire["events"][0]["id"] if wire["events"] else None, wire["status"]


def _entries(item: Item, before: Any) -> list[dict[str, Any]]:
    if item.kind == "task":
        return [_entry(TASK, item.wire["taskArn"], item.wire)]
    if item.kind == "instance":
        return [_entry(INSTANCE, item.wire["containerInstanceArn"], item.wire)]
    return list(reversed([*_of_service(item, before)]))


def _of_service(item: Item, before: Any):
    """Newest first, as the service lists its own."""
    deployment, event, _ = before or (None, None, None)
    for said in item.wire["events"]:
        if said["id"] == event:
            break
        for words, (kind, name, level) in SAID.items():
            if words in said["message"]:
                yield _service_entry(item, kind, name, level, said["message"])
    primary = next(iter(item.wire["deployments"]), None)
    if primary and primary["id"] != deployment:
        reason = primary["rolloutStateReason"]
        yield _service_entry(item, DEPLOYMENT, "SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO", reason)


def _service_entry(item: Item, kind: str, name: str, level: str, reason: str) -> dict[str, Any]:
    detail = {"eventType": level, "eventName": name, "reason": reason}
    detail["clusterArn"] = item.wire["clusterArn"]
    if kind == DEPLOYMENT:
        detail["deploymentId"] = item.wire["deployments"][0]["id"]
    return _entry(kind, item.wire["serviceArn"], detail)


def _entry(kind: str, arn: str, detail: dict[str, Any]) -> dict[str, Any]:
    moment = _iso(datetime.now(UTC).timestamp())
    shown = {
        name: _iso(value) if name.endswith("At") and isinstance(value, float) else value
        for name, value in detail.items()
    }
    body = json.dumps({**shown, "createdAt": shown.get("createdAt", moment), "updatedAt": moment})
    return {"Source": "aws.ecs", "DetailType": kind, "Resources": [arn], "Detail": body}


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
