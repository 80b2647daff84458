"""The scheduler: a node for each pod, and the reasons when there is none.

Filters in kube-scheduler's order: node name, unschedulable, taints, node selector and affinity,
resources. The score is NodeResourcesFit's LeastAllocated over CPU and memory. The texts are those
of its plugins (pkg/scheduler/framework/plugins, and fit_error.go for how they are put together).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import errors, selectors, sizes
from localcloud.kubernetes.resources import NODES, PODS
from localcloud.kubernetes.store import now
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

NAME = "default-scheduler"
AGAIN_SECONDS = 5.0
ENDED = ("Succeeded", "Failed")
FARGATE = "fargate-scheduler"
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class Scheduler:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("scheduler", self._schedule)
        self.controllers = [self._controller]
        self._used: dict[str, sizes.Used] = {}
        # Not looked for among all pods: those that have ended may be thousands.
        self._waiting: set[tuple[str, str]] = set()
        self._store.subscribe(self._told)

    def start(self) -> None:
        for pod in self._store.list(PODS):
            self._count(pod, +1)
            self._look_at(pod)

    def _told(self, change: Change) -> None:
        if change.resource is PODS:
            before = change.before
            if before:
                self._count(before, -1)
            if change.kind != "DELETED":
                self._count(change.object, +1)
            freed = (
                before
                and _holds(before)
                and not (change.kind != "DELETED" and _holds(change.object))
            )
            if change.kind == "DELETED":
                self._waiting.discard(_key(change.object))
            else:
                self._look_at(change.object)
            if freed:
                self._look_again()
        elif change.resource is NODES and _matters(change):
            self._look_again()

    def _count(self, pod: Object, sign: int) -> None:
        if _holds(pod):
            used = self._used.setdefault(pod["spec"]["nodeName"], sizes.Used())
            used.add(sizes.requests(pod["spec"]), sign)

    def _look_at(self, pod: Object) -> None:
        key = _key(pod)
        if _waits(pod):
            self._waiting.add(key)
            self._controller.put(*key)
        else:
            self._waiting.discard(key)

    def _look_again(self) -> None:
        for key in sorted(self._waiting):
            self._controller.put(*key)

    def used(self, node: str) -> sizes.Used:
        return self._used.get(node, sizes.Used())

    def bind(self, namespace: str, name: str, node: str) -> None:
        """Raises ApiError."""
        with self._store.lock:
            pod = self._store.need(PODS, namespace, name)
            if pod["spec"].get("nodeName"):
                raise errors.conflict(
                    PODS,
                    name,
                    f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"',
                )

            def sit(document: Object) -> None:
                document["spec"]["nodeName"] = node
                _condition(document, "True", None, None)

            made = self._store.change(PODS, namespace, name, sit)
        message = f"Successfully assigned {namespace}/{name} to {node}"
        source = FARGATE if pod["spec"]["schedulerName"] == FARGATE else NAME
        self._cluster.recorder.event(made, "Normal", "Scheduled", message, source)

    def _schedule(self, namespace: str, name: str) -> float | None:
        pod = self._store.get(PODS, namespace, name)
        if pod is None or not _waits(pod):
            return None
        with self._store.lock:
            nodes = self._store.list(NODES)
            reasons: Counter[str] = Counter()
            fitting = []
            for node in nodes:
                why = self.why_not(pod, node)
                reasons.update(why)
                if not why:
                    fitting.append(node)
            if fitting:
                best = max(fitting, key=lambda node: self._score(pod, node))
                self.bind(namespace, name, best["metadata"]["name"])
                return None
        message = unplaced(len(nodes), reasons)
        self._refuse(pod, message)
        return AGAIN_SECONDS

    def why_not(self, pod: Object, node: Object) -> list[str]:
        """Reasons of the first filter that turns the pod away; none if it fits."""
        spec, labels = pod["spec"], node["metadata"].get("labels", {})
        if node["spec"].get("unschedulable") and not tolerates(spec, UNSCHEDULABLE):
            return ["node(s) were unschedulable"]
        for taint in node["spec"].get("taints", []):
            if taint["effect"] != "PreferNoSchedule" and not tolerates(spec, taint):
                # Since 1.34.2 without the taint: https://github.com/kubernetes/kubernetes/pull/135023
                return ["node(s) had untolerated taint(s)"]
        if not selects(spec, node, labels):
            return ["node(s) didn't match Pod's node affinity/selector"]
        why = self._anti_affinity(pod, node)
        if why:
            return [why]
        return self.used(node["metadata"]["name"]).lacks(sizes.requests(spec), node)

    def _anti_affinity(self, pod: Object, node: Object) -> str | None:
        """Required pod (anti-)affinity, by any label of the nodes."""
        affinity = pod["spec"].get("affinity", {})
        terms = "requiredDuringSchedulingIgnoredDuringExecution"
        for term in affinity.get("podAffinity", {}).get(terms, []):
            if not self._near(pod, node, term):
                return "node(s) didn't match pod affinity rules"
        for term in affinity.get("podAntiAffinity", {}).get(terms, []):
            if self._near(pod, node, term):
                return "node(s) didn't match pod anti-affinity rules"
        return None

    def _near(self, pod: Object, node: Object, term: Object) -> bool:
        key = term["topologyKey"]
        here = node["metadata"].get("labels", {}).get(key)
        spaces = term.get("namespaces") or [pod["metadata"]["namespace"]]
        chosen = selectors.of_object(term.get("labelSelector"))
        for other in self._store.list(PODS):
            meta = other["metadata"]
            if meta["namespace"] in spaces and _holds(other) and chosen(meta.get("labels") or {}):
                place = self._store.get(NODES, "", other["spec"]["nodeName"])
                if place and place["metadata"].get("labels", {}).get(key) == here:
                    return True
        return False

    def _score(self, pod: Object, node: Object) -> tuple:
        wanted, used = sizes.requests(pod["spec"]), self.used(node["metadata"]["name"])
        return used.least_allocated(wanted, node), -used.pods

    def _refuse(self, pod: Object, message: str) -> None:
        meta = pod["metadata"]
        made = self._store.change(
            PODS,
            meta["namespace"],
            meta["name"],
            lambda one: _condition(one, "False", "Unschedulable", message),
        )
        if made is not pod:
            self._cluster.recorder.event(made, "Warning", "FailedScheduling", message, NAME)


def unplaced(nodes: int, reasons: Counter[str]) -> str:
    """0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had …"""
    if nodes == 0:
        return "no nodes available to schedule pods"
    told = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    hopeless = sum(c for r, c in reasons.items() if not r.startswith(("Insufficient", "Too many")))
    victims = nodes - min(hopeless, nodes)
    parts = []
    if victims:
        parts.append(f"{victims} No preemption victims found for incoming pod")
    if hopeless:
        parts.append(f"{min(hopeless, nodes)} Preemption is not helpful for scheduling")
    preemption = f"preemption: 0/{nodes} nodes are available: {', '.join(sorted(parts))}."
    return f"0/{nodes} nodes are available: {told}. {preemption}"


def tolerates(spec: Object, taint: Object) -> bool:
    for toleration in spec.get("tolerations", []):
        if toleration.get("effect") not in (None, "", taint["effect"]):
            continue
        if not toleration.get("key"):
            if toleration.get("operator") == "Exists":
                return True
            continue
        if toleration["key"] != taint["key"]:
            continue
        if toleration.get("operator", "Equal") == "Exists":
            return True
        if toleration.get("value", "") == taint.get("value", ""):
            return True
    return False


def selects(spec: Object, node: Object, labels: dict[str, str]) -> bool:
    wanted = spec.get("nodeSelector", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    required = (
        spec.get("affinity", {})
        .get("nodeAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution")
    )
    if not required:
        return True
    name = {"metadata.name": node["metadata"]["name"]}
    return any(
        selectors.of_object({"matchExpressions": term.get("matchExpressions", [])})(labels)
        and selectors.of_object({"matchExpressions": term.get("matchFields", [])})(name)
        for term in required["nodeSelectorTerms"]
    )


def _key(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    ours = spec["schedulerName"] == NAME
    gone = "deletionTimestamp" in pod["metadata"] or spec.get("schedulingGates")
    return ours and not spec.get("nodeName") and not gone


def _holds(pod: Object) -> bool:
    """Whether the pod takes room of its node."""
    return bool(pod["spec"].get("nodeName")) and pod["status"].get("phase") not in ENDED


def _matters(change: Change) -> bool:
    before = change.before or {}
    return any(change.object.get(part) != before.get(part) for part in ("spec", "metadata")) and (
        change.object.get("spec") != before.get("spec")
        or change.object["metadata"].get("labels") != before.get("metadata", {}).get("labels")
    )


def _condition(pod: Object, status: str, reason: str | None, message: str | None) -> None:
    """PodScheduled."""
    found: dict[str, Any] = {"type": "PodScheduled", "status": status}
    conditions = pod["status"].setdefault("conditions", [])
    known = next((c for c in conditions if c["type"] == "PodScheduled"), None)
    if known and (known["status"], known.get("message")) == (status, message):
        return
    found |= {"lastProbeTime": None, "lastTransitionTime": now()}
    if reason:
        found |= {"reason": reason, "message": message}
    pod["status"]["conditions"] = [c for c in conditions if c is not known] + [found]
