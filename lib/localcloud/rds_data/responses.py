"""The Data API on the wire: REST with JSON."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from moto.core.responses import TYPE_RESPONSE, BaseResponse

from localcloud import permissions
from localcloud.rds_data import calls
from localcloud.rds_data.errors import DataApiError, invalid
from localcloud.rds_data.limits import most
from localcloud.rds_data.sessions import Login, Sessions
from localcloud.rds_data.targets import cluster_of, login
from localcloud.rds_data.transactions import Transactions

NEEDED = {
    "execute_statement": ("resourceArn", "secretArn", "sql"),
    "batch_execute_statement": ("resourceArn", "secretArn", "sql"),
    "begin_transaction": ("resourceArn", "secretArn"),
    "commit_transaction": ("resourceArn", "secretArn", "transactionId"),
    "rollback_transaction": ("resourceArn", "secretArn", "transactionId"),
}


class Responses(BaseResponse):
    sessions: Sessions  # set when the service is registered
    transactions: Transactions

    def __init__(self) -> None:
        super().__init__(service_name="rds-data")

    def execute_statement(self) -> TYPE_RESPONSE:
        return self._answer("execute_statement", self._execute)

    def batch_execute_statement(self) -> TYPE_RESPONSE:
        return self._answer("batch_execute_statement", self._batch)

    def begin_transaction(self) -> TYPE_RESPONSE:
        return self._answer("begin_transaction", self._begin)

    def commit_transaction(self) -> TYPE_RESPONSE:
        return self._answer("commit_transaction", self._commit)

    def rollback_transaction(self) -> TYPE_RESPONSE:
        return self._answer("rollback_transaction", self._roll_back)

    def execute_sql(self) -> TYPE_RESPONSE:
        error = DataApiError(
            "BadRequestException", "ExecuteSql isn't supported: use ExecuteStatement."
        )
        return _failed(error)

    # ------------------------------------------------------------------------- operations
    def _execute(self, asked: dict[str, Any]) -> dict[str, Any]:
        session = self._session(asked)
        if asked.get("continueAfterTimeout") and not asked.get("transactionId"):
            return calls.beyond_the_timeout(session, asked)
        with session as connection:
            return calls.execute_statement(connection, asked)

    def _batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self._session(asked) as connection:
            return calls.batch_execute_statement(connection, asked)

    def _begin(self, asked: dict[str, Any]) -> dict[str, Any]:
        cluster, known = self._target(asked)
        return {"transactionId": self.transactions.begin(cluster, known)}

    def _commit(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.transactions.commit(asked["transactionId"], *self._target(asked))
        return {"transactionStatus": "Transaction Committed"}

    def _roll_back(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.transactions.roll_back(asked["transactionId"], *self._target(asked))
        return {"transactionStatus": "Rollback Complete"}

    # ------------------------------------------------------------------------- helpers
    def _session(self, asked: dict[str, Any]) -> AbstractContextManager[Any]:
        cluster, known = self._target(asked)
        if name := asked.get("transactionId"):
            return self.transactions.using(name, cluster, known, asked.get("database"))
        return self.sessions.session(known)

    def _target(self, asked: dict[str, Any]) -> tuple[str, Login]:
        arn, secret = asked["resourceArn"], asked["secretArn"]
        cluster, held = cluster_of(self.current_account, self.region, arn)
        permissions.require(self, "secretsmanager", "GetSecretValue", secret)
        known = login(self.sessions.instances, cluster, held, secret, asked.get("database"))
        return arn, known

    def _answer(self, name: str, call: Callable[[dict[str, Any]], Any]) -> TYPE_RESPONSE:
        try:
            asked = _checked(self.body, NEEDED[name])
            return 200, {"Content-Type": "application/json"}, json.dumps(call(asked))
        except DataApiError as error:
            return _failed(error)
        except permissions.Denied:
            raise
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            return _failed(
                DataApiError(
                    "InternalServerErrorException",
                    "The local cloud failed; its server.log says where",
                )
            )


def _checked(body: Any, needed: tuple[str, ...]) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else str(body).encode()
    if len(raw) > most("request_bytes"):
        raise DataApiError(
            "RequestEntityTooLargeException", "The request is larger than the limit of 4 MiB."
        )
    try:
        asked = json.loads(raw or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise invalid("The body is no JSON object.")
    for name in needed:
        if not asked.get(name) or not isinstance(asked[name], str):
            raise invalid(
                f"1 validation error detected: Value null at '{name}' failed to satisfy "
                "constraint: Member must not be null"
            )
    if asked.get("schema"):
        raise invalid("The schema parameter isn't supported")
    if len(asked.get("sql", "")) > most("statement_characters"):
        raise invalid(
            "1 validation error detected: Value at 'sql' failed to satisfy constraint: Member "
            f"must have length less than or equal to {most('statement_characters')}"
        )
    return asked


def _failed(error: DataApiError) -> TYPE_RESPONSE:
    headers = {
        "Content-Type": "application/json",
        "x-amzn-ErrorType": error.code,
        "status": str(error.status),  # moto reads it here only
    }
    return error.status, headers, json.dumps({"message": str(error)})
