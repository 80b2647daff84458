"""Publishing a month: its files first, then its manifest, which is what readers trust.

Tasks that work on one month at the same time are kept apart by a revision. Whoever publishes has
read the manifest, writes files with a later revision in their keys, and replaces that manifest only
if it still is the one that was read. So once revision 7 is published, nobody can publish 7 or less
any more, and files of these revisions that the manifest does not name are nobody's: they can be
removed at any time. Files of later revisions belong to tasks that are at work.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Protocol

from etl.errors import InputFailure, ServiceFailure
from etl.layout import Month


class Store(Protocol):
    """Where objects are: a bucket, or anything with its operations."""

    def name(self, key: str) -> str: ...
    def keys(self, prefix: str) -> list[str]: ...
    def etag(self, key: str) -> str | None: ...
    def get(self, key: str) -> tuple[bytes, str]: ...
    def put(self, key: str, data: bytes) -> None: ...
    def replace(self, key: str, data: bytes, etag: str | None) -> bool: ...
    def delete(self, key: str) -> None: ...


@dataclass(frozen=True)
class Content:
    """What is to be published: the Parquet file, the bad rows as lines if there are any, and what
    the manifest tells beside where they are."""

    parquet: bytes
    bad_lines: bytes
    told: dict

    def files(self, month: Month, revision: int) -> dict[str, bytes]:
        """By key, the Parquet file first."""
        found = {month.curated_key(revision, _sha256(self.parquet)): self.parquet}
        if self.bad_lines:
            found[month.quarantine_key(revision, _sha256(self.bad_lines))] = self.bad_lines
        return found

    def manifest(self, month: Month, revision: int) -> dict:
        curated, *quarantine = self.files(month, revision)
        file = {"key": curated, "bytes": len(self.parquet), "sha256": _sha256(self.parquet)}
        return self.told | {
            "revision": revision,
            "file": file,
            "quarantine": quarantine[0] if quarantine else None,
        }


def publish(store: Store, month: Month, content: Content) -> bool:
    """Make `content` what readers see of `month`, and remove what was before.

    False: another task has published meanwhile, or the source is no longer what the content was
    made from; curate again.
    """
    source = content.told["source"]["etag"]
    etag, manifest = _published(store, month)
    # Looked at after the manifest: whoever publishes newer input from now on changes the manifest.
    if store.etag(month.raw_key) != source:
        return False
    found = store.keys(month.curated_prefix) + store.keys(month.quarantine_prefix)
    revision = manifest.get("revision", 0)
    latest = max([revision, *map(month.revision_of, found)])
    files = content.files(month, revision)
    same = latest == revision and manifest == content.manifest(month, revision)
    if not same or not all(_read(store, key) == data for key, data in files.items()):
        revision = latest + 1
        files = content.files(month, revision)
        if not _put(store, files):
            return False
        told = json.dumps(content.manifest(month, revision), indent=2).encode() + b"\n"
        if not store.replace(month.manifest_key, told, etag):
            return False
    # Found before it was published, so of no later revision.
    for key in set(found) - files.keys():
        store.delete(key)
    # A task that found its newer input published already, before ours was, has changed nothing.
    return store.etag(month.raw_key) == source


def _published(store: Store, month: Month) -> tuple[str | None, dict]:
    """The manifest with its etag; what is no manifest counts as an empty one."""
    if store.etag(month.manifest_key) is None:
        return None, {}
    try:
        data, etag = store.get(month.manifest_key)
    except InputFailure:  # removed since
        return None, {}
    try:
        found = json.loads(data)
    except ValueError:
        return etag, {}
    usable = isinstance(found, dict) and isinstance(found.get("revision", 0), int)
    return etag, found if usable else {}


def _put(store: Store, files: dict[str, bytes]) -> bool:
    """Write them and read them back; False when a task that has published since removed one.

    Raises ServiceFailure when something else is read than was written.
    """
    for key, data in files.items():
        store.put(key, data)
    for key, data in files.items():
        stored = _read(store, key)
        if stored is None:
            return False
        if stored != data:
            raise ServiceFailure(f"{store.name(key)} is not what was written; run the task again")
    return True


def _read(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)[0]
    except InputFailure:  # it is not there
        return None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
