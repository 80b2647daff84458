"""The Horizontal Pod Autoscaler: replicas by what the pods really use.

Its period and windows pass at our pace (see ``pace``). Metrics of type Resource and
ContainerResource; Pods, Object and External have no source here, and the status says so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import autoscaler_rules as rules
from localcloud.kubernetes import pace, selectors, sizes
from localcloud.kubernetes.ages import moment
from localcloud.kubernetes.job_status import set_condition
from localcloud.kubernetes.replica_sets import is_ready
from localcloud.kubernetes.resources import AUTOSCALERS, PODS, of_kind
from localcloud.kubernetes.store import now
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

PERIOD_SECONDS = 15.0
SOURCE = "horizontal-pod-autoscaler"
SCALABLE = ("Deployment", "ReplicaSet")
LIMITED = {
    "TooManyReplicas": "the desired replica count is more than the maximum replica count",
    "TooFewReplicas": "the desired replica count is less than the minimum replica count",
    "ScaleUpLimit": "the desired replica count is increasing faster than the maximum scale rate",
    "ScaleDownLimit": "the desired replica count is decreasing faster than the maximum scale rate",
    "DesiredWithinRange": "the desired count is within the acceptable range",
}


class Autoscaler:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("autoscaler", self._reconcile)
        self.controllers = [self._controller]
        self._memories: dict[str, rules.Memory] = {}
        self._store.subscribe(self._told)

    def start(self) -> None:
        for one in self._store.list(AUTOSCALERS):
            self._controller.put(one["metadata"]["namespace"], one["metadata"]["name"])

    def _told(self, change: Change) -> None:
        if change.resource is AUTOSCALERS and change.kind == "ADDED":
            meta = change.object["metadata"]
            self._controller.put(meta["namespace"], meta["name"])

    def _reconcile(self, namespace: str, name: str) -> float | None:
        with self._store.together():
            found = self._store.get(AUTOSCALERS, namespace, name)
            if found is None:
                return None
            status: Object = {"conditions": [dict(c) for c in _conditions(found)]}
            self._decide(found, status)
            for condition in status["conditions"]:
                condition.pop("lastProbeTime", None)
            before = found.get("status", {})
            kept = {k: before[k] for k in ("lastScaleTime", "currentMetrics") if k in before}
            self._store.change(
                AUTOSCALERS, namespace, name, lambda one: one.update(status={**kept, **status})
            )
        return pace.ours(PERIOD_SECONDS)

    def _decide(self, found: Object, status: Object) -> None:
        spec, namespace = found["spec"], found["metadata"]["namespace"]
        target = spec["scaleTargetRef"]
        resource = of_kind(target.get("apiVersion", "apps/v1"), target["kind"])
        scaled = None
        if resource is not None and resource.kind in SCALABLE:
            scaled = self._store.get(resource, namespace, target["name"])
        status.update(currentReplicas=0, desiredReplicas=0)
        if scaled is None:
            words = f'{(resource.key if resource else target["kind"])} "{target["name"]}" not found'
            self._refuse(found, status, "AbleToScale", "FailedGetScale", words)
            return
        current = scaled["spec"]["replicas"]
        status.update(currentReplicas=current, desiredReplicas=current)
        _say(status, "AbleToScale", "True", "SucceededGetScale", _GOT_SCALE)
        if current == 0:
            words = "scaling is disabled since the replica count of the target is zero"
            _say(status, "ScalingActive", "False", "ScalingDisabled", words)
            return
        desired = self._desired(found, status, scaled, current)
        if desired is None:
            return
        memory = self._memories.setdefault(found["metadata"]["uid"], rules.Memory())
        # One clock for windows and policies, in Kubernetes' seconds.
        moment_now = time.monotonic() * pace.factor()
        number, why = rules.decide(current, desired, moment_now, spec, memory)
        status["desiredReplicas"] = number
        _say(status, "AbleToScale", "True", "ReadyForNewScale", _READY)
        limited = "False" if why == "DesiredWithinRange" else "True"
        _say(status, "ScalingLimited", limited, why, LIMITED[why])
        if number != current:
            self._scale(found, status, resource, scaled, number)

    def _scale(
        self, found: Object, status: Object, resource: Any, scaled: Object, number: int
    ) -> None:
        meta = scaled["metadata"]
        self._store.change(
            resource,
            meta["namespace"],
            meta["name"],
            lambda one: one["spec"].update(replicas=number),
        )
        status["lastScaleTime"] = now()
        words = f"the HPA controller was able to update the target scale to {number}"
        _say(status, "AbleToScale", "True", "SucceededRescale", words)
        names = [_name(metric) for metric in found["spec"]["metrics"]]
        up = number > scaled["spec"]["replicas"]
        reason = f"{names[0]} above target" if up else "All metrics below target"
        words = f"New size: {number}; reason: {reason}"
        self._cluster.recorder.event(found, "Normal", "SuccessfulRescale", words, SOURCE)

    def _desired(self, found: Object, status: Object, scaled: Object, current: int) -> int | None:
        """What the metrics ask for together: the largest; fewer than now only if all answer."""
        proposals, failures, shown = [], [], []
        for metric in found["spec"]["metrics"]:
            try:
                number, measured = self._proposal(metric, scaled, current)
                proposals.append(number)
                shown.append(measured)
            except rules.NoAnswer as why:
                failures.append((metric, str(why)))
        status["currentMetrics"] = shown
        for metric, why in failures:
            reason = "FailedGetResourceMetric"
            words = f"failed to get {_resource(metric)} utilization: {why}"
            self._cluster.recorder.event(found, "Warning", reason, words, SOURCE)
            if not proposals:
                told = "the HPA was unable to compute the replica count: " + words
                self._refuse(found, status, "ScalingActive", reason, told, tell=False)
        if not proposals:
            return None
        name = _name(found["spec"]["metrics"][0])
        words = f"the HPA was able to successfully calculate a replica count from {name}"
        _say(status, "ScalingActive", "True", "ValidMetricFound", words)
        largest = max(proposals)
        return current if failures and largest < current else largest

    def _proposal(self, metric: Object, scaled: Object, current: int) -> tuple[int, Object]:
        part = metric.get("resource") or metric.get("containerResource")
        if part is None:
            raise rules.NoAnswer(f"the local cloud has no source of {metric['type']} metrics")
        name, target = part["name"], part["target"]
        utilization = target["type"] == "Utilization"
        samples = self._samples(scaled, name, utilization)
        if utilization:
            wanted = target["averageUtilization"]
        else:
            wanted = sizes.amounts({name: target["averageValue"]})[name]
        number, measured = rules.wanted(samples, current, wanted, utilization, name == "cpu")
        used = [one.used for one in samples if one.used is not None]
        average = sum(used) // len(used)
        told: Object = {"averageValue": f"{average}m" if name == "cpu" else str(average)}
        if utilization:
            told["averageUtilization"] = measured
        kind = "resource" if "resource" in metric else "containerResource"
        extra = {"container": part["container"]} if "container" in part else {}
        return number, {"type": metric["type"], kind: {"name": name, "current": told, **extra}}

    def _samples(self, scaled: Object, name: str, utilization: bool) -> list[rules.Sample]:
        chosen = selectors.of_object(scaled["spec"]["selector"])
        found = []
        for pod in self._store.list(PODS, scaled["metadata"]["namespace"]):
            going = "deletionTimestamp" in pod["metadata"] or pod["status"]["phase"] == "Failed"
            if going or not chosen(pod["metadata"].get("labels") or {}):
                continue
            found.append(self._sample(pod, name, utilization))
        return found

    def _sample(self, pod: Object, name: str, utilization: bool) -> rules.Sample:
        requested = 0
        for container in pod["spec"]["containers"]:
            amounts = sizes.amounts(container.get("resources", {}).get("requests"))
            if utilization and name not in amounts:
                raise rules.NoAnswer(
                    f"missing request for {name} in container {container['name']} of Pod "
                    f"{pod['metadata']['name']}"
                )
            requested += amounts.get(name, 0)
        measured = self._cluster.metrics.of(pod["metadata"]["uid"])
        ready = next((c for c in pod["status"].get("conditions", []) if c["type"] == "Ready"), {})
        began = pod["status"].get("startTime")
        faster = pace.factor()
        age = (time.time() - moment(began).timestamp()) * faster if began else 0.0
        since = ready.get("lastTransitionTime")
        turned = 0.0
        if began and since:
            # Times in an object are whole seconds, and what is cut off counts ten times here: a
            # window that began before the pod was ready would hold what its start has cost.
            cut = faster - 1
            turned = (moment(since) - moment(began)).total_seconds() * faster + max(0.0, cut)
        if measured is None:
            used, window, old = None, 0.0, 0.0
        else:
            used = measured.cpu if name == "cpu" else measured.memory
            window = measured.window * faster
            old = (time.monotonic() - measured.at) * faster
        return rules.Sample(
            used,
            requested,
            is_ready(pod),
            pod["status"]["phase"] == "Pending",
            age,
            turned,
            window,
            old,
        )

    def _refuse(
        self, found: Object, status: Object, kind: str, reason: str, words: str, tell: bool = True
    ) -> None:
        _say(status, kind, "False", reason, words)
        if tell:
            self._cluster.recorder.event(found, "Warning", reason, words, SOURCE)


_GOT_SCALE = "the HPA controller was able to get the target's current scale"
_READY = "recommended size matches current size"


def _conditions(found: Object) -> list[Object]:
    return found.get("status", {}).get("conditions", [])


def _resource(metric: Object) -> str:
    part = metric.get("resource") or metric.get("containerResource") or {}
    return part.get("name", metric["type"])


def _name(metric: Object) -> str:
    part = metric.get("resource") or metric.get("containerResource") or {"target": {}}
    name = _resource(metric)
    if part["target"].get("type") == "Utilization":
        return f"{name} resource utilization (percentage of request)"
    return f"{name} resource"


def _say(status: Object, kind: str, value: str, reason: str, words: str) -> None:
    for one in status["conditions"]:
        if one["type"] == kind and one["status"] == value:
            one.update(reason=reason, message=words)
            return
    set_condition({"status": status}, kind, reason, words, value)
