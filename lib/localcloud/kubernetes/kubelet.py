"""The kubelet of every node: a worker for each pod that is bound to one."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from localcloud.kubernetes import pod_status
from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.pod_worker import PodWorker
from localcloud.kubernetes.resources import PODS
from localcloud.kubernetes.store import now

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object
    from localcloud.runtimes.base import Usage

ENDED = ("Succeeded", "Failed")
# So many containers start at once: more would only wait for the processor.
AT_ONCE = 4
LOST = "Pod was terminated in response to imminent node shutdown."
LOST_EXIT = 137


class Kubelet:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._lock = threading.RLock()
        self._workers: dict[str, PodWorker] = {}
        self._images: set[tuple[str, str]] = set()
        self._closed = False
        self.turn = threading.BoundedSemaphore(AT_ONCE)
        self.controllers: list = []

    def start(self) -> None:
        """What was running when the server ended is lost, as when a machine loses its power."""
        with self._store.lock:
            for pod in self._store.list(PODS):
                if pod["spec"].get("nodeName") and pod["status"].get("phase") not in ENDED:
                    self._recover(pod)
            self._store.subscribe(self._told)

    def _recover(self, pod: Object) -> None:
        meta = pod["metadata"]
        if "deletionTimestamp" in meta:
            self._remove(pod)
            return
        before = pod["status"].get("containerStatuses", [])
        ran = any("running" in s["state"] or s["restartCount"] for s in before)
        if ran and pod["spec"]["restartPolicy"] == "Never":
            self._store.change(PODS, meta["namespace"], meta["name"], _lose)
            return
        self._take(pod, before if ran else [])

    def _take(self, pod: Object, before: list[Object] = ()) -> None:
        worker = PodWorker(self._cluster, pod)
        known = {status["name"]: status for status in before}
        for run in worker.runs:
            status = known.get(run.name)
            if status and ("running" in status["state"] or status["restartCount"]):
                run.attempt, run.started_once = status["restartCount"], True
                run.identifier = status.get("containerID", "")
                run.state = status["state"]
                run.end(LOST_EXIT, "Error")
        with self._lock:
            self._workers[worker.uid] = worker
        worker.start()

    def _told(self, change: Change) -> None:
        if change.resource is not PODS or self._closed:
            return
        pod, meta = change.object, change.object["metadata"]
        if not pod["spec"].get("nodeName"):
            return
        with self._lock:
            worker = self._workers.get(meta["uid"])
        if change.kind == "DELETED":
            if worker:
                worker.delete(0)
            return
        if "deletionTimestamp" in meta:
            grace = meta.get("deletionGracePeriodSeconds", 0)
            if worker is None:
                threading.Thread(target=self._remove, args=(pod,), daemon=True).start()
            elif (change.before or {}).get("metadata", {}).get(
                "deletionGracePeriodSeconds"
            ) != grace:
                worker.delete(grace)
        elif worker is None and pod["status"].get("phase") not in ENDED:
            self._take(pod)

    def ended(self, worker: PodWorker) -> None:
        with self._lock:
            if self._workers.get(worker.uid) is worker:
                del self._workers[worker.uid]
        pod = self._store.get(PODS, worker.namespace, worker.name)
        same = pod and pod["metadata"]["uid"] == worker.uid
        if same and "deletionTimestamp" in pod["metadata"] and not self._closed:
            self._remove(pod)

    def _remove(self, pod: Object) -> None:
        """Its containers have ended, so the grace is over; finalizers may still hold the object."""
        meta = pod["metadata"]

        def done(found: Object) -> None:
            if found["metadata"]["uid"] == meta["uid"]:
                found["metadata"]["deletionGracePeriodSeconds"] = 0

        with suppress(ApiError):  # somebody else was faster
            self._store.change(PODS, meta["namespace"], meta["name"], done)

    def has(self, node: str, image: str) -> bool:
        return (node, image) in self._images

    def remember(self, node: str, image: str) -> None:
        self._images.add((node, image))

    def usages(self) -> dict[str, Usage]:
        """What each pod that runs has used so far, by its uid."""
        with self._lock:
            workers = list(self._workers.values())
        found = {}
        for worker in workers:
            usage = worker.usage()
            if usage:
                found[worker.uid] = usage
        return found

    def workers(self) -> list[PodWorker]:
        with self._lock:
            return list(self._workers.values())

    def stop(self) -> None:
        self._closed = True
        workers = self.workers()
        for worker in workers:
            worker.halt()
        for worker in workers:
            worker.join()


def _lose(pod: Object) -> None:
    """As the kubelet tells it of a pod whose node was shut down."""
    status = pod["status"]
    status.update(phase="Failed", reason="Terminated", message=LOST)
    for one in status.get("containerStatuses", []):
        if "terminated" not in one["state"]:
            began = one["state"].get("running", {}).get("startedAt", now())
            ended = {"exitCode": LOST_EXIT, "reason": "Error", "startedAt": began}
            one["state"] = {"terminated": {**ended, "finishedAt": now()}}
        one.update(ready=False, started=False)
    pod_status.condition(pod, "DisruptionTarget", True, ("TerminationByKubelet", LOST))
    for kind in ("Ready", "ContainersReady"):
        pod_status.condition(pod, kind, False, ("PodFailed", ""))
