"""What a task's own SDK asks: role credentials, and task metadata version 4.

Each container has a secret token, part of both addresses:
``/_localcloud/credentials/TOKEN`` and ``/_localcloud/metadata/TOKEN[/task]``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import network
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

CREDENTIALS, METADATA = "/_localcloud/credentials/", "/_localcloud/metadata/"
TIMES = {
    "PullStartedAt": "pullStartedAt",
    "PullStoppedAt": "pullStoppedAt",
    "CreatedAt": "createdAt",
    "StartedAt": "startedAt",
}


class Endpoints:
    """Answers for the containers that are registered with it."""

    def __init__(self, ecs: Ecs):
        self._ecs = ecs
        self._containers: dict[str, tuple[Item, str, str | None]] = {}

    def register(self, token: str, task: Item, container: str, role: str | None) -> dict[str, str]:
        """Serve this container; returns the environment variables that tell it so."""
        self._containers[token] = (task, container, role)
        base = self._ecs.endpoint
        found = {"ECS_CONTAINER_METADATA_URI_V4": f"{base}{METADATA}{token}"}
        if role:
            found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{base}{CREDENTIALS}{token}"
        return found

    def forget(self, token: str) -> None:
        task, _, role = self._containers.pop(token, (None, None, None))
        if role:
            self._ecs.clients.forget(role, task.key)

    def wsgi(self, app: Callable) -> Callable:
        """``app`` with the two addresses in front of it."""

        def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            for prefix, answer in ((CREDENTIALS, self._credentials), (METADATA, self._metadata)):
                if path.startswith(prefix):
                    token, _, rest = path.removeprefix(prefix).partition("/")
                    return _reply(start_response, answer(token, rest))
            return app(environ, start_response)

        return front

    def _credentials(self, token: str, rest: str) -> dict[str, Any] | None:
        task, _, role = self._containers.get(token, (None, None, None))
        if role is None or rest:
            return None
        keys = self._ecs.clients.credentials(role, task.key)
        return {
            "RoleArn": role,
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"],
            "Expiration": keys["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _metadata(self, token: str, rest: str) -> dict[str, Any] | None:
        task, name, _ = self._containers.get(token, (None, None, None))
        if task is None or rest not in ("", "task"):
            return None
        with self._ecs.state.lock:
            if rest == "task":
                return _task_metadata(task)
            found = next(c for c in task.wire["containers"] if c["name"] == name)
            return _container_metadata(task, found)


def _reply(start_response: Callable, answer: dict[str, Any] | None) -> list[bytes]:
    status = "200 OK" if answer is not None else "404 Not Found"
    body = json.dumps(answer if answer is not None else {"message": "not found"}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def _task_metadata(task: Item) -> dict[str, Any]:
    family, revision = _family(task)
    wire = task.wire
    return {
        "Cluster": wire["clusterArn"],
        "TaskARN": wire["taskArn"],
        "Family": family,
        "Revision": revision,
        "DesiredStatus": wire["desiredStatus"],
        "KnownStatus": wire["lastStatus"],
        "Limits": _limits(task),
        **{theirs: _rfc3339(wire[ours]) for theirs, ours in TIMES.items() if ours in wire},
        "AvailabilityZone": wire["availabilityZone"],
        "LaunchType": task.private["launch_type"],
        "Containers": [_container_metadata(task, c) for c in wire["containers"]],
    }


def _container_metadata(task: Item, container: dict[str, Any]) -> dict[str, Any]:
    family, revision = _family(task)
    address = network.address_of(task)
    found = {
        "DockerId": container.get("runtimeId", ""),
        "Name": container["name"],
        "DockerName": container["name"],
        "Image": container["image"],
        "ImageID": container.get("imageDigest", ""),
        "Labels": {
            "com.amazonaws.ecs.cluster": task.wire["clusterArn"],
            "com.amazonaws.ecs.container-name": container["name"],
            "com.amazonaws.ecs.task-arn": task.wire["taskArn"],
            "com.amazonaws.ecs.task-definition-family": family,
            "com.amazonaws.ecs.task-definition-version": revision,
        },
        "DesiredStatus": task.wire["desiredStatus"],
        "KnownStatus": container["lastStatus"],
        "Limits": _limits(task),
        "CreatedAt": _rfc3339(task.wire["createdAt"]),
        "Type": "NORMAL",
        "ContainerARN": container["containerArn"],
        "Networks": [
            {
                "NetworkMode": task.private["network_mode"],
                "IPv4Addresses": [address] if address else [],
            }
        ],
    }
    if "exitCode" in container:
        found["ExitCode"] = container["exitCode"]
    return found


def _family(task: Item) -> tuple[str, str]:
    family, revision = arns.last_part(task.wire["taskDefinitionArn"]).rsplit(":", 1)
    return family, revision


def _limits(task: Item) -> dict[str, float]:
    return {"CPU": int(task.wire["cpu"]) / 1024, "Memory": int(task.wire["memory"])}


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
