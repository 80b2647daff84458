"""What ECS knows: clusters, task definitions, tasks, services, machines, in memory and on disk.

An item's ``wire`` is the resource exactly as the API describes it; whatever callers must not see
is in ``private``. Hold ``state.lock`` to read or change items; ``state.changed`` is notified on
every save.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.store import Store

KEEP_STOPPED_SECONDS = 3600.0
KINDS = ("cluster", "definition", "task", "service", "instance", "provider", "setting")


@dataclass
class Item:
    """One resource. ``sequence`` orders items by creation."""

    kind: str
    key: str
    sequence: int
    wire: dict[str, Any]
    tags: list[dict[str, str]] = field(default_factory=list)
    private: dict[str, Any] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        return arns.last_part(self.wire["clusterArn"])


def now() -> float:
    """Epoch seconds with milliseconds: ECS's timestamps."""
    return round(time.time(), 3)


class State:
    """All items by kind, one of KINDS."""

    def __init__(self, path: Path):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        # Each is called with every item that was saved, under the lock.
        self.listeners: list[Callable[[Item], None]] = []
        self._store = Store(path)
        self._items: dict[str, dict[str, Item]] = {kind: {} for kind in KINDS}
        loaded = [Item(**document) for _, _, document in self._store.load()]
        for item in sorted(loaded, key=lambda item: item.sequence):
            self._items[item.kind][item.key] = item
        self._sequence = max((item.sequence for item in loaded), default=0)

    def close(self) -> None:
        self._store.close()

    def add(self, kind: str, key: str, wire: dict, tags: list | None = None, **private) -> Item:
        with self.lock:
            self._sequence += 1
            item = Item(kind, key, self._sequence, wire, tags or [], private)
            self.save(item)
            self._items[kind][key] = item
            return item

    def save(self, item: Item) -> None:
        """Make a change durable, then wake those who wait for one."""
        with self.changed:
            self._store.put(item.kind, item.key, asdict(item))
            self.changed.notify_all()
            for tell in self.listeners:
                tell(item)

    def note(self, item: Item) -> None:
        """Like ``save``, but for work that must go on even if the disk is full."""
        try:
            self.save(item)
        except sqlite3.Error as error:
            print(f"State of {item.kind} {item.key} is not kept: {error}", file=sys.stderr)

    def remove(self, item: Item) -> None:
        with self.lock:
            self._store.delete(item.kind, item.key)
            self._items[item.kind].pop(item.key, None)

    def get(self, kind: str, key: str) -> Item | None:
        return self._items[kind].get(key)

    def all(self, kind: str) -> list[Item]:
        """Items of a kind in order of creation."""
        return list(self._items[kind].values())

    def cluster(self, name_or_arn: str | None) -> Item:
        """The active cluster of a request; ClusterNotFoundException if there is none."""
        cluster = self.get("cluster", arns.last_part(name_or_arn or "default"))
        if cluster is None or cluster.wire["status"] != "ACTIVE":
            raise errors.cluster_not_found()
        return cluster

    def definition(self, reference: str) -> Item | None:
        """By ARN, family:revision, or family (its latest active revision)."""
        key = arns.last_part(reference)
        if ":" in key:
            return self.get("definition", key)
        active = [d for d in self.revisions(key) if d.wire["status"] == "ACTIVE"]
        return active[-1] if active else None

    def revisions(self, family: str) -> list[Item]:
        return [d for d in self.all("definition") if d.wire["family"] == family]

    def service(self, cluster: Item, name_or_arn: str) -> Item | None:
        return self.get("service", f"{cluster.key}/{arns.last_part(name_or_arn)}")

    def tasks(self, cluster: str | None = None, service: str | None = None) -> Iterator[Item]:
        """Tasks, of a cluster's name and of a service's name if given."""
        for task in self.all("task"):
            if cluster is not None and task.cluster != cluster:
                continue
            if service is not None and task.wire["group"] != f"service:{service}":
                continue
            yield task

    def drop_old_tasks(self) -> None:
        """Forget tasks that stopped more than an hour ago, as AWS does."""
        oldest = time.time() - KEEP_STOPPED_SECONDS
        with self.lock:
            for task in self.all("task"):
                if task.wire.get("stoppedAt", oldest) < oldest:
                    self.remove(task)
