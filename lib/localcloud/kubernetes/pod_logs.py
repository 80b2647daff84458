"""A container's log: a file of lines, each with the time at which it was read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.kubernetes import errors
from localcloud.kubernetes.resources import PODS

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.front import Request
    from localcloud.kubernetes.requests import Place
    from localcloud.kubernetes.store import Object
    from localcloud.runtimes.base import LogBatch

LOOK_SECONDS = 0.1


class LogFile:
    """Takes a runtime's batches. The folder goes with the pod."""

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def write(self, lines: LogBatch) -> None:
        text = "".join(f"{_stamp(at)} {line}\n" for at, line in lines)
        with self._lock, self._path.open("a") as file:
            file.write(text)


def _stamp(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def path_of(root: Path, uid: str, container: str, attempt: int) -> Path:
    return root / uid / container / f"{attempt}.log"


def tail_of(path: Path, lines: int = 80, most: int = 2048) -> str:
    """The end of a log, for terminationMessagePolicy FallbackToLogsOnError."""
    if not path.exists():
        return ""
    found = [line.partition(" ")[2] for line in path.read_text().splitlines()[-lines:]]
    return "\n".join(found)[-most:]


def read(cluster: Cluster, request: Request, place: Place) -> Iterator[bytes]:
    """Raises ApiError."""
    pod = cluster.store.need(PODS, place.namespace, place.name)
    container = _container(pod, request.query.get("container"))
    status = _status_of(pod, container)
    attempt = status.get("restartCount", 0)
    if request.flag("previous"):
        if attempt == 0:
            raise errors.bad_request(
                f'previous terminated container "{container}" in pod "{place.name}" not found'
            )
        attempt -= 1
    path = path_of(cluster.logs, pod["metadata"]["uid"], container, attempt)
    if not path.exists():
        waiting = status.get("state", {}).get("waiting", {}).get("reason", "ContainerCreating")
        why = _why_waiting(waiting)
        raise errors.bad_request(
            f'container "{container}" in pod "{place.name}" is waiting to start: {why}'
        )

    def ended() -> bool:
        found = cluster.store.get(PODS, place.namespace, place.name)
        if found is None or cluster.stopping.is_set():
            return True
        state = _status_of(found, container)
        return state.get("restartCount", 0) != attempt or "running" not in state.get("state", {})

    return _pieces(path, request, ended)


def _why_waiting(reason: str) -> str:
    known = {
        "ImagePullBackOff": "trying and failing to pull image",
        "ErrImagePull": "image can't be pulled",
    }
    return known.get(reason, reason)


def _container(pod: Object, wanted: str | None) -> str:
    inits = [c["name"] for c in pod["spec"].get("initContainers", [])]
    names = [c["name"] for c in pod["spec"]["containers"]]
    if wanted is None:
        if len(names) == 1:
            return names[0]
        raise errors.bad_request(
            f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: "
            f"[{' '.join(names)}]"
            + (f" or one of the init containers: [{' '.join(inits)}]" if inits else "")
        )
    if wanted not in names + inits:
        raise errors.bad_request(
            f"container {wanted} is not valid for pod {pod['metadata']['name']}"
        )
    return wanted


def _status_of(pod: Object, container: str) -> Object:
    status = pod.get("status", {})
    found = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    return next((one for one in found if one["name"] == container), {})


def _pieces(path: Path, request: Request, ended) -> Iterator[bytes]:
    query = request.query
    stamps, follow = request.flag("timestamps"), request.flag("follow")
    limit = int(query["limitBytes"]) if "limitBytes" in query else None
    with path.open("rb") as file:
        lines = _since(file.readlines(), query)
        if "tailLines" in query:
            lines = lines[-int(query["tailLines"]) :] if int(query["tailLines"]) else []
        body = b"".join(_shown(line, stamps) for line in lines)
        yield body if limit is None else body[:limit]
        while follow:
            last = ended()
            for line in iter(file.readline, b""):
                yield _shown(line, stamps)
            if last:
                return
            time.sleep(LOOK_SECONDS)


def _since(lines: list[bytes], query: dict[str, str]) -> list[bytes]:
    if "sinceTime" in query:
        first = query["sinceTime"].removesuffix("Z")
    elif "sinceSeconds" in query:
        at = time.time() - float(query["sinceSeconds"])
        first = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    else:
        return lines
    return [line for line in lines if line >= first.encode()]


def _shown(line: bytes, stamps: bool) -> bytes:
    return line if stamps else line.partition(b" ")[2]
