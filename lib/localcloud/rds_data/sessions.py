"""Connections to the clusters' databases, under the users of secrets. Idle ones are kept."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from localcloud.authority import ADDRESS
from localcloud.rds.instances import Instances
from localcloud.rds_data.errors import DataApiError
from localcloud.rds_data.limits import seconds

KEPT_PER_LOGIN = 4
KEPT_SECONDS = 30.0
STATES = {
    "password authentication failed": "28P01",
    "database": "3D000",
    "role": "28000",
    "sorry, too many clients": "53300",
    "remaining connection slots": "53300",
    "too many connections": "53300",
}


@dataclass(frozen=True)
class Login:
    port: int
    database: str
    user: str
    password: str = field(repr=False)


class Sessions:
    """psycopg connections, by login."""

    def __init__(self, instances: Instances):
        self.instances = instances
        self._lock = threading.Lock()
        self._idle: dict[Login, list[tuple[float, Any]]] = {}

    @contextmanager
    def session(self, login: Login) -> Iterator[Any]:
        """A connection whose statements commit one by one, as new as a fresh one."""
        connection = self.take(login)
        try:
            yield connection
        finally:
            self.give_back(login, connection)

    def take(self, login: Login) -> Any:
        with self._lock:
            while kept := self._idle.get(login):
                since, connection = kept.pop()
                fresh = time.monotonic() - since < KEPT_SECONDS
                if fresh and not _ended(connection):
                    return connection
                connection.close()
        return self._connect(login)

    def give_back(self, login: Login, connection: Any) -> None:
        """Keep the connection for another call, unless something of this one is left in it."""
        try:
            if connection.info.transaction_status != TransactionStatus.IDLE:
                raise psycopg.OperationalError("a transaction is open")
            connection.execute("DISCARD ALL")
        except psycopg.Error:
            connection.close()
            return
        with self._lock:
            kept = self._idle.setdefault(login, [])
            if len(kept) < KEPT_PER_LOGIN:
                kept.append((time.monotonic(), connection))
                return
        connection.close()

    def forget_old(self) -> None:
        """Close what has not been used for a while."""
        limit = time.monotonic() - KEPT_SECONDS
        with self._lock:
            old = [pair for kept in self._idle.values() for pair in kept if pair[0] < limit]
            for login, kept in list(self._idle.items()):
                self._idle[login] = [pair for pair in kept if pair[0] >= limit]
                if not self._idle[login]:
                    del self._idle[login]
        for _, connection in old:
            connection.close()

    def end(self) -> None:
        with self._lock:
            for kept in self._idle.values():
                for _, connection in kept:
                    with suppress(psycopg.Error):
                        connection.close()
            self._idle.clear()

    def _connect(self, login: Login) -> Any:
        limit = int(seconds("STATEMENT_SECONDS") * 1000)
        try:
            return psycopg.connect(
                host=ADDRESS,
                port=login.port,
                user=login.user,
                password=login.password,
                dbname=login.database,
                sslmode="verify-full",
                sslrootcert=str(self.instances.authority().bundle),
                application_name="RDS Data API",
                options=f"-c statement_timeout={limit} -c timezone=UTC -c datestyle=ISO",
                connect_timeout=10,
                autocommit=True,
                prepare_threshold=None,
            )
        except psycopg.OperationalError as error:
            raise _refused(str(error)) from None


def _ended(connection: Any) -> bool:
    """Whether the server has closed an idle connection, as when it was restarted."""
    try:
        connection.pgconn.consume_input()
    except psycopg.Error:
        return True
    return connection.closed or connection.broken


def _refused(words: str) -> DataApiError:
    said = re.search(r"FATAL:\s+(.*)", words)
    if not said:
        return DataApiError("DatabaseUnavailableException", "The database does not answer.")
    state = next((code for text, code in STATES.items() if said[1].startswith(text)), "08001")
    return DataApiError("DatabaseErrorException", f"FATAL: {said[1]}; SQLState: {state}")
