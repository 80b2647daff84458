"""Fargate Spot takes its capacity back, on demand.

AWS does this when it pleases; here a lesson does it when it has something to show:

    curl -X POST ENDPOINT/_localcloud/ecs/spot-interruption -d '{"cluster": "training"}'

interrupts every task of the cluster that runs on FARGATE_SPOT, or only ``"task"``, an id or ARN.
What follows is as on AWS: describe_tasks shows the notice at once (desiredStatus STOPPED, stopCode
SpotInterruption), every container gets SIGTERM, and after its stopTimeout SIGKILL. The 120 seconds
that AWS leaves at most are the largest stopTimeout.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

PATH = "/_localcloud/ecs/spot-interruption"
CODE, REASON = "SpotInterruption", "Your Spot Task was interrupted."
LONGEST_REQUEST = 10_000


def wsgi(ecs: Ecs, app: Callable) -> Callable:
    """``app`` with the address in front of it."""

    def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return app(environ, start_response)
        status, answer = _answer(ecs, environ)
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    return front


def interrupt(ecs: Ecs, cluster: str | None, reference: str | None) -> list[str]:
    """Interrupt one Spot task, or all of the cluster; the ARNs of those that it was news to.

    Raises ClusterNotFoundException, and InvalidParameterException for a task that is not there or
    not on FARGATE_SPOT.
    """
    with ecs.state.lock:
        tasks = list(ecs.state.tasks(ecs.state.cluster(cluster).key))
        chosen = [task for task in tasks if _is_spot(task)]
        if reference is not None:
            chosen = [task for task in chosen if task.key == arns.last_part(reference)]
            if not chosen:
                raise errors.invalid_parameter(
                    f"No task {reference} of this cluster runs on FARGATE_SPOT: start it with "
                    "capacityProviderStrategy=[{'capacityProvider': 'FARGATE_SPOT', 'weight': 1}]"
                )
        news = [task for task in chosen if task.wire["desiredStatus"] != "STOPPED"]
        for task in news:
            ecs.scheduler.stop(task, CODE, REASON)
        return [task.wire["taskArn"] for task in news]


def _is_spot(task: Item) -> bool:
    return task.wire.get("capacityProviderName") == "FARGATE_SPOT"


def _answer(ecs: Ecs, environ: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if environ["REQUEST_METHOD"] != "POST":
        return "405 Method Not Allowed", {"message": "POST a JSON object to this address"}
    try:
        length = min(int(environ.get("CONTENT_LENGTH") or 0), LONGEST_REQUEST)
        wanted = json.loads(environ["wsgi.input"].read(length) or b"{}")
        cluster, task = wanted.get("cluster"), wanted.get("task")
    except (ValueError, AttributeError):
        return "400 Bad Request", {"message": 'Send JSON such as {"cluster": "training"}'}
    if not all(value is None or isinstance(value, str) for value in (cluster, task)):
        return "400 Bad Request", {"message": "cluster and task are names or ARNs"}
    try:
        return "200 OK", {"interrupted": interrupt(ecs, cluster, task)}
    except errors.EcsError as error:
        return "400 Bad Request", {"message": error.message}
