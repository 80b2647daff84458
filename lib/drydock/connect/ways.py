"""All ways of reading a query, by name: same arguments, same errors, Arrow batches."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pyarrow as pa

from drydock.connect.secrets import DatabaseSecret
from drydock.connect.tls import FULL

Way = Callable[..., Iterator[pa.RecordBatch]]  # (secret, certificates, query, *, tls)


def _way(module: str, function: str) -> Way:
    """A way whose driver is loaded at the first read: a task has memory for one, not for all."""

    def batches(
        secret: DatabaseSecret, certificates: Path | None, query: str, *, tls: str = FULL
    ) -> Iterator[pa.RecordBatch]:
        read = getattr(import_module(f"drydock.connect.{module}"), function)
        yield from read(secret, certificates, query, tls=tls)

    return batches


WAYS: dict[str, Way] = {
    "copy": _way("native", "copy"),
    "adbc": _way("native", "adbc"),
    "connectorx": _way("native", "connectorx"),
    "psycopg": _way("native", "rows"),
    "odbc": _way("odbc", "batches"),
    "odbc-rows": _way("odbc", "rows"),
    "jdbc": _way("jdbc", "batches"),
    "jdbc-result-set": _way("jdbc", "result_set"),
}


def read(
    way: str, secret: DatabaseSecret, certificates: Path | None, query: str, *, tls: str = FULL
) -> pa.Table:
    """Return the whole result of `query`, read in one of WAYS; raise rather than return a part."""
    return pa.Table.from_batches(list(WAYS[way](secret, certificates, query, tls=tls)))
