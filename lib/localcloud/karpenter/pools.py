"""NodePools and EC2NodeClasses: whether they may be used, and what they have."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.karpenter import conditions, names, offers
from localcloud.karpenter.packing import Pool
from localcloud.kubernetes import quantities, sizes
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

LOOK_AGAIN_SECONDS = 2.0
CLASS_CONDITIONS = ("SubnetsReady", "SecurityGroupsReady")


class Pools:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._pools = Controller("nodepools", self._pool)
        self._classes = Controller("nodeclasses", self._class)
        self.controllers = [self._pools, self._classes]
        self._store.subscribe(self._told)

    def start(self) -> None:
        for resource, controller in (
            (names.NODE_CLASSES, self._classes),
            (names.NODE_POOLS, self._pools),
        ):
            for one in self._store.list(resource):
                controller.put("", one["metadata"]["name"])

    def _told(self, change: Change) -> None:
        meta = change.object["metadata"]
        if change.resource is names.NODE_POOLS:
            self._pools.put("", meta["name"])
        elif change.resource is names.NODE_CLAIMS:
            self._pools.put("", meta.get("labels", {}).get(names.POOL, ""))
        elif change.resource is names.NODE_CLASSES:
            self._classes.put("", meta["name"])
            for pool in self._store.list(names.NODE_POOLS):
                self._pools.put("", pool["metadata"]["name"])

    def _pool(self, _: str, name: str) -> None:
        pool = self._store.get(names.NODE_POOLS, "", name)
        if pool is None:
            return
        wanted = pool["spec"]["template"]["spec"]["nodeClassRef"]["name"]
        found = self._store.get(names.NODE_CLASSES, "", wanted)
        used = in_use(self._store, name)
        resources = {
            "nodes": str(used["nodes"]),
            "cpu": quantities.cpu(used[sizes.CPU]),
            "memory": quantities.size(used[sizes.MEMORY]),
            "pods": str(used["pods"]),
        }

        def tell(document: Object) -> None:
            document.setdefault("status", {})["resources"] = resources
            if found is None:
                words = "NodeClass not found on cluster"
                conditions.put(document, "NodeClassReady", False, "NodeClassNotFound", words)
            else:
                usable = conditions.is_true(found, "Ready")
                why = "" if usable else "NodeClassNotReady"
                conditions.put(document, "NodeClassReady", usable, why)
            conditions.put(document, "ValidationSucceeded", True)
            conditions.ready(document, ("NodeClassReady", "ValidationSucceeded"))

        self._store.change(names.NODE_POOLS, "", name, tell)

    def _class(self, _: str, name: str) -> float | None:
        found = self._store.get(names.NODE_CLASSES, "", name)
        if found is None:
            return None
        spec = found["spec"]
        try:
            subnets = self._subnets(spec["subnetSelectorTerms"])
            groups = self._groups(spec["securityGroupSelectorTerms"])
        except (BotoCoreError, ClientError):
            return LOOK_AGAIN_SECONDS

        def tell(document: Object) -> None:
            document.setdefault("status", {}).update(subnets=subnets, securityGroups=groups)
            _selected(document, "Subnets", "Subnet", subnets)
            _selected(document, "SecurityGroups", "SecurityGroup", groups)
            conditions.ready(document, CLASS_CONDITIONS)

        self._store.change(names.NODE_CLASSES, "", name, tell)
        return None if subnets and groups else LOOK_AGAIN_SECONDS

    def _subnets(self, terms: list[Object]) -> list[Object]:
        found: dict[str, Object] = {}
        for term in terms:
            wanted = _filters(term, "subnet-id")
            client = self._cluster.footing.clients.get("ec2")
            for one in client.describe_subnets(Filters=wanted)["Subnets"]:
                found[one["SubnetId"]] = {"id": one["SubnetId"], "zone": one["AvailabilityZone"]}
        return [found[key] for key in sorted(found)]

    def _groups(self, terms: list[Object]) -> list[Object]:
        found: dict[str, Object] = {}
        for term in terms:
            wanted = _filters(term, "group-id")
            client = self._cluster.footing.clients.get("ec2")
            for one in client.describe_security_groups(Filters=wanted)["SecurityGroups"]:
                found[one["GroupId"]] = {"id": one["GroupId"], "name": one["GroupName"]}
        return [found[key] for key in sorted(found)]


def _filters(term: Object, identifier: str) -> list[Any]:
    found = [{"Name": identifier, "Values": [term["id"]]}] if "id" in term else []
    if "name" in term:
        found.append({"Name": "group-name", "Values": [term["name"]]})
    for key, value in term.get("tags", {}).items():
        if value == "*":
            found.append({"Name": "tag-key", "Values": [key]})
        else:
            found.append({"Name": f"tag:{key}", "Values": [value]})
    return found


def _selected(document: Object, plural: str, one: str, found: list[Object]) -> None:
    words = "" if found else f"{one}Selector did not match any {plural}"
    reason = "" if found else f"{plural}NotFound"
    conditions.put(document, f"{plural}Ready", bool(found), reason, words)


def in_use(store: Any, pool: str) -> Counter[str]:
    """The capacity of all NodeClaims of a pool, and how many they are (``nodes``)."""
    found: Counter[str] = Counter()
    for claim in store.list(names.NODE_CLAIMS):
        if claim["metadata"].get("labels", {}).get(names.POOL) == pool:
            found.update(sizes.amounts(claim.get("status", {}).get("capacity")))
            found["nodes"] += 1
    return found


def usable(store: Any) -> list[Pool]:
    """The NodePools that are Ready, as the packing wants them."""
    found = []
    for pool in store.list(names.NODE_POOLS):
        spec, name = pool["spec"], pool["metadata"]["name"]
        template = spec["template"]["spec"]
        node_class = store.get(names.NODE_CLASSES, "", template["nodeClassRef"]["name"])
        going = "deletionTimestamp" in pool["metadata"]
        if going or node_class is None or not conditions.is_true(pool, "Ready"):
            continue
        labels = spec["template"].get("metadata", {}).get("labels", {})
        zones = sorted({one["zone"] for one in node_class["status"].get("subnets", [])})
        used = in_use(store, name)
        limits = sizes.amounts(spec.get("limits"))
        found.append(
            Pool(
                name,
                offers.offers(template["requirements"], zones, {**labels, names.POOL: name}),
                template.get("taints", []),
                {key: value - used[key] for key, value in limits.items()},
                spec.get("weight", 0),
                template["requirements"],
            )
        )
    return found
