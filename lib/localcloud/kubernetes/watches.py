"""Watch: the changes of a resource from a version on, as a client's selectors see them."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import Resource
from localcloud.kubernetes.selectors import Match
from localcloud.kubernetes.store import Change, Object, Store

BOOKMARK_SECONDS = 30.0
LONGEST_SECONDS = 1800.0
# So often a quiet watch looks whether the server stops.
LOOK_SECONDS = 0.5


def stream(
    store: Store,
    resource: Resource,
    matches: Match,
    query: dict[str, str],
    show: Callable[[Object], Object],
    stopped: Callable[[], bool],
) -> Iterator[bytes]:
    """One line of JSON for each event. Without a resourceVersion all that exists comes first."""
    version = query.get("resourceVersion", "")
    initial = query.get("sendInitialEvents", "").lower() == "true" or version in ("", "0")
    bookmarks = query.get("allowWatchBookmarks", "").lower() in ("true", "1")
    with store.lock:
        start = store.version if initial else int(version)
        existing = [one for one in store.list(resource) if matches(one)] if initial else []
        try:
            line = store.changes_since(start, resource)
        except ApiError as error:
            return iter([_line("ERROR", error.status())])

    def pieces() -> Iterator[bytes]:
        try:
            for one in existing:
                yield _line("ADDED", show(one))
            if query.get("sendInitialEvents", "").lower() == "true" and bookmarks:
                yield _bookmark(resource, start, {"k8s.io/initial-events-end": "true"})
            yield from _follow(store, line, matches, query, show, bookmarks, stopped)
        finally:
            store.unsubscribe(line)

    return pieces()


def _follow(
    store: Store,
    line: Any,
    matches: Match,
    query: dict[str, str],
    show: Callable[[Object], Object],
    bookmarks: bool,
    stopped: Callable[[], bool],
) -> Iterator[bytes]:
    began = said = time.monotonic()
    patience = min(float(query.get("timeoutSeconds") or LONGEST_SECONDS), LONGEST_SECONDS)
    while not stopped():
        left = began + patience - time.monotonic()
        if left <= 0:
            return
        try:
            change = line.queue.get(timeout=min(left, LOOK_SECONDS))
        except queue.Empty:
            if bookmarks and time.monotonic() - said > BOOKMARK_SECONDS:
                said = time.monotonic()
                with store.lock:
                    quiet, version = line.queue.empty(), store.version
                if quiet:
                    yield _bookmark(line.resource, version, {})
            continue
        kind = seen_as(change, matches)
        if kind:
            yield _line(kind, show(change.object))


def seen_as(change: Change, matches: Match) -> str | None:
    """The kind of event for a client that sees only what matches."""
    after = change.kind != "DELETED" and matches(change.object)
    before = change.before is not None and matches(change.before)
    if after:
        return "MODIFIED" if before else "ADDED"
    return "DELETED" if before else None


def _line(kind: str, document: Object) -> bytes:
    return json.dumps({"type": kind, "object": document}, separators=(",", ":")).encode() + b"\n"


def _bookmark(resource: Resource, version: int, annotations: dict[str, str]) -> bytes:
    meta: Object = {"resourceVersion": str(version), "creationTimestamp": None}
    if annotations:
        meta["annotations"] = annotations
    about = {"kind": resource.kind, "apiVersion": resource.api_version}
    # Empty, not absent, as in Kubernetes: Spark's watcher reads the phase of every event.
    parts = {"spec": {}, "status": {}} if resource.has_status else {}
    return _line("BOOKMARK", {**about, "metadata": meta, **parts})
