"""The life of a NodeClaim: launched, registered, ready; expired or deleted; drained, gone.

Events of draining as Karpenter's (pkg/controllers/node/termination/terminator/events).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from localcloud.eks import machines
from localcloud.karpenter import claims, conditions, names
from localcloud.kubernetes import budgets, nodes, pace
from localcloud.kubernetes.ages import moment
from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import NODES, PODS
from localcloud.kubernetes.work import Controller, reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

# From the launch to a node that takes pods, in Kubernetes' seconds.
START_SECONDS = 40.0
DRAIN_SECONDS = 0.2
LAUNCH_AGAIN_SECONDS = 2.0
READY = ("Launched", "Registered", "Initialized")


class Lifecycle:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("nodeclaims", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(self._told)

    def start(self) -> None:
        for claim in self._store.list(names.NODE_CLAIMS):
            self._controller.put("", claim["metadata"]["name"])

    def _told(self, change: Change) -> None:
        meta = change.object["metadata"]
        if change.resource is names.NODE_CLAIMS and change.kind != "DELETED":
            before = (change.before or {}).get("metadata", {})
            if change.kind == "ADDED" or ("deletionTimestamp" in meta) != (
                "deletionTimestamp" in before
            ):
                self._controller.put("", meta["name"])
        elif change.resource is NODES and "deletionTimestamp" in meta:
            for owner in meta.get("ownerReferences", []):
                if owner["kind"] == names.NODE_CLAIMS.kind:
                    self._controller.put("", owner["name"])

    def _reconcile(self, _: str, name: str) -> float | None:
        claim = self._store.get(names.NODE_CLAIMS, "", name)
        if claim is None:
            return None
        node = claims.node_of(self._store, claim)
        if claims.is_going(claim):
            return self._terminate(claim, node)
        if conditions.is_true(claim, "Ready") and (
            node is None or "deletionTimestamp" in node["metadata"]
        ):
            # Somebody deleted the node: the machine goes with it.
            self._store_delete(claim)
            return None
        if not conditions.is_true(claim, "Launched"):
            return self._launch(claim)
        if node is None:
            return self._register(claim)
        return self._expire(claim)

    def _store_delete(self, claim: Object) -> None:
        self._cluster.registry.delete(names.NODE_CLAIMS, "", claim["metadata"]["name"], {})

    def _launch(self, claim: Object) -> float | None:
        labels = claim["metadata"]["labels"]
        node_class = self._store.get(names.NODE_CLASSES, "", claim["spec"]["nodeClassRef"]["name"])
        subnets = (node_class or {}).get("status", {}).get("subnets", [])
        fitting = [one["id"] for one in subnets if one["zone"] == labels[names.ZONE]]
        if not fitting:
            self._store_delete(claim)
            return None
        tags = {
            names.POOL: labels[names.POOL],
            "karpenter.sh/nodeclaim": claim["metadata"]["name"],
            "Name": claim["metadata"]["name"],
            **node_class["spec"].get("tags", {}),
        }
        spot = labels[names.CAPACITY_TYPE] == names.SPOT
        kind = labels[names.INSTANCE_TYPE]
        try:
            machine = machines.start(self._cluster, kind, fitting[0], tags, spot=spot)
        except ClientError as error:
            words = str(error)

            def fail(document: Object) -> None:
                conditions.put(document, "Launched", False, "LaunchFailed", words)

            self._store.change(names.NODE_CLAIMS, "", claim["metadata"]["name"], fail)
            return LAUNCH_AGAIN_SECONDS

        def launched(document: Object) -> None:
            document["status"].update(providerID=machine.provider_id, nodeName=machine.name)
            document["status"]["imageID"] = machines.IMAGE
            conditions.put(document, "Launched", True)
            for kind in READY[1:]:
                conditions.put(document, kind, False, "NodeNotFound", "Node not registered yet")
            conditions.ready(document, READY)

        self._store.change(names.NODE_CLAIMS, "", claim["metadata"]["name"], launched)
        return pace.ours(START_SECONDS)

    def _register(self, claim: Object) -> float | None:
        meta, status = claim["metadata"], claim["status"]
        ready_at = moment(_since(claim, "Launched")).timestamp() + pace.ours(START_SECONDS)
        left = ready_at - datetime.now(UTC).timestamp()
        if left > 0:
            return left
        labels = {**meta["labels"], names.REGISTERED: "true", names.INITIALIZED: "true"}
        kind, zone = labels[names.INSTANCE_TYPE], labels[names.ZONE]
        name = status["nodeName"]
        made = nodes.of_type(kind, name, labels, claim["spec"].get("taints", []), zone)
        made["spec"]["providerID"] = status["providerID"]
        made["metadata"].update(
            finalizers=[names.FINALIZER],
            annotations=dict(meta.get("annotations", {})),
            ownerReferences=[{**reference(claim), "controller": False}],
        )
        with self._store.together():
            node = self._cluster.registry.create(NODES, "", made)

            def registered(document: Object) -> None:
                for kind in READY:
                    conditions.put(document, kind, True)
                conditions.ready(document, READY)

            self._store.change(names.NODE_CLAIMS, "", meta["name"], registered)
        words = f"Node {name} event: Registered Node {name} in Controller"
        self._cluster.recorder.event(node, "Normal", "RegisteredNode", words, "node-controller")
        return 0.0

    def _expire(self, claim: Object) -> float | None:
        lasts = conditions.seconds(claim["spec"].get("expireAfter", conditions.NEVER))
        if lasts is None:
            return None
        born = moment(claim["metadata"]["creationTimestamp"]).timestamp()
        left = born + lasts - datetime.now(UTC).timestamp()
        if left > 0:
            return left
        self._store_delete(claim)
        return None

    # the end ------------------------------------------------------------------------------------
    def _terminate(self, claim: Object, node: Object | None) -> float | None:
        name = claim["metadata"]["name"]
        if node is not None:
            self._leave(node)
            if self._drain(node):
                return DRAIN_SECONDS
        if claim["status"].get("providerID"):
            machines.stop(self._cluster, claim["status"]["providerID"])
        with self._store.together():
            if node is not None:
                self._collect(node["metadata"]["name"])
                self._store.delete(NODES, "", node["metadata"]["name"])

            def release(document: Object) -> None:
                kept = [f for f in document["metadata"]["finalizers"] if f != names.FINALIZER]
                document["metadata"]["finalizers"] = kept
                document["metadata"].pop("deletionGracePeriodSeconds", None)

            self._store.change(names.NODE_CLAIMS, "", name, release)
        return None

    def _leave(self, node: Object) -> None:
        """Nothing new comes onto it, and whoever looks sees that it goes."""
        name = node["metadata"]["name"]
        disrupt(self._store, name)
        if "deletionTimestamp" not in node["metadata"]:
            self._cluster.registry.delete(NODES, "", name, {})

    def _drain(self, node: Object) -> int:
        """Evict what runs on it; how many pods are still there."""
        left = claims.pods_of(self._store, node["metadata"]["name"])
        blocked = 0
        for pod in left:
            meta = pod["metadata"]
            if "deletionTimestamp" in meta:
                continue
            try:
                budgets.evict(self._cluster, meta["namespace"], meta["name"], {})
                claims.tell(self._cluster, pod, "Evicted", "Evicted pod")
            except ApiError as error:
                blocked += error.code == 429
        if blocked:
            words = f"Failed to drain node, {blocked} pods are waiting to be evicted"
            claims.tell(self._cluster, node, "FailedDraining", words, kind="Warning")
        return len(left)

    def _collect(self, node: str) -> None:
        """Pods that had ended go with their node, as Kubernetes' pod collector takes them."""
        for pod in self._store.list(PODS):
            if pod["spec"].get("nodeName") == node:
                meta = pod["metadata"]
                with suppress(ApiError):
                    options = {"gracePeriodSeconds": 0}
                    self._cluster.registry.delete(PODS, meta["namespace"], meta["name"], options)


def disrupt(store: object, node: str, going: bool = True) -> None:
    """Put Karpenter's taint on a node, or take it off."""

    def taint(document: Object) -> None:
        found = document["spec"].get("taints", [])
        kept = [one for one in found if one["key"] != names.DISRUPTED["key"]]
        kept += [dict(names.DISRUPTED)] if going else []
        if kept or "taints" in document["spec"]:
            document["spec"]["taints"] = kept

    store.change(NODES, "", node, taint)


def _since(document: Object, kind: str) -> str:
    found = document["status"]["conditions"]
    return next(one["lastTransitionTime"] for one in found if one["type"] == kind)
