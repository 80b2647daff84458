"""One month: read, check, curate, publish. Run twice, or killed and run again, it ends the same.

The order of publishing makes that true. The Parquet file goes to the month's one key in one atomic
put and is read back; then the quarantined lines; the manifest, which is what readers trust, last.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from etl import __version__
from etl.curate import curate, to_parquet, totals
from etl.errors import ServiceFailure
from etl.layout import Month
from etl.lookups import Lookups
from etl.raw import BadRow, gunzip, parse


class Store(Protocol):
    """Where objects are: a bucket, or anything with its four operations."""

    def name(self, key: str) -> str: ...
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
    store.put(month.curated_key, result.parquet)
    _verify(store, month.curated_key, checksum, result.rows["curated"])
    if result.bad:
        store.put(month.quarantine_key, _lines(result.bad, name))
    else:
        store.delete(month.quarantine_key)
    manifest = {
        "month": str(month),
        "source": {"key": month.raw_key, "etag": etag, "bytes": len(data)},
        "rows": result.rows,
        "sums": result.sums,
        "cancelled": result.cancelled,
        "file": {"key": month.curated_key, "bytes": len(result.parquet), "sha256": checksum},
        "quarantine": month.quarantine_key if result.bad else None,
        "program": "etl",
        "version": __version__,
    }
    store.put(month.manifest_key, json.dumps(manifest, indent=2).encode() + b"\n")
    return result.rows


def _verify(store: Store, key: str, checksum: str, rows: int) -> None:
    """Read the published file back; raise ServiceFailure when it is not what was written."""
    stored, _ = store.get(key)
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
