"""What each operation does, once it is known where and as whom."""

from __future__ import annotations

import json
import threading
from contextlib import AbstractContextManager
from typing import Any

from localcloud.rds_data.errors import DataApiError, invalid, timed_out
from localcloud.rds_data.execution import Result, execute
from localcloud.rds_data.fields import Options, reader
from localcloud.rds_data.limits import most, seconds
from localcloud.rds_data.metadata import described, type_name
from localcloud.rds_data.parameters import bound, by_name
from localcloud.rds_data.statements import numbered

NULL = {"isNull": True}


def execute_statement(connection: Any, asked: dict[str, Any]) -> dict[str, Any]:
    given = asked.get("parameters") or []
    sql, names = numbered(asked["sql"], set(by_name(given)))
    result = execute(connection, sql, bound(names, given))
    if result.columns is None:
        return {"numberOfRecordsUpdated": result.updated, "generatedFields": []}
    options = _options(asked.get("resultSetOptions") or {})
    rows = _read(connection, result, options)
    answer: dict[str, Any] = {"numberOfRecordsUpdated": 0}
    if asked.get("formatRecordsAs") == "JSON" and result.command.startswith("SELECT"):
        answer["formattedRecords"] = _formatted(result, rows)
        return answer
    if asked.get("includeResultMetadata"):
        answer["columnMetadata"] = described(connection, result.columns)
    answer["records"] = rows
    return answer


def batch_execute_statement(connection: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """All sets or none: outside a transaction of the caller's they are one of their own."""
    sets = asked.get("parameterSets") or [[]]
    sql, names = numbered(asked["sql"], set(by_name(sets[0])))
    values = [bound(names, given) for given in sets]
    with connection.transaction():
        for one in values:
            execute(connection, sql, one)
    return {"updateResults": [{"generatedFields": []} for _ in sets]}


def beyond_the_timeout(session: AbstractContextManager, asked: dict[str, Any]) -> dict[str, Any]:
    """continueAfterTimeout: the call ends in time, and the statement when it is done."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            with session as connection:
                connection.execute("SET statement_timeout = 0")
                outcome.append(execute_statement(connection, asked))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, name="rds-data-statement", daemon=True)
    thread.start()
    thread.join(seconds("STATEMENT_SECONDS"))
    if thread.is_alive():
        raise timed_out()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _options(given: dict[str, Any]) -> Options:
    decimals, longs = given.get("decimalReturnType"), given.get("longReturnType")
    if decimals not in (None, "STRING", "DOUBLE_OR_LONG"):
        raise invalid(f"decimalReturnType {decimals} is neither STRING nor DOUBLE_OR_LONG.")
    if longs not in (None, "STRING", "LONG"):
        raise invalid(f"longReturnType {longs} is neither STRING nor LONG.")
    return Options(decimals == "DOUBLE_OR_LONG", longs == "STRING")


def _read(connection: Any, result: Result, options: Options) -> list[list[dict[str, Any]]]:
    readers = [
        reader(column.oid, options, lambda oid: type_name(connection, oid))
        for column in result.columns or []
    ]
    return [
        [NULL if text is None else read(text) for read, text in zip(readers, row, strict=True)]
        for row in result.rows
    ]


def _formatted(result: Result, rows: list[list[dict[str, Any]]]) -> str:
    labels = [column.name for column in result.columns or []]
    if len(set(labels)) < len(labels):
        raise DataApiError(
            "BadRequestException",
            "The result has more than one column of the same name: give each an alias of its own.",
        )
    plain = [
        {label: _plain(field) for label, field in zip(labels, row, strict=True)} for row in rows
    ]
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > most("json_bytes"):
        raise DataApiError("BadRequestException", "The JSON response exceeds the limit of 10 MB.")
    return text


def _plain(field: dict[str, Any]) -> Any:
    kind, value = next(iter(field.items()))
    if kind == "isNull":
        return None
    return next(iter(value.values())) if kind == "arrayValue" else value
