"""Pod disruption budgets: how many of the chosen pods may be evicted now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from localcloud.kubernetes import errors, selectors
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


def evict(cluster: Cluster, namespace: str, name: str, options: Object) -> None:
    """Delete a pod if its budgets allow it. Raises ApiError TooManyRequests if they do not."""
    store = cluster.store
    with store.together():
        pod = store.need(PODS, namespace, name)
        for budget in store.list(BUDGETS, namespace):
            chosen = selectors.of_object(budget["spec"].get("selector"))
            if not chosen(pod["metadata"].get("labels") or {}):
                continue
            if budget.get("status", {}).get("disruptionsAllowed", 0) < 1:
                title = budget["metadata"]["name"]
                words = "Cannot evict pod as it would violate the pod's disruption budget."
                cause = {
                    "reason": "DisruptionBudget",
                    "message": f"The disruption budget {title} needs "
                    f"{budget.get('status', {}).get('desiredHealthy', 0)} healthy pods and has "
                    f"{budget.get('status', {}).get('currentHealthy', 0)} currently",
                }
                raise errors.ApiError(429, "TooManyRequests", words, {"causes": [cause]})
            store.change(
                BUDGETS,
                namespace,
                budget["metadata"]["name"],
                lambda one: one["status"].update(
                    disruptionsAllowed=one["status"]["disruptionsAllowed"] - 1
                ),
            )
        allowed = {k: v for k, v in options.items() if k in ("gracePeriodSeconds", "preconditions")}
        cluster.registry.delete(PODS, namespace, name, allowed)
