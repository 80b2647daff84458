"""Pod disruption budgets: how many of the chosen pods may be evicted now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from localcloud.kubernetes import selectors
from localcloud.kubernetes.deployments import resolve
from localcloud.kubernetes.replica_sets import is_active, is_ready
from localcloud.kubernetes.resources import BUDGETS, PODS, of_kind
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object


class Budgets:
    def __init__(self, cluster: Cluster):
        self._store = cluster.store
        self._controller = Controller("budgets", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(self._told)

    def start(self) -> None:
        for one in self._store.list(BUDGETS):
            self._controller.put(one["metadata"]["namespace"], one["metadata"]["name"])

    def _told(self, change: Change) -> None:
        meta = change.object["metadata"]
        if change.resource is BUDGETS:
            self._controller.put(meta["namespace"], meta["name"])
        elif change.resource is PODS:
            for one in self._store.list(BUDGETS, meta["namespace"]):
                self._controller.put(meta["namespace"], one["metadata"]["name"])

    def _reconcile(self, namespace: str, name: str) -> None:
        with self._store.together():
            found = self._store.get(BUDGETS, namespace, name)
            if found is None:
                return
            chosen = selectors.of_object(found["spec"].get("selector"))
            pods = [
                pod
                for pod in self._store.list(PODS, namespace)
                if is_active(pod) and chosen(pod["metadata"].get("labels") or {})
            ]
            expected = self._expected(pods)
            healthy = sum(is_ready(pod) for pod in pods)
            spec = found["spec"]
            if "maxUnavailable" in spec:
                desired = max(0, expected - resolve(spec["maxUnavailable"], expected, math.ceil))
            else:
                desired = resolve(spec.get("minAvailable", 1), expected, math.ceil)
            status = {
                "observedGeneration": found["metadata"].get("generation", 1),
                "expectedPods": expected,
                "currentHealthy": healthy,
                "desiredHealthy": desired,
                "disruptionsAllowed": max(0, healthy - desired) if expected else 0,
            }
            self._store.change(BUDGETS, namespace, name, lambda one: one.update(status=status))

    def _expected(self, pods: list[Object]) -> int:
        """What the pods' controllers want: their scale, once each; a pod of its own counts one."""
        owners, alone = {}, 0
        for pod in pods:
            owner = next(
                (o for o in pod["metadata"].get("ownerReferences", []) if o.get("controller")), None
            )
            resource = of_kind(owner["apiVersion"], owner["kind"]) if owner else None
            namespace = pod["metadata"]["namespace"]
            found = resource and self._store.get(resource, namespace, owner["name"])
            if found and "replicas" in found["spec"]:
                owners[owner["uid"]] = found["spec"]["replicas"]
            else:
                alone += 1
        return sum(owners.values()) + alone
