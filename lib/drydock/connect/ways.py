"""All ways of reading a query, by name: same arguments, same errors, Arrow batches."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from drydock.connect import jdbc, native, odbc
from drydock.connect.secrets import DatabaseSecret
from drydock.connect.tls import FULL

Way = Callable[..., Iterator[pa.RecordBatch]]  # (secret, certificates, query, *, tls)

WAYS: dict[str, Way] = {
    "copy": native.copy,
    "adbc": native.adbc,
    "connectorx": native.connectorx,
    "psycopg": native.rows,
    "odbc": odbc.batches,
    "odbc-rows": odbc.rows,
    "jdbc": jdbc.batches,
    "jdbc-result-set": jdbc.result_set,
}


def read(
    way: str, secret: DatabaseSecret, certificates: Path | None, query: str, *, tls: str = FULL
) -> pa.Table:
    """Return the whole result of `query`, read in one of WAYS; raise rather than return a part."""
    return pa.Table.from_batches(list(WAYS[way](secret, certificates, query, tls=tls)))
