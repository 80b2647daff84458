"""The sandbox of a pod: the limits that its containers share, and its own network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.kubernetes import pod_containers, sizes
from localcloud.runtimes.base import Network, Sandbox

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object


def make(cluster: Cluster, pod: Object, address: str) -> Sandbox:
    uid, containers = pod["metadata"]["uid"], _containers(pod)
    ports = {port["containerPort"] for one in containers for port in one.get("ports", [])}
    network = Network(address, tuple(sorted(ports)), lambda: cluster.reach(uid))
    return cluster.footing.runtime.sandbox(uid, *_limits(cluster, pod), network=network)


def _containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def _limits(cluster: Cluster, pod: Object) -> tuple[float, int]:
    """vCPU and MiB of the pod: its node's where a container has no limit of its own."""
    node, limits = cluster.allocatable(pod["spec"]["nodeName"]), sizes.limits(pod["spec"])
    for name in (sizes.CPU, sizes.MEMORY):
        for container in _containers(pod):
            if name not in (container.get("resources", {}).get("limits") or {}):
                limits[name] = node[name]
    return limits[sizes.CPU] / 1000, max(1, limits[sizes.MEMORY] // pod_containers.MIB)
