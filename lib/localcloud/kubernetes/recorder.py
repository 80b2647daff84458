"""Events: what happened to an object, as `kubectl describe` and `kubectl get events` show it."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import EVENTS, NAMESPACES
from localcloud.kubernetes.store import Object, now

if TYPE_CHECKING:
    from localcloud.kubernetes.store import Store

KEPT = 2_000


class Recorder:
    """One event for each object, reason and message: what repeats is counted."""

    def __init__(self, store: Store):
        self._store = store
        self._known: dict[tuple, tuple[str, str]] = {}
        self._number = itertools.count(time.time_ns())

    def event(
        self, about: Object, kind: str, reason: str, message: str, source: str, **more: Any
    ) -> None:
        """``kind`` is Normal or Warning; ``source`` the component; ``field_path`` a container."""
        meta = about["metadata"]
        namespace = meta.get("namespace", "default")
        key = (meta["uid"], kind, reason, message, source)
        with self._store.lock:
            home = self._store.get(NAMESPACES, "", namespace)
            if home is None or "deletionTimestamp" in home["metadata"]:
                return
            try:
                if key in self._known and self._count(self._known[key]):
                    return
                self._known[key] = (namespace, self._create(about, namespace, key, more))
            except ApiError:
                return
            if len(self._known) > KEPT:
                self._forget_the_oldest()

    def _count(self, place: tuple[str, str]) -> bool:
        if self._store.get(EVENTS, *place) is None:
            return False
        self._store.change(
            EVENTS,
            *place,
            lambda event: event.update(count=event["count"] + 1, lastTimestamp=now()),
        )
        return True

    def _create(self, about: Object, namespace: str, key: tuple, more: dict[str, Any]) -> str:
        meta = about["metadata"]
        _, kind, reason, message, source = key
        name = f"{meta['name']}.{next(self._number):x}"
        involved = {
            "kind": about["kind"],
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta["resourceVersion"],
        }
        if "namespace" in meta:
            involved["namespace"] = meta["namespace"]
        if more.get("field_path"):
            involved["fieldPath"] = more["field_path"]
        self._store.create(
            EVENTS,
            {
                "kind": "Event",
                "apiVersion": "v1",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": involved,
                "reason": reason,
                "message": message,
                "source": {"component": source},
                "firstTimestamp": now(),
                "lastTimestamp": now(),
                "count": 1,
                "type": kind,
                "eventTime": None,
                "reportingComponent": source,
                "reportingInstance": "",
            },
        )
        return name

    def _forget_the_oldest(self) -> None:
        key = next(iter(self._known))
        place = self._known.pop(key)
        if self._store.get(EVENTS, *place):
            self._store.delete(EVENTS, *place)
