"""NodeClaims: one for each machine that was decided on, and the rooms that they are to pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.karpenter import names
from localcloud.karpenter.packing import Machine, Room
from localcloud.kubernetes import quantities, sizes
from localcloud.kubernetes.registry import suffix
from localcloud.kubernetes.resources import NODES, PODS
from localcloud.kubernetes.work import reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object, Store

ENDED = ("Succeeded", "Failed")


def create(cluster: Cluster, machine: Machine) -> Object:
    """Ask for a machine: the lifecycle starts it."""
    offer, pool = machine.offer, cluster.store.need(names.NODE_POOLS, "", machine.pool.name)
    spec = pool["spec"]["template"]["spec"]
    wanted: dict[str, int] = {}
    for pod in machine.pods:
        for name, value in {**sizes.requests(pod["spec"]), "pods": 1}.items():
            wanted[name] = wanted.get(name, 0) + value
    chosen = (names.INSTANCE_TYPE, names.CAPACITY_TYPE, names.ZONE)
    narrowed = [{"key": k, "operator": "In", "values": [offer.labels[k]]} for k in chosen]
    kept = [one for one in spec["requirements"] if one["key"] not in chosen]
    owner = {**reference(pool), "controller": True}
    document = {
        "apiVersion": names.NODE_CLAIMS.api_version,
        "kind": names.NODE_CLAIMS.kind,
        "metadata": {
            "name": f"{machine.pool.name}-{suffix()}",
            "labels": dict(offer.labels),
            "annotations": dict(
                pool["spec"]["template"].get("metadata", {}).get("annotations", {})
            ),
            "finalizers": [names.FINALIZER],
            "ownerReferences": [owner],
        },
        "spec": {
            **{key: spec[key] for key in ("nodeClassRef", "taints", "expireAfter") if key in spec},
            "requirements": [*kept, *narrowed],
            "resources": {"requests": shown(wanted)},
        },
    }
    made = cluster.registry.create(names.NODE_CLAIMS, "", document)
    # Counted against the pool's limits from now on, not only once it runs.
    status = {"capacity": shown(offer.capacity), "allocatable": shown(offer.allocatable)}
    return cluster.store.change(
        names.NODE_CLAIMS,
        "",
        made["metadata"]["name"],
        lambda one: one.setdefault("status", {}).update(status),
    )


def shown(amounts: sizes.Amounts) -> dict[str, str]:
    """Amounts as a manifest writes them."""
    how = {sizes.CPU: quantities.cpu, sizes.MEMORY: quantities.size}
    return {name: how.get(name, str)(value) for name, value in amounts.items()}


def node_of(store: Store, claim: Object) -> Object | None:
    name = claim.get("status", {}).get("nodeName")
    return store.get(NODES, "", name) if name else None


def pods_of(store: Store, node: str) -> list[Object]:
    """The pods that take room on a node."""
    found = (pod for pod in store.list(PODS) if pod["spec"].get("nodeName") == node)
    return [pod for pod in found if pod["status"].get("phase") not in ENDED]


def is_going(claim: Object) -> bool:
    return "deletionTimestamp" in claim["metadata"]


def rooms(store: Store) -> list[Room]:
    """Every node that takes pods, then every machine on its way, by the name of its claim.

    A node without a claim, such as one of a node group, has its own name.
    """
    found, known = [], {}
    for claim in store.list(names.NODE_CLAIMS):
        node = node_of(store, claim)
        if node is not None:
            known[node["metadata"]["name"]] = claim["metadata"]["name"]
        elif not is_going(claim):
            meta = {"name": "", "labels": claim["metadata"]["labels"]}
            coming = {"metadata": meta, "spec": {"taints": claim["spec"].get("taints", [])}}
            free = sizes.amounts(claim["status"].get("allocatable"))
            found.append(Room(claim["metadata"]["name"], coming, free))
    running = []
    for node in store.list(NODES):
        meta = node["metadata"]
        if node["spec"].get("unschedulable") or "deletionTimestamp" in meta:
            continue
        room = Room(
            known.get(meta["name"], meta["name"]),
            node,
            sizes.amounts(node["status"].get("allocatable")),
        )
        for pod in pods_of(store, meta["name"]):
            room.put(pod)
        running.append(room)
    return running + found


def tell(cluster: Cluster, about: Any, reason: str, message: str, kind: str = "Normal") -> None:
    cluster.recorder.event(about, kind, reason, message, names.SOURCE)
