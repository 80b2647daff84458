"""What goes when something else goes: dependents of a deleted owner, and all of a namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import NAMESPACES, PODS, STORED, of_kind
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
LOOK_SECONDS = 0.2


class Garbage:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._owners = Controller("garbage", self._collect)
        self._namespaces = Controller("namespaces", self._empty)
        self.controllers = [self._owners, self._namespaces]
        self._store.subscribe(self._told)

    def _told(self, change: Change) -> None:
        meta = change.object["metadata"]
        going = change.kind == "DELETED" or "deletionTimestamp" in meta
        if change.resource is NAMESPACES and going:
            self._namespaces.put("", meta["name"])
        if going and self._store.owned(meta["uid"]):
            self._owners.put("", meta["uid"])
        for owner in meta.get("ownerReferences", []):
            # A dependent that is gone may be the last that its owner waited for.
            if change.kind == "DELETED" or not self._exists(owner, meta.get("namespace", "")):
                self._owners.put("", owner["uid"])
        if FOREGROUND in meta.get("finalizers", []):
            self._owners.put("", meta["uid"])

    def start(self) -> None:
        """Look at everything once: an owner may have gone when the server was killed."""
        for namespace in self._store.list(NAMESPACES):
            if "deletionTimestamp" in namespace["metadata"]:
                self._namespaces.put("", namespace["metadata"]["name"])
        for resource in STORED:
            for one in self._store.list(resource):
                for owner in one["metadata"].get("ownerReferences", []):
                    self._owners.put("", owner["uid"])

    def _exists(self, owner: Object, namespace: str) -> Object | None:
        resource = of_kind(owner["apiVersion"], owner["kind"])
        if resource is None:
            return None
        found = self._store.get(resource, namespace if resource.namespaced else "", owner["name"])
        return found if found and found["metadata"]["uid"] == owner["uid"] else None

    def _collect(self, _: str, uid: str) -> float | None:
        """Delete what this owner has left behind, or what goes before it."""
        with self._store.lock:
            owner = None
            dependents = self._store.owned(uid)
            for one in dependents:
                references = one["metadata"]["ownerReferences"]
                mine = next(o for o in references if o["uid"] == uid)
                owner = owner or self._exists(mine, one["metadata"].get("namespace", ""))
            first = owner and FOREGROUND in owner["metadata"].get("finalizers", [])
            if owner is None or first:
                for one in dependents:
                    self._delete(one)
        if not dependents:
            self._release(uid)
        return LOOK_SECONDS if first and dependents else None

    def _release(self, uid: str) -> None:
        """An owner that waits in the foreground for dependents that have gone."""
        for resource in STORED:
            for one in self._store.list(resource):
                meta = one["metadata"]
                if meta["uid"] == uid and FOREGROUND in meta.get("finalizers", []):
                    self._store.change(
                        resource, meta.get("namespace", ""), meta["name"], unfinished
                    )

    def _delete(self, one: Object) -> None:
        resource, meta = of_kind(one["apiVersion"], one["kind"]), one["metadata"]
        if "deletionTimestamp" not in meta:
            self._cluster.delete(resource, meta.get("namespace", ""), meta["name"], {})

    def _empty(self, _: str, name: str) -> float | None:
        namespace = self._store.get(NAMESPACES, "", name)
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return None
        left = 0
        for resource in STORED:
            for one in self._store.list(resource, name) if resource.namespaced else ():
                left += 1
                meta = one["metadata"]
                if "deletionTimestamp" in meta and resource is PODS:
                    continue
                try:
                    self._cluster.delete(resource, name, meta["name"], {})
                except ApiError:
                    continue
        if left:
            return LOOK_SECONDS
        self._store.delete(NAMESPACES, "", name)
        return None


def unfinished(document: Object) -> None:
    finalizers = document["metadata"].get("finalizers", [])
    document["metadata"]["finalizers"] = [f for f in finalizers if f not in (FOREGROUND, ORPHAN)]


def orphan(cluster: Cluster, owner: Object) -> None:
    """Dependents stay and no longer name this owner."""
    uid = owner["metadata"]["uid"]
    for one in cluster.store.owned(uid):
        resource, meta = of_kind(one["apiVersion"], one["kind"]), one["metadata"]

        def disown(document: Object) -> None:
            references = document["metadata"]["ownerReferences"]
            document["metadata"]["ownerReferences"] = [o for o in references if o["uid"] != uid]

        cluster.store.change(resource, meta.get("namespace", ""), meta["name"], disown)
