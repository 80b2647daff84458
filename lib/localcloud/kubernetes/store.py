"""All objects of one cluster: in memory for reading, in SQLite before a write is answered.

Every write has the next resourceVersion and is told to the watchers in that order. Objects that
come out of here are shared: nobody changes them. To change one, hand ``change`` a function.
"""

from __future__ import annotations

import copy
import json
import queue
import sqlite3
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.kubernetes import errors
from localcloud.kubernetes.resources import BY_PATH, Resource

Object = dict[str, Any]
Key = tuple[str, str]  # namespace ("" for a cluster's own) and name
KEPT_CHANGES = 4_000
SCHEMA = """
create table if not exists object (
    resource text not null, namespace text not null, name text not null, body text not null,
    primary key (resource, namespace, name)
) without rowid;
create table if not exists counter (version integer not null);
"""


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Change:
    """``kind`` is ADDED, MODIFIED or DELETED; ``before`` is None for the first."""

    version: int
    kind: str
    resource: Resource
    object: Object
    before: Object | None


class Store:
    def __init__(self, path: Path):
        self.lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode=wal")
        self._database.execute("pragma synchronous=normal")
        self._database.executescript(SCHEMA)
        self._objects: dict[str, dict[Key, Object]] = {}
        self._owned: dict[str, set[tuple[Resource, Key]]] = {}
        self._history: deque[Change] = deque(maxlen=KEPT_CHANGES)
        self._watchers: list[Callable[[Change], None]] = []
        self._depth = 0
        self.version = 1
        self._load()
        self._oldest = self.version

    def _load(self) -> None:
        known = {resource.key: resource for resource in BY_PATH.values()}
        for name, body in self._database.execute("select resource, body from object"):
            found = json.loads(body)
            self._remember(known[name], found)
        row = self._database.execute("select max(version) from counter").fetchone()
        self.version = row[0] or 1

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is kept as a whole, or not at all if the server is killed."""
        with self.lock:
            if self._depth == 0:
                self._database.execute("begin")
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._database.execute("commit")

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return self._objects.get(resource.key, {}).get((namespace, name))

    def need(self, resource: Resource, namespace: str, name: str) -> Object:
        """Raises ApiError NotFound."""
        found = self.get(resource, namespace, name)
        if found is None:
            raise errors.not_found(resource, name)
        return found

    def list(self, resource: Resource, namespace: str = "") -> list[Object]:
        """In the order of namespace and name; all namespaces for ""."""
        with self.lock:
            found = sorted(self._objects.get(resource.key, {}).items(), key=lambda item: item[0])
        return [one for key, one in found if not namespace or key[0] == namespace]

    def keyed(self, resource: Resource) -> dict[Key, Object]:
        """All objects of a resource by namespace and name: a copy of the index."""
        with self.lock:
            return dict(self._objects.get(resource.key, {}))

    def keyed_at(self, resource: Resource, version: int) -> dict[Key, Object]:
        """As they were at a version. Raises ApiError Expired when that is no longer known."""
        with self.lock:
            if version < self._oldest:
                raise errors.expired(version, self._oldest)
            found = self.keyed(resource)
            for change in reversed(self._history):
                if change.version <= version:
                    break
                if change.resource is resource:
                    meta = change.object["metadata"]
                    key = (meta.get("namespace", ""), meta["name"])
                    found.pop(key, None)
                    if change.before is not None:
                        found[key] = change.before
        return found

    def owned(self, uid: str, resource: Resource | None = None) -> list[Object]:
        """What names this object in its ownerReferences."""
        with self.lock:
            keys = list(self._owned.get(uid, ()))
            found = [self.get(kind, *key) for kind, key in keys if resource in (None, kind)]
        return [one for one in found if one is not None]

    def create(self, resource: Resource, document: Object) -> Object:
        """Raises ApiError AlreadyExists."""
        with self.together():
            meta = document["metadata"]
            key = (meta.get("namespace", ""), meta["name"])
            if key in self._objects.get(resource.key, {}):
                raise errors.exists(resource, meta["name"])
            meta.setdefault("uid", str(uuid.uuid4()))
            meta["creationTimestamp"] = now()
            if resource.has_status and "spec" in document:
                meta["generation"] = 1
            return self._write(resource, key, document, None)

    def change(
        self, resource: Resource, namespace: str, name: str, edit: Callable[[Object], Any]
    ) -> Object:
        """Let ``edit`` change a copy and keep it. What it leaves as it is, is not written.

        An object that waits only for its finalizers goes with the last one. Raises NotFound, and
        what ``edit`` raises.
        """
        with self.together():
            before = self.need(resource, namespace, name)
            after = copy.deepcopy(before)
            edit(after)
            if after == before:
                return before
            if resource.has_status and after.get("spec") != before.get("spec"):
                after["metadata"]["generation"] = before["metadata"].get("generation", 0) + 1
            if _ended(after):
                return self._drop(resource, (namespace, name), after)
            return self._write(resource, (namespace, name), after, before)

    def delete(self, resource: Resource, namespace: str, name: str) -> Object:
        """Remove it at once, whatever its finalizers. Raises NotFound."""
        with self.together():
            found = self.need(resource, namespace, name)
            return self._drop(resource, (namespace, name), copy.deepcopy(found))

    def _write(
        self, resource: Resource, key: Key, document: Object, before: Object | None
    ) -> Object:
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        body = json.dumps(document, separators=(",", ":"))
        self._database.execute(
            "insert or replace into object values (?, ?, ?, ?)", (resource.key, *key, body)
        )
        self._count()
        self._forget(resource, before)
        self._remember(resource, document)
        kind = "MODIFIED" if before else "ADDED"
        self._tell(Change(self.version, kind, resource, document, before))
        return document

    def _drop(self, resource: Resource, key: Key, document: Object) -> Object:
        before = self._objects[resource.key][key]
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        self._database.execute(
            "delete from object where resource = ? and namespace = ? and name = ?",
            (resource.key, *key),
        )
        self._count()
        self._forget(resource, before)
        del self._objects[resource.key][key]
        self._tell(Change(self.version, "DELETED", resource, document, before))
        return document

    def _count(self) -> None:
        self._database.execute("delete from counter")
        self._database.execute("insert into counter values (?)", (self.version,))

    def _remember(self, resource: Resource, document: Object) -> None:
        meta = document["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        self._objects.setdefault(resource.key, {})[key] = document
        for owner in meta.get("ownerReferences", []):
            self._owned.setdefault(owner["uid"], set()).add((resource, key))

    def _forget(self, resource: Resource, document: Object | None) -> None:
        meta = document["metadata"] if document else {}
        for owner in meta.get("ownerReferences", []):
            known = self._owned.get(owner["uid"], set())
            known.discard((resource, (meta.get("namespace", ""), meta["name"])))
            if not known:
                self._owned.pop(owner["uid"], None)

    def _tell(self, change: Change) -> None:
        if len(self._history) == KEPT_CHANGES:
            self._oldest = self._history[0].version
        self._history.append(change)
        for watcher in list(self._watchers):
            watcher(change)

    def subscribe(self, watcher: Callable[[Change], None]) -> None:
        """Call it with every change, in order, under the lock: it must only take note."""
        with self.lock:
            self._watchers.append(watcher)

    def unsubscribe(self, watcher: Callable[[Change], None]) -> None:
        with self.lock:
            self._watchers.remove(watcher)

    def changes_since(self, version: int, resource: Resource) -> Line:
        """The changes after a version, and those to come, until ``unsubscribe``.

        Raises ApiError Expired when they are no longer known.
        """
        with self.lock:
            if version < self._oldest:
                raise errors.expired(version, self._oldest)
            line = Line(resource)
            for change in self._history:
                if change.version > version:
                    line(change)
            self.subscribe(line)
        return line

    def close(self) -> None:
        with self.lock:
            self._database.close()


class Line:
    """A watcher's queue of the changes of one resource."""

    def __init__(self, resource: Resource):
        self.resource = resource
        self.queue: queue.SimpleQueue[Change] = queue.SimpleQueue()

    def __call__(self, change: Change) -> None:
        if change.resource is self.resource:
            self.queue.put(change)


def _ended(document: Object) -> bool:
    meta = document["metadata"]
    waits = meta.get("finalizers") or meta.get("deletionGracePeriodSeconds")
    return "deletionTimestamp" in meta and not waits
