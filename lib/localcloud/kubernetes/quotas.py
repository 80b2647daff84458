"""Resource quotas: what a namespace may hold together; more is refused when it is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import errors, quantities, sizes
from localcloud.kubernetes.replica_sets import ENDED
from localcloud.kubernetes.resources import PODS, QUOTAS, STORED
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

ALIASES = {"cpu": "requests.cpu", "memory": "requests.memory"}


class Quotas:
    def __init__(self, cluster: Cluster):
        self._store = cluster.store
        self._controller = Controller("quotas", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(self._told)

    def start(self) -> None:
        for one in self._store.list(QUOTAS):
            self._controller.put(one["metadata"]["namespace"], one["metadata"]["name"])

    def _told(self, change: Change) -> None:
        namespace = change.object["metadata"].get("namespace")
        if (namespace and change.kind != "MODIFIED") or change.resource in (PODS, QUOTAS):
            for one in self._store.list(QUOTAS, namespace):
                self._controller.put(namespace, one["metadata"]["name"])

    def admit(self, resource: Any, document: Object, before: Object | None) -> None:
        """Refuse a new object that a quota has no room for."""
        if before is not None or not resource.namespaced or resource is QUOTAS:
            return
        meta = document["metadata"]
        for quota in self._store.list(QUOTAS, meta["namespace"]):
            hard = quota["spec"].get("hard") or {}
            wanted = _of(resource, document)
            touched = [name for name in hard if wanted.get(_plain(name))]
            self._require_amounts(resource, document, quota, hard)
            used = self._used(meta["namespace"])
            over = [
                name
                for name in touched
                if used.get(_plain(name), 0) + wanted[_plain(name)] > _amount(name, hard[name])
            ]
            if over:
                raise errors.forbidden(
                    resource, meta["name"], _exceeded(quota, over, wanted, used, hard)
                )

    def _require_amounts(self, resource: Any, pod: Object, quota: Object, hard: Object) -> None:
        if resource is not PODS:
            return
        missing = []
        for name in hard:
            kind, _, amount = _plain(name).partition(".")
            if kind in ("requests", "limits"):
                containers = pod["spec"]["containers"]
                lacking = [
                    c for c in containers if amount not in (c.get("resources", {}).get(kind) or {})
                ]
                missing += (
                    [f"{name} for: {','.join(c['name'] for c in lacking)}"] if lacking else []
                )
        if missing:
            words = f"failed quota: {quota['metadata']['name']}: must specify {'; '.join(missing)}"
            raise errors.forbidden(resource, pod["metadata"]["name"], words)

    def _used(self, namespace: str) -> dict[str, int]:
        total: dict[str, int] = {}
        for resource in STORED:
            for one in self._store.list(resource, namespace) if resource.namespaced else ():
                for name, value in _of(resource, one).items():
                    total[name] = total.get(name, 0) + value
        return total

    def _reconcile(self, namespace: str, name: str) -> None:
        with self._store.together():
            found = self._store.get(QUOTAS, namespace, name)
            if found is None:
                return
            hard, used = found["spec"].get("hard") or {}, self._used(namespace)
            shown = {one: _shown(one, used.get(_plain(one), 0)) for one in hard}
            status = {"hard": hard, "used": shown}
            self._store.change(QUOTAS, namespace, name, lambda one: one.update(status=status))


def _plain(name: str) -> str:
    name = name.removeprefix("count/").removesuffix(".apps").removesuffix(".batch")
    return ALIASES.get(name, name)


def _of(resource: Any, document: Object) -> dict[str, int]:
    """What one object takes."""
    if resource is PODS and document.get("status", {}).get("phase") in ENDED:
        return {}
    found = {resource.plural: 1}
    if resource is PODS:
        for kind, amounts in (
            ("requests", sizes.requests(document["spec"])),
            ("limits", sizes.limits(document["spec"])),
        ):
            found |= {f"{kind}.{name}": value for name, value in amounts.items()}
    return found


def _amount(name: str, value: str) -> int:
    cpu = _plain(name).endswith(".cpu")
    return quantities.milli(value) if cpu else quantities.whole(value)


def _shown(name: str, value: int) -> str:
    plain = _plain(name)
    if plain.endswith(".cpu"):
        return quantities.cpu(value)
    return quantities.size(value) if plain.endswith(".memory") else str(value)


def _exceeded(quota: Object, over: list[str], wanted: dict, used: dict, hard: Object) -> str:
    def told(amounts: dict[str, int]) -> str:
        return ",".join(f"{name}={_shown(name, amounts.get(_plain(name), 0))}" for name in over)

    limits = ",".join(f"{name}={hard[name]}" for name in over)
    name = quota["metadata"]["name"]
    return (
        f"exceeded quota: {name}, requested: {told(wanted)}, used: {told(used)}, limited: {limits}"
    )
