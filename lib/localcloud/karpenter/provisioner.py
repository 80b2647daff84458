"""The provisioner: machines for pods that the scheduler could not place.

Events as Karpenter's (pkg/controllers/provisioning/scheduling/events.go).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from localcloud.karpenter import claims, names, pools
from localcloud.karpenter.packing import plan
from localcloud.kubernetes.resources import NODES, PODS
from localcloud.kubernetes.scheduler import NAME
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

# Karpenter's BATCH_IDLE_DURATION and BATCH_MAX_DURATION. Not shortened: pods that come together
# should get one plan on a slow machine too.
IDLE_SECONDS, LONGEST_SECONDS = 1.0, 10.0


class Provisioner:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("provisioner", self._provision)
        self.controllers = [self._controller]
        self._first = self._last = 0.0
        self._store.subscribe(self._told)

    def start(self) -> None:
        self._look()

    def _told(self, change: Change) -> None:
        pods = change.resource is PODS and change.kind != "DELETED" and _waits(change.object)
        # A machine that has gone leaves room in the limits.
        gone = change.resource in (NODES, names.NODE_CLAIMS) and change.kind == "DELETED"
        if pods or gone or change.resource is names.NODE_POOLS:
            self._look()

    def _look(self) -> None:
        if not self._store.list(names.NODE_POOLS):
            return
        now = time.monotonic()
        self._first, self._last = self._first or now, now
        self._controller.put("", "pods", IDLE_SECONDS)

    def _provision(self, *_: str) -> float | None:
        now = time.monotonic()
        quiet, waited = now - self._last, now - self._first
        if quiet < IDLE_SECONDS and waited < LONGEST_SECONDS:
            return IDLE_SECONDS - quiet
        self._first = 0.0
        with self._store.lock:
            waiting = [pod for pod in self._store.list(PODS) if _waits(pod)]
            usable = pools.usable(self._store)
            if not waiting or not usable:
                return None
            rooms = claims.rooms(self._store)
            found = plan(waiting, rooms, usable)
            by_uid = {pod["metadata"]["uid"]: pod for pod in waiting}
            for uid, room in found.placed.items():
                self._nominate(by_uid[uid], room)
            for machine in found.machines:
                made = claims.create(self._cluster, machine)
                for pod in machine.pods:
                    self._nominate(pod, made["metadata"]["name"])
            for uid, why in found.refused.items():
                words = f"Failed to schedule pod, {why}"
                claims.tell(self._cluster, by_uid[uid], "FailedScheduling", words, kind="Warning")
        return None

    def _nominate(self, pod: Object, room: str) -> None:
        claim = self._store.get(names.NODE_CLAIMS, "", room)
        node = claims.node_of(self._store, claim) if claim else None
        told = [f"nodeclaim/{room}"] if claim else [f"node/{room}"]
        if node:
            told.append(f"node/{node['metadata']['name']}")
        words = f"Pod should schedule on: {', '.join(told)}"
        claims.tell(self._cluster, pod, "Nominated", words)


def _waits(pod: Object) -> bool:
    """Whether the scheduler has looked at the pod and found no node."""
    spec = pod["spec"]
    if spec.get("nodeName") or spec["schedulerName"] != NAME:
        return False
    told = pod["status"].get("conditions", [])
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable" for one in told
    )
