"""metrics.k8s.io: what pods and nodes use, measured by the runtimes, as `kubectl top` shows it.

A runtime measures a pod as a whole; it is shown as its first container's.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.kubernetes import pace
from localcloud.kubernetes.resources import NODES, POD_METRICS, PODS, Resource
from localcloud.kubernetes.store import now

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

# metrics-server's --metric-resolution; the window is the time between two samples.
RESOLUTION_SECONDS = 15.0


@dataclass(frozen=True)
class Measured:
    """CPU in thousandths over ``window`` seconds that ended at ``at`` (monotonic); bytes."""

    cpu: int
    memory: int
    window: float
    at: float


class Metrics:
    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._samples: dict[str, deque[tuple[float, float, int]]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self.controllers: list = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(pace.ours(RESOLUTION_SECONDS)):
            at, usages = time.monotonic(), self._cluster.kubelet.usages()
            for uid, usage in usages.items():
                samples = self._samples.setdefault(uid, deque(maxlen=2))
                samples.append((at, usage.cpu_seconds, usage.memory_bytes))
            for gone in self._samples.keys() - usages.keys():
                del self._samples[gone]

    def of(self, uid: str) -> Measured | None:
        """None until there are two samples."""
        samples = list(self._samples.get(uid, ()))
        if len(samples) < 2:
            return None
        (began, before, _), (ended, after, memory) = samples
        cpu = max(0.0, after - before) / (ended - began)
        return Measured(round(cpu * 1000), memory, ended - began, ended)

    def listed(self, resource: Resource, namespace: str) -> list[Object]:
        if resource is POD_METRICS:
            return [one for pod in self._pods(namespace) if (one := self._pod(pod))]
        return [self._node(node) for node in self._cluster.store.list(NODES)]

    def _pods(self, namespace: str) -> list[Object]:
        return self._cluster.store.list(PODS, namespace)

    def _pod(self, pod: Object) -> Object | None:
        found = self.of(pod["metadata"]["uid"])
        if found is None:
            return None
        usages = [_usage(found.cpu, found.memory)]
        usages += [_usage(0, 0)] * (len(pod["spec"]["containers"]) - 1)
        names = [container["name"] for container in pod["spec"]["containers"]]
        containers = [{"name": n, "usage": u} for n, u in zip(names, usages, strict=True)]
        kept = ("name", "namespace", "labels")
        meta = {name: pod["metadata"][name] for name in kept if name in pod["metadata"]}
        return {**_about("PodMetrics", meta, found.window), "containers": containers}

    def _node(self, node: Object) -> Object:
        name, cpu, memory, window = node["metadata"]["name"], 0, 0, 1.0
        for pod in self._pods(""):
            found = self.of(pod["metadata"]["uid"])
            if found and pod["spec"].get("nodeName") == name:
                cpu, memory, window = cpu + found.cpu, memory + found.memory, found.window
        meta = {"name": name, "labels": node["metadata"].get("labels", {})}
        return {**_about("NodeMetrics", meta, window), "usage": _usage(cpu, memory)}


def _usage(cpu: int, memory: int) -> dict[str, str]:
    return {"cpu": f"{cpu}m", "memory": f"{memory // 1024}Ki"}


def _about(kind: str, meta: Object, window: float) -> Object:
    return {
        "kind": kind,
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {**meta, "creationTimestamp": now()},
        "timestamp": now(),
        "window": f"{window:.3f}s",
    }
