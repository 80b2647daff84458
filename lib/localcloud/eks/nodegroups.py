"""Managed node groups: as many Nodes as desired, of the group's first instance type.

Each is an instance that EC2 knows, so a bill sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.eks.exceptions import InvalidParameterException

from localcloud.eks import machines
from localcloud.kubernetes import nodes
from localcloud.kubernetes.resources import NODES, PODS

if TYPE_CHECKING:
    from localcloud.eks.plane import Eks
    from localcloud.kubernetes.cluster import Cluster

LABEL = "eks.amazonaws.com/nodegroup"
EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}


def check(types: list[str] | None, scaling: dict[str, int] | None) -> None:
    """Raise EKS's error for an unknown type or sizes out of order."""
    for kind in types or []:
        if kind not in INSTANCE_TYPES:
            raise InvalidParameterException(
                message=f"The following supplied instance types do not exist: [{kind}]"
            )
    sizes = scaling or {}
    least, most = sizes.get("minSize", 0), sizes.get("maxSize", 2)
    desired = sizes.get("desiredSize", least)
    if least > desired:
        words = f"Minimum capacity {least} can't be greater than desired size {desired}"
        raise InvalidParameterException(message=words)
    if desired > most:
        words = f"desired capacity {desired} can't be greater than max size {most}"
        raise InvalidParameterException(message=words)


def sync(eks: Eks, name: str) -> None:
    """Give the cluster the Nodes that its groups want, and take away what they do not."""
    cluster = eks.clusters[name]
    groups = eks.backend.clusters[name].nodegroups
    for node in cluster.store.list(NODES):
        group = node["metadata"].get("labels", {}).get(LABEL)
        if group is not None and group not in groups:
            remove(cluster, node["metadata"]["name"])
    for group in groups.values():
        _resize(cluster, group)


def _resize(cluster: Cluster, group: Any) -> None:
    desired = group.scaling_config.get("desiredSize", group.scaling_config.get("minSize", 0))
    chosen = [
        node
        for node in cluster.store.list(NODES)
        if node["metadata"].get("labels", {}).get(LABEL) == group.nodegroup_name
    ]
    busy = {pod["spec"].get("nodeName") for pod in cluster.store.list(PODS)}
    chosen.sort(key=lambda node: node["metadata"]["name"] in busy, reverse=True)
    for node in chosen[desired:]:
        remove(cluster, node["metadata"]["name"])
    for at in range(len(chosen), desired):
        tags = {"eks:cluster-name": cluster.name, "eks:nodegroup-name": group.nodegroup_name}
        subnet = group.subnets[at % len(group.subnets)]
        spot = group.capacity_type == "SPOT"
        machine = machines.start(cluster, group.instance_types[0], subnet, tags, spot=spot)
        labels = {
            LABEL: group.nodegroup_name,
            "eks.amazonaws.com/capacityType": group.capacity_type,
            **(group.labels or {}),
        }
        taints = [
            {"key": t["key"], "value": t.get("value", ""), "effect": EFFECTS[t["effect"]]}
            for t in group.taints or []
        ]
        kind = group.instance_types[0]
        node = nodes.of_type(kind, machine.name, labels, taints, machine.zone)
        node["spec"]["providerID"] = machine.provider_id
        add(cluster, node)


def add(cluster: Cluster, node: dict[str, Any]) -> None:
    made = cluster.registry.create(NODES, "", node)
    name = made["metadata"]["name"]
    words = f"Node {name} event: Registered Node {name} in Controller"
    cluster.recorder.event(made, "Normal", "RegisteredNode", words, "node-controller")


def remove(cluster: Cluster, name: str) -> None:
    """Drain it, in a hurry, and take it away."""
    cluster.store.change(NODES, "", name, lambda node: node["spec"].update(unschedulable=True))
    for pod in cluster.store.list(PODS):
        if pod["spec"].get("nodeName") == name:
            meta = pod["metadata"]
            cluster.registry.delete(PODS, meta["namespace"], meta["name"], {})
    node = cluster.store.delete(NODES, "", name)
    machines.stop(cluster, node["spec"].get("providerID", ""))
