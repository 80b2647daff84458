"""Fargate profiles: a matching pod gets a node of its own, of the next size that fits.

CPU and memory are the larger of the sum of the containers and of any init container, plus 256 MiB,
rounded up to a Fargate size; without requests 0.25 vCPU and 0.5 GB.
https://docs.aws.amazon.com/eks/latest/userguide/fargate-pod-configuration.html
"""

from __future__ import annotations

import fnmatch
import json
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.kubernetes import nodes, pace, quantities, sizes
from localcloud.kubernetes.resources import NODES, PODS
from localcloud.kubernetes.scheduler import FARGATE
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.eks.plane import Eks
    from localcloud.kubernetes.cluster import Cluster

DATA = Path(__file__).parents[3] / "data" / "fargate_sizes.json"
LABEL = "eks.amazonaws.com/fargate-profile"
ANNOTATION = "CapacityProvisioned"
OVERHEAD_MIB = 256
# A pod waits that long for its machine, in Kubernetes' seconds.
START_SECONDS = 40.0
TAINT = {"key": "eks.amazonaws.com/compute-type", "value": "fargate", "effect": "NoSchedule"}
MIB = 2**20


@cache
def _sizes() -> list[tuple[int, int]]:
    """CPU thousandths and MiB of every size that EKS has, smallest first."""
    rows = json.loads(DATA.read_text())["sizes"]
    return sorted(
        (row["cpu_units"] * 1000 // 1024, memory)
        for row in rows
        if "EKS" in row["services"]
        for memory in row["memory_mib"]
    )


def admit(eks: Eks, cluster: Cluster, resource: Any, pod: dict, before: dict | None) -> None:
    """As EKS's webhook: a pod that a profile selects is Fargate's to schedule."""
    if resource is not PODS or before is not None or pod["spec"].get("nodeName"):
        return
    record = eks.backend.clusters.get(cluster.name)
    for name, profile in sorted(record.fargate_profiles.items()) if record else ():
        if any(_selects(selector, pod["metadata"]) for selector in profile.selectors):
            pod["metadata"].setdefault("labels", {})[LABEL] = name
            pod["spec"]["schedulerName"] = FARGATE
            return


def _selects(selector: dict[str, Any], meta: dict[str, Any]) -> bool:
    labels = meta.get("labels") or {}
    wanted = (selector.get("labels") or {}).items()
    return fnmatch.fnmatchcase(meta["namespace"], selector["namespace"]) and all(
        fnmatch.fnmatchcase(labels.get(key, ""), value) for key, value in wanted
    )


class Fargate:
    """Makes a node for each pod that waits for one, and takes it away when the pod has gone."""

    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("fargate", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(self._told)

    def start(self) -> None:
        for pod in self._store.list(PODS):
            self._look_at(pod)

    def _told(self, change: Any) -> None:
        if change.resource is PODS:
            if change.kind == "DELETED":
                self._leave(change.object)
            elif change.kind == "ADDED":
                self._look_at(change.object)

    def _look_at(self, pod: dict) -> None:
        if pod["spec"]["schedulerName"] == FARGATE and not pod["spec"].get("nodeName"):
            meta = pod["metadata"]
            self._controller.put(meta["namespace"], meta["name"], pace.ours(START_SECONDS))

    def _reconcile(self, namespace: str, name: str) -> float | None:
        pod = self._store.get(PODS, namespace, name)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return None
        size = fargate_size(pod["spec"])
        if size is None:
            words = "Pod not supported on Fargate: its requests exceed the largest size"
            self._cluster.recorder.event(pod, "Warning", "FailedScheduling", words, FARGATE)
            return None
        node = self._node(size)
        shown = f"{size[0] / 1000:g}vCPU {size[1] / 1024:g}GB"
        self._store.change(
            PODS,
            namespace,
            name,
            lambda one: one["metadata"].setdefault("annotations", {}).update({ANNOTATION: shown}),
        )
        self._cluster.scheduler.bind(namespace, name, node)
        return None

    def _node(self, size: tuple[int, int]) -> str:
        name = f"fargate-ip-10-0-{secrets.randbelow(256)}-{secrets.randbelow(254) + 1}.ec2.internal"
        amounts = {"cpu": quantities.cpu(size[0]), "memory": f"{size[1]}Mi", "pods": "1"}
        labels = {"eks.amazonaws.com/compute-type": "fargate"}
        made = nodes.node(name, amounts, amounts, labels, [TAINT], f"{arns.REGION}a")
        self._cluster.registry.create(NODES, "", made)
        return name

    def _leave(self, pod: dict) -> None:
        name = pod["spec"].get("nodeName", "")
        if name.startswith("fargate-") and self._store.get(NODES, "", name):
            self._store.delete(NODES, "", name)


def fargate_size(spec: dict[str, Any]) -> tuple[int, int] | None:
    """CPU thousandths and MiB; None if no size is large enough."""
    wanted = sizes.requests(spec)
    cpu = wanted.get(sizes.CPU, 0)
    memory = -(-wanted.get(sizes.MEMORY, 0) // MIB) + OVERHEAD_MIB
    return next((one for one in _sizes() if one[0] >= cpu and one[1] >= memory), None)
