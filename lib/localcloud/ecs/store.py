"""Durable records in one SQLite file: what was written survives a SIGKILL of the server."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists item (
    kind text not null, key text not null, body text not null, primary key (kind, key)
) without rowid
"""


class Store:
    """Keeps JSON documents by kind and key. Any thread may call it."""

    def __init__(self, path: Path):
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode=wal")
        self._database.execute("pragma synchronous=normal")
        self._database.execute(SCHEMA)

    def put(self, kind: str, key: str, document: dict[str, Any]) -> None:
        body = json.dumps(document, separators=(",", ":"))
        with self._lock:
            self._database.execute(
                "insert or replace into item values (?, ?, ?)", (kind, key, body)
            )

    def delete(self, kind: str, key: str) -> None:
        with self._lock:
            self._database.execute("delete from item where kind = ? and key = ?", (kind, key))

    def load(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every document with its kind and key."""
        with self._lock:
            rows = self._database.execute("select kind, key, body from item").fetchall()
        for kind, key, body in rows:
            yield kind, key, json.loads(body)

    def close(self) -> None:
        with self._lock:
            self._database.close()
