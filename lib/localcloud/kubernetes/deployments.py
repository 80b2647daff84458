"""Deployments: from one template to the next, a ReplicaSet each.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ and pkg/controller/
deployment (rolling.go, sync.go).
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from typing import TYPE_CHECKING

from localcloud.kubernetes.ages import moment
from localcloud.kubernetes.job_status import set_condition
from localcloud.kubernetes.registry import ALPHABET
from localcloud.kubernetes.resources import DEPLOYMENTS, REPLICA_SETS
from localcloud.kubernetes.store import now
from localcloud.kubernetes.work import Controller, follows, reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

HASH, REVISION = "pod-template-hash", "deployment.kubernetes.io/revision"
SOURCE = "deployment-controller"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Deployments:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("deployments", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(follows(self._controller, "Deployment"))

    def start(self) -> None:
        for one in self._store.list(DEPLOYMENTS):
            self._controller.put(one["metadata"]["namespace"], one["metadata"]["name"])

    def _reconcile(self, namespace: str, name: str) -> float | None:
        with self._store.together():
            found = self._store.get(DEPLOYMENTS, namespace, name)
            if found is None or "deletionTimestamp" in found["metadata"]:
                return None
            sets = self._sets(found)
            new = next((s for s in sets if _same(s, found)), None)
            if new is None and not found["spec"].get("paused"):
                new = self._create(found, sets)
            if new:
                self._number(found, new, sets)
            old = [s for s in self._sets(found) if not new or s["metadata"]["uid"] != _uid(new)]
            if new and not found["spec"].get("paused"):
                self._roll(found, new, old)
            self._clean(found, old)
            return self._tell(found, new)

    def _sets(self, found: Object) -> list[Object]:
        return self._store.owned(_uid(found), REPLICA_SETS)

    def _create(self, found: Object, sets: list[Object]) -> Object:
        template = copy.deepcopy(found["spec"]["template"])
        mark = template_hash(template)
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH] = mark
        selector = copy.deepcopy(found["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH] = mark
        meta = found["metadata"]
        document = {
            "kind": "ReplicaSet",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": f"{meta['name']}-{mark}",
                "labels": dict(labels),
                "annotations": {},
                "ownerReferences": [reference(found)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
        made = self._cluster.registry.create(REPLICA_SETS, meta["namespace"], document)
        words = f'Created new replica set "{made["metadata"]["name"]}"'
        self._progress(found, "NewReplicaSetCreated", words)
        return made

    def _number(self, found: Object, new: Object, sets: list[Object]) -> None:
        """The new set has the highest revision, which the Deployment shows."""
        highest = max((_revision(s) for s in sets if _uid(s) != _uid(new)), default=0)
        if _revision(new) <= highest:
            number, notes = str(highest + 1), dict(found["metadata"].get("annotations") or {})
            notes.pop(LAST_APPLIED, None)
            self._annotate(REPLICA_SETS, new, {**notes, REVISION: number})
        new = self._store.get(REPLICA_SETS, new["metadata"]["namespace"], new["metadata"]["name"])
        self._annotate(DEPLOYMENTS, found, {REVISION: str(_revision(new))})

    def _annotate(self, resource, one: Object, notes: dict[str, str]) -> None:
        def edit(document: Object) -> None:
            document["metadata"].setdefault("annotations", {}).update(notes)

        self._store.change(resource, one["metadata"]["namespace"], one["metadata"]["name"], edit)

    def _roll(self, found: Object, new: Object, old: list[Object]) -> None:
        wanted, strategy = found["spec"]["replicas"], found["spec"]["strategy"]
        live = [s for s in old if s["spec"]["replicas"]]
        if strategy["type"] == "Recreate":
            for one in live:
                self._scale(found, one, 0)
            gone = not any(s.get("status", {}).get("replicas") for s in old)
            if gone:
                self._scale(found, new, wanted)
            return
        surge, unavailable = limits(strategy["rollingUpdate"], wanted)
        total = sum(s["spec"]["replicas"] for s in [new, *live])
        if new["spec"]["replicas"] > wanted or not live:
            self._scale(found, new, wanted)
        elif new["spec"]["replicas"] < wanted:
            room = max(0, wanted + surge - total)
            number = min(wanted, new["spec"]["replicas"] + room)
            self._scale(found, new, number)
        self._shrink(found, new, live, wanted - unavailable)

    def _shrink(self, found: Object, new: Object, live: list[Object], least: int) -> None:
        """Take old pods away while at least ``least`` are available."""
        new = self._store.get(REPLICA_SETS, new["metadata"]["namespace"], new["metadata"]["name"])
        unready = new["spec"]["replicas"] - new.get("status", {}).get("availableReplicas", 0)
        total = sum(s["spec"]["replicas"] for s in [new, *live])
        spare = total - least - max(0, unready)
        for one in sorted(live, key=lambda s: s["metadata"]["creationTimestamp"]):
            # Pods that are not available anyway go first, and cost nothing.
            sick = one["spec"]["replicas"] - one.get("status", {}).get("availableReplicas", 0)
            number = min(one["spec"]["replicas"], max(0, spare))
            if number:
                self._scale(found, one, one["spec"]["replicas"] - number)
                spare -= max(number, min(sick, number))

    def _scale(self, found: Object, one: Object, number: int) -> None:
        before, name = one["spec"]["replicas"], one["metadata"]["name"]
        if before == number:
            return
        self._store.change(
            REPLICA_SETS,
            one["metadata"]["namespace"],
            name,
            lambda document: document["spec"].update(replicas=number),
        )
        way = "up" if number > before else "down"
        words = f"Scaled {way} replica set {name} from {before} to {number}"
        self._cluster.recorder.event(found, "Normal", "ScalingReplicaSet", words, SOURCE)

    def _clean(self, found: Object, old: list[Object]) -> None:
        limit = found["spec"]["revisionHistoryLimit"]
        idle = [s for s in old if not s["spec"]["replicas"] and not s["status"].get("replicas")]
        for one in sorted(idle, key=_revision)[: max(0, len(idle) - limit)]:
            self._store.delete(REPLICA_SETS, one["metadata"]["namespace"], one["metadata"]["name"])

    def _tell(self, found: Object, new: Object | None) -> float | None:
        meta = found["metadata"]
        found = self._store.get(DEPLOYMENTS, meta["namespace"], meta["name"])
        sets, wanted = self._sets(found), found["spec"]["replicas"]
        states = [s.get("status", {}) for s in sets]
        updated = next((s for s in sets if new and _uid(s) == _uid(new)), {}).get("status", {})
        total = sum(s.get("replicas", 0) for s in states)
        available = sum(s.get("availableReplicas", 0) for s in states)
        after = copy.deepcopy(found)
        status = after.setdefault("status", {})
        counts = {
            "replicas": total,
            "updatedReplicas": updated.get("replicas", 0),
            "readyReplicas": sum(s.get("readyReplicas", 0) for s in states),
            "availableReplicas": available,
            "unavailableReplicas": max(0, max(total, wanted) - available),
        }
        moved = any(status.get(name, 0) != value for name, value in counts.items())
        for name, value in counts.items():
            if value:
                status[name] = value
            else:
                status.pop(name, None)
        status["observedGeneration"] = meta.get("generation", 1)
        _, unavailable = limits(found["spec"]["strategy"].get("rollingUpdate", {}), wanted)
        if available >= wanted - unavailable:
            words = ("MinimumReplicasAvailable", "Deployment has minimum availability.")
            set_condition(after, "Available", *words)
        else:
            words = ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
            set_condition(after, "Available", *words, status="False")
        done = updated.get("replicas", 0) == total == available == wanted
        wait = self._say_progress(after, new, done, moved)
        for condition in status["conditions"]:
            condition.pop("lastProbeTime", None)
            condition.setdefault("lastUpdateTime", condition["lastTransitionTime"])
        self._store.change(
            DEPLOYMENTS, meta["namespace"], meta["name"], lambda one: one.update(status=status)
        )
        return wait

    def _say_progress(
        self, after: Object, new: Object | None, done: bool, moved: bool
    ) -> float | None:
        """The condition Progressing; seconds until its deadline is to be looked at."""
        if new is None:
            return None
        name = new["metadata"]["name"]
        conditions = after["status"].setdefault("conditions", [])
        known = next((c for c in conditions if c["type"] == "Progressing"), None)
        if done:
            words = f'ReplicaSet "{name}" has successfully progressed.'
            _replace(after, "True", "NewReplicaSetAvailable", words)
            return None
        finished = known and known["reason"] == "NewReplicaSetAvailable"
        if known is None or moved or (finished and name not in known["message"]):
            words = f'ReplicaSet "{name}" is progressing.'
            _replace(after, "True", "ReplicaSetUpdated", words, moved=True)
            return after["spec"]["progressDeadlineSeconds"]
        if finished:
            return None
        since = time.time() - moment(known.get("lastUpdateTime") or now()).timestamp()
        left = after["spec"]["progressDeadlineSeconds"] - since
        if left <= 0:
            words = f'ReplicaSet "{name}" has timed out progressing.'
            _replace(after, "False", "ProgressDeadlineExceeded", words)
            return None
        return left + 0.1

    def _progress(self, found: Object, reason: str, words: str) -> None:
        meta = found["metadata"]

        def edit(document: Object) -> None:
            document.setdefault("status", {}).setdefault("conditions", [])
            _replace(document, "True", reason, words, moved=True)

        self._store.change(DEPLOYMENTS, meta["namespace"], meta["name"], edit)


def limits(rolling: Object, wanted: int) -> tuple[int, int]:
    """maxSurge, rounded up, and maxUnavailable, rounded down; not both 0."""
    surge = resolve(rolling.get("maxSurge", 0), wanted, math.ceil)
    unavailable = resolve(rolling.get("maxUnavailable", 0), wanted, math.floor)
    return surge, unavailable if surge or unavailable else 1


def resolve(value: int | str, whole: int, to_whole) -> int:
    """A number, or a percentage of ``whole``."""
    if isinstance(value, str) and value.endswith("%"):
        return to_whole(whole * int(value[:-1]) / 100)
    return int(value)


def template_hash(template: Object) -> str:
    plain = copy.deepcopy(template)
    plain.get("metadata", {}).get("labels", {}).pop(HASH, None)
    number = int(hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:15], 16)
    return "".join(ALPHABET[int(digit, 36) % len(ALPHABET)] for digit in str(number)[:10])


def _same(one: Object, found: Object) -> bool:
    return one["metadata"].get("labels", {}).get(HASH) == template_hash(found["spec"]["template"])


def _uid(one: Object) -> str:
    return one["metadata"]["uid"]


def _revision(one: Object) -> int:
    return int((one["metadata"].get("annotations") or {}).get(REVISION, 0))


def _replace(document: Object, status: str, reason: str, words: str, moved: bool = False) -> None:
    conditions = document["status"]["conditions"]
    known = next((c for c in conditions if c["type"] == "Progressing"), {})
    if (known.get("status"), known.get("reason"), known.get("message")) == (status, reason, words):
        if moved:
            known["lastUpdateTime"] = now()
        return
    since = known.get("lastTransitionTime") if known.get("status") == status else None
    found = {"type": "Progressing", "status": status, "reason": reason, "message": words}
    found |= {"lastUpdateTime": now(), "lastTransitionTime": since or now()}
    document["status"]["conditions"] = [c for c in conditions if c is not known] + [found]
