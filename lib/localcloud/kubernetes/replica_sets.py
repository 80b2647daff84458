"""ReplicaSets: always as many pods of one template as asked."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import PODS, REPLICA_SETS
from localcloud.kubernetes.work import Controller, follows, reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

SOURCE = "replicaset-controller"
ENDED = ("Succeeded", "Failed")


class ReplicaSets:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("replica-sets", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(follows(self._controller, "ReplicaSet"))

    def start(self) -> None:
        for one in self._store.list(REPLICA_SETS):
            self._controller.put(one["metadata"]["namespace"], one["metadata"]["name"])

    def _reconcile(self, namespace: str, name: str) -> None:
        with self._store.together():
            found = self._store.get(REPLICA_SETS, namespace, name)
            if found is None:
                return
            pods = [p for p in self._store.owned(found["metadata"]["uid"], PODS) if is_active(p)]
            if "deletionTimestamp" not in found["metadata"]:
                self._balance(found, pods)
            pods = [p for p in self._store.owned(found["metadata"]["uid"], PODS) if is_active(p)]
            self._tell(found, pods)

    def _balance(self, found: Object, pods: list[Object]) -> None:
        missing = found["spec"]["replicas"] - len(pods)
        for _ in range(missing):
            try:
                made = self._cluster.registry.create(
                    PODS, found["metadata"]["namespace"], pod_of(found, found["spec"]["template"])
                )
            except ApiError as error:
                if error.code == 403:
                    words = f"Error creating: {error.message}"
                    self._cluster.recorder.event(found, "Warning", "FailedCreate", words, SOURCE)
                raise
            words = f"Created pod: {made['metadata']['name']}"
            self._cluster.recorder.event(found, "Normal", "SuccessfulCreate", words, SOURCE)
        for pod in sorted(pods, key=_worth)[: max(0, -missing)]:
            meta = pod["metadata"]
            self._cluster.registry.delete(PODS, meta["namespace"], meta["name"], {})
            words = f"Deleted pod: {meta['name']}"
            self._cluster.recorder.event(found, "Normal", "SuccessfulDelete", words, SOURCE)

    def _tell(self, found: Object, pods: list[Object]) -> None:
        meta = found["metadata"]
        ready = sum(is_ready(pod) for pod in pods)
        counts = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
        }
        status = {name: value for name, value in counts.items() if value or name == "replicas"}
        status["observedGeneration"] = meta.get("generation", 1)
        self._store.change(
            REPLICA_SETS, meta["namespace"], meta["name"], lambda one: one.update(status=status)
        )


def pod_of(owner: Object, template: Object) -> Object:
    pod = {"kind": "Pod", "apiVersion": "v1", **copy.deepcopy(template)}
    meta = pod.setdefault("metadata", {})
    meta["generateName"] = f"{owner['metadata']['name']}-"
    meta["ownerReferences"] = [reference(owner)]
    return pod


def is_active(pod: Object) -> bool:
    ended = pod["status"].get("phase") in ENDED
    return not ended and "deletionTimestamp" not in pod["metadata"]


def is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _worth(pod: Object) -> tuple:
    """What goes first when there are too many: unplaced, pending, unready, restarted, young."""
    restarts = sum(s["restartCount"] for s in pod["status"].get("containerStatuses", []))
    born = pod["metadata"]["creationTimestamp"]
    return (
        bool(pod["spec"].get("nodeName")),
        pod["status"].get("phase") == "Running",
        is_ready(pod),
        -restarts,
        [-ord(letter) for letter in born],
    )
