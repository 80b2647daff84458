"""Transactions of the Data API: each holds a connection until it is ended, or was left alone."""

from __future__ import annotations

import secrets
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from localcloud.rds_data.errors import DataApiError
from localcloud.rds_data.limits import seconds
from localcloud.rds_data.sessions import Login, Sessions

LOOK_EVERY = 0.5  # seconds between looks for transactions that are over
REMEMBERED = 1000  # ended transactions, for a message that says why
EXPIRED = "Transaction may be expired."
ENDED = "One previous call resulted in a termination of your transaction."
ABORTED = "Transaction has been aborted due to an error from a previous call."


class Transaction:
    def __init__(self, cluster: str, login: Login, connection: Any):
        self.id = secrets.token_urlsafe(96)
        self.cluster = cluster
        self.login = login
        self.connection = connection
        self.lock = threading.Lock()  # held by the call that uses it
        self.begun = self.used = time.monotonic()

    def is_over(self) -> bool:
        now = time.monotonic()
        idle = now - self.used > seconds("IDLE_SECONDS")
        return idle or now - self.begun > seconds("TRANSACTION_SECONDS")


class Transactions:
    """All that are open. A thread rolls back those whose time is over."""

    def __init__(self, sessions: Sessions):
        self._sessions = sessions
        self._lock = threading.Lock()
        self._open: dict[str, Transaction] = {}
        self._ended: OrderedDict[str, str] = OrderedDict()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rds-data", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stopping.set()
        for held in list(self._open.values()):
            self._close(held, EXPIRED)

    def begin(self, cluster: str, login: Login) -> str:
        connection = self._sessions.take(login)
        connection.execute("BEGIN")
        held = Transaction(cluster, login, connection)
        with self._lock:
            self._open[held.id] = held
        return held.id

    @contextmanager
    def using(
        self, name: str, cluster: str, login: Login, database: str | None = None
    ) -> Iterator[Any]:
        """The connection of a transaction that no other call uses meanwhile."""
        held = self._find(name, cluster, login)
        if database and database != held.login.database:
            raise DataApiError(
                "BadRequestException", "Database name is not the same as transaction's."
            )
        if not held.lock.acquire(blocking=False):
            raise DataApiError("DatabaseErrorException", "Transaction is still running a query")
        try:
            held.used = time.monotonic()
            yield held.connection
        except DataApiError as error:
            if error.code == "UnsupportedResultException" or _is_broken(held.connection):
                self._close(held, ABORTED)
            raise
        finally:
            held.used = time.monotonic()
            held.lock.release()

    def commit(self, name: str, cluster: str, login: Login) -> None:
        with self.using(name, cluster, login) as connection:
            failed = connection.info.transaction_status == TransactionStatus.INERROR
            connection.execute("ROLLBACK" if failed else "COMMIT")
        self._give_back(name)
        if failed:
            raise DataApiError(
                "DatabaseErrorException",
                "The database returned ROLLBACK, so the transaction cannot be committed. "
                f"{ABORTED}",
            )

    def roll_back(self, name: str, cluster: str, login: Login) -> None:
        with self.using(name, cluster, login) as connection:
            connection.execute("ROLLBACK")
        self._give_back(name)

    def _find(self, name: str, cluster: str, login: Login) -> Transaction:
        with self._lock:
            held, why = self._open.get(name), self._ended.get(name, EXPIRED)
        if held is None or held.is_over():
            raise DataApiError(
                "TransactionNotFoundException", f"Transaction {name} is not found. {why}"
            )
        if (held.cluster, held.login.user) != (cluster, login.user):
            raise DataApiError(
                "BadRequestException",
                f"Transaction {name} was begun with another resourceArn or secretArn.",
            )
        return held

    def _give_back(self, name: str) -> None:
        held = self._forget(name, ENDED)
        if held:
            self._sessions.give_back(held.login, held.connection)

    def _close(self, held: Transaction, why: str) -> None:
        """Closing the connection rolls back."""
        if self._forget(held.id, why):
            held.connection.close()

    def _forget(self, name: str, why: str) -> Transaction | None:
        with self._lock:
            self._ended[name] = why
            while len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)
            return self._open.pop(name, None)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            try:
                self._look()
            except Exception:
                traceback.print_exc()
                sys.stderr.flush()

    def _look(self) -> None:
        for held in list(self._open.values()):
            if held.is_over() and held.lock.acquire(blocking=False):
                try:
                    self._close(held, EXPIRED)
                finally:
                    held.lock.release()
        self._sessions.forget_old()


def _is_broken(connection: Any) -> bool:
    """Whether no statement can follow, as after the server ended it or a COPY was begun."""
    try:
        status = connection.info.transaction_status
    except psycopg.Error:
        return True
    return status in (TransactionStatus.UNKNOWN, TransactionStatus.ACTIVE, TransactionStatus.IDLE)
