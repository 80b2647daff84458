"""One month: read, check, curate, publish. Run twice, or killed and run again, it ends the same."""

import io
import json
from dataclasses import dataclass

import polars as pl

from etl import __version__
from etl.curate import curate, to_parquet, totals
from etl.errors import ServiceFailure
from etl.layout import Month
from etl.lookups import Lookups
from etl.publish import Content, Store, publish
from etl.raw import BadRow, gunzip, parse

# Each time another task of the month has published meanwhile, or its input was replaced.
MOST_ATTEMPTS = 10


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
    parquet = to_parquet(curated)
    counted = pl.scan_parquet(io.BytesIO(parquet)).select(pl.len()).collect().item()
    if counted != curated.height:
        raise RuntimeError(f"{name}: {curated.height} rows became {counted} in the Parquet file")
    return Curated(
        parquet=parquet,
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
    """Curate `month` and publish it; return the row counts of its manifest.

    Raises ServiceFailure when other tasks of the month publish again and again meanwhile.
    """
    name = store.name(month.raw_key)
    for _ in range(MOST_ATTEMPTS):
        data, etag = store.get(month.raw_key)
        result = transform(data, lookups, month, name)
        told = {
            "month": str(month),
            "source": {"key": month.raw_key, "etag": etag, "bytes": len(data)},
            "rows": result.rows,
            "sums": result.sums,
            "cancelled": result.cancelled,
            "program": "etl",
            "version": __version__,
        }
        if publish(store, month, Content(result.parquet, _lines(result.bad, name), told)):
            return result.rows
    raise ServiceFailure(
        f"{store.name(month.manifest_key)} is published by other tasks all the time; "
        "run the task again"
    )


def _lines(bad: list[BadRow], name: str) -> bytes:
    return b"".join(
        json.dumps(
            {"object": name, "line": row.line, "reason": row.reason, "text": row.text}
        ).encode()
        + b"\n"
        for row in bad
    )
