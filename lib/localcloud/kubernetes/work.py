"""Controllers: each is told which objects to look at, and brings the world closer to their spec."""

from __future__ import annotations

import heapq
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes.errors import ApiError

if TYPE_CHECKING:
    from localcloud.kubernetes.store import Change

RETRY_SECONDS = 0.5
Key = tuple[str, str]
Reconcile = Callable[[str, str], float | None]
"""With namespace and name; seconds after which to look again, or None."""


class Controller:
    """One thread that calls ``reconcile`` for each key once, however often it was put in."""

    def __init__(self, name: str, reconcile: Reconcile):
        self._reconcile, self._name = reconcile, name
        self._due: list[tuple[float, Key]] = []
        self._when: dict[Key, float] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, namespace: str, name: str, delay: float = 0.0) -> None:
        at, key = time.monotonic() + delay, (namespace, name)
        with self._changed:
            if self._when.get(key, float("inf")) <= at:
                return
            self._when[key] = at
            heapq.heappush(self._due, (at, key))
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread.ident:
            self._thread.join()

    def _next(self) -> Key | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    at, key = heapq.heappop(self._due)
                    if self._when.get(key) == at:
                        del self._when[key]
                        return key
                    continue
                self._changed.wait(self._due[0][0] - now if self._due else None)
        return None

    def _run(self) -> None:
        while key := self._next():
            try:
                again = self._reconcile(*key)
            except ApiError as error:
                # Somebody was faster, or the namespace is going; anything else is our mistake.
                if error.code not in (403, 404, 409):
                    traceback.print_exc()
                again = RETRY_SECONDS if error.code != 404 else None
            except Exception:
                traceback.print_exc()
                again = RETRY_SECONDS
            if again is not None:
                self.put(*key, again)


def owner_of(document: dict[str, Any], kind: str) -> str | None:
    """The name of the controller of this kind that owns the object."""
    for owner in document["metadata"].get("ownerReferences", []):
        if owner.get("controller") and owner["kind"] == kind:
            return owner["name"]
    return None


def reference(owner: dict[str, Any]) -> dict[str, Any]:
    """The ownerReference of what a controller makes for ``owner``."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def follows(controller: Controller, kind: str) -> Callable[[Change], None]:
    """A watcher that puts in objects of this kind, and the owners of this kind of all others."""

    def told(change: Change) -> None:
        meta = change.object["metadata"]
        if change.resource.kind == kind:
            controller.put(meta.get("namespace", ""), meta["name"])
            return
        name = owner_of(change.object, kind)
        if name:
            controller.put(meta.get("namespace", ""), name)

    return told
