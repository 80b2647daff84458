"""One statement on one connection: sent, waited for, and read row by row up to the limits."""

from __future__ import annotations

import select
from dataclasses import dataclass, field
from typing import Any

from psycopg import OperationalError
from psycopg.pq import DiagnosticField, ExecStatus

from localcloud.rds_data.errors import DataApiError, of_database, row_too_large, too_large
from localcloud.rds_data.limits import most
from localcloud.rds_data.parameters import Bound

ROW_OVERHEAD, COLUMN_OVERHEAD = 2, 4  # bytes, on PostgreSQL's wire
COPIES = {
    ExecStatus.COPY_IN: "CopyInResponse",
    ExecStatus.COPY_OUT: "CopyOutResponse",
    ExecStatus.COPY_BOTH: "CopyBothResponse",
}


@dataclass(frozen=True)
class Column:
    name: str
    oid: int
    modifier: int
    table: int  # its OID; 0 = of no table
    number: int  # in the table


@dataclass
class Result:
    """``columns`` is None for a statement that answers no rows."""

    columns: list[Column] | None = None
    rows: list[list[str | None]] = field(default_factory=list)
    command: str = ""
    updated: int = 0


def execute(connection: Any, sql: str, values: list[Bound]) -> Result:
    """Run one statement. Raises DataApiError."""
    pgconn = connection.pgconn
    pgconn.send_query_params(
        sql.encode(),
        [value for _, value in values],
        param_types=[oid for oid, _ in values],
    )
    pgconn.set_single_row_mode()
    while pgconn.flush():
        select.select([], [pgconn.socket], [])
    result, size, error = Result(), 0, None
    while (answer := _next(pgconn)) is not None:
        status = answer.status
        if status in COPIES:
            raise DataApiError(
                "DatabaseErrorException", f"execute: unexpected message: {COPIES[status]}"
            )
        if status == ExecStatus.FATAL_ERROR:
            error = error or of_database(lambda name, said=answer: _said(said, name))
        elif status == ExecStatus.COMMAND_OK:
            result.command = answer.command_status.decode()
            result.updated = answer.command_tuples or 0
        elif status in (ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_OK) and error is None:
            result.columns = result.columns or _columns(answer)
            if status == ExecStatus.TUPLES_OK:
                result.command = answer.command_status.decode()
                continue
            row = [answer.get_value(0, at) for at in range(answer.nfields)]
            length = sum(len(value) for value in row if value is not None)
            size += length + ROW_OVERHEAD + COLUMN_OVERHEAD * len(row)
            if length > most("row_bytes"):
                error = row_too_large()
            elif size > most("response_bytes"):
                error = too_large()
            else:
                result.rows.append([None if value is None else value.decode() for value in row])
                continue
            connection.cancel_safe()  # and read on, to the end of what is under way
    if error:
        raise error
    return result


def _next(pgconn: Any) -> Any:
    try:
        while pgconn.is_busy():
            select.select([pgconn.socket], [], [])
            pgconn.consume_input()
    except OperationalError:
        words = "ERROR: An I/O error occurred while sending to the backend; SQLState: 08006"
        raise DataApiError("DatabaseErrorException", words) from None
    return pgconn.get_result()


def _said(answer: Any, name: str) -> str | None:
    value = answer.error_field(DiagnosticField[name])
    return value.decode() if value else None


def _columns(answer: Any) -> list[Column]:
    return [
        Column(
            name=answer.fname(at).decode(),
            oid=answer.ftype(at),
            modifier=answer.fmod(at),
            table=answer.ftable(at),
            number=answer.ftablecol(at),
        )
        for at in range(answer.nfields)
    ]
