"""One month: read, check, curate, publish. Run twice, or killed and run again, it ends the same.

The order of publishing makes that true. Files have their checksum in their key, so that no file
takes the place of one that a manifest names. Then the manifest is put, which is what readers trust:
one atomic put is the switch from the old rows to the new. Last, what it does not name is removed.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from etl import __version__
from etl.curate import curate, to_parquet, totals
from etl.errors import InputFailure, ServiceFailure
from etl.layout import Month
from etl.lookups import Lookups
from etl.raw import BadRow, gunzip, parse


class Store(Protocol):
    """Where objects are: a bucket, or anything with its five operations."""

    def name(self, key: str) -> str: ...
    def keys(self, prefix: str) -> list[str]: ...
    def get(self, key: str) -> tuple[bytes, str]: ...
    def put(self, key: str, data: bytes) -> None: ...
    def delete(self, key: str) -> None: ...


@dataclass(frozen=True)
class Curated:
    """What a raw object turns into: the Parquet file, the bad rows, and the figures of both."""

    parquet: bytes
    bad: list[BadRow]
    rows: dict[str, int]
    sums: dict[str, int]
    cancelled: int


def transform(data: bytes, lookups: Lookups, month: Month, name: str) -> Curated:
    """Turn the gzip CSV `data` of `month` into its curated Parquet; `name` is for messages."""
    parsed = parse(gunzip(data, name), month, name)
    curated = curate(parsed.good, lookups, month)
    if curated.height != parsed.good.height:
        raise RuntimeError(
            f"{name}: {parsed.good.height} rows became {curated.height} in the joins"
        )
    return Curated(
        parquet=to_parquet(curated),
        bad=parsed.bad,
        rows={
            "read": parsed.read,
            "curated": curated.height,
            "quarantined": len(parsed.bad),
        },
        sums=totals(curated),
        cancelled=int(curated.get_column("cancelled").sum()),
    )


def run_month(store: Store, lookups: Lookups, month: Month) -> dict[str, int]:
    """Curate `month` and publish it; return the row counts of its manifest."""
    data, etag = store.get(month.raw_key)
    name = store.name(month.raw_key)
    result = transform(data, lookups, month, name)
    checksum = hashlib.sha256(result.parquet).hexdigest()
    curated_key, quarantine_key = month.curated_key(checksum), None
    files = {curated_key: result.parquet}
    if result.bad:
        lines = _lines(result.bad, name)
        quarantine_key = month.quarantine_key(hashlib.sha256(lines).hexdigest())
        files[quarantine_key] = lines
    for key, content in files.items():
        store.put(key, content)
    _verify(store, curated_key, checksum, result.rows["curated"])
    manifest = {
        "month": str(month),
        "source": {"key": month.raw_key, "etag": etag, "bytes": len(data)},
        "rows": result.rows,
        "sums": result.sums,
        "cancelled": result.cancelled,
        "file": {"key": curated_key, "bytes": len(result.parquet), "sha256": checksum},
        "quarantine": quarantine_key,
        "program": "etl",
        "version": __version__,
    }
    published = json.dumps(manifest, indent=2).encode() + b"\n"
    store.put(month.manifest_key, published)
    _sweep(store, month, published, files)
    return result.rows


def _sweep(store: Store, month: Month, published: bytes, files: dict[str, bytes]) -> None:
    """Remove the month's files that are not among the published `files`.

    Another task may work on the month at the same time. If it published after us, the sweep is its
    own; if before us, its sweep may have taken our files for left over, and they are put back.
    Raises ServiceFailure when it published in between, as we may have removed what it names.
    """
    found = store.keys(month.curated_prefix) + store.keys(month.quarantine_prefix)
    if store.get(month.manifest_key)[0] != published:
        return
    for key in files.keys() - set(found):
        store.put(key, files[key])
    left_over = set(found) - files.keys()
    for key in left_over:
        store.delete(key)
    if left_over and store.get(month.manifest_key)[0] != published:
        raise ServiceFailure(
            f"{store.name(month.manifest_key)} was published by another task at the same time; "
            "run the task again"
        )


def _verify(store: Store, key: str, checksum: str, rows: int) -> None:
    """Read the published file back; raise ServiceFailure when it is not what was written."""
    try:
        stored, _ = store.get(key)
    except InputFailure:
        raise ServiceFailure(
            f"{store.name(key)} was removed by another task of this month; run the task again"
        ) from None
    if hashlib.sha256(stored).hexdigest() != checksum:
        raise ServiceFailure(f"{store.name(key)} is not what was written; run the task again")
    counted = pl.scan_parquet(io.BytesIO(stored)).select(pl.len()).collect().item()
    if counted != rows:
        raise RuntimeError(f"{store.name(key)} has {counted} rows instead of {rows}")


def _lines(bad: list[BadRow], name: str) -> bytes:
    return b"".join(
        json.dumps(
            {"object": name, "line": row.line, "reason": row.reason, "text": row.text}
        ).encode()
        + b"\n"
        for row in bad
    )
