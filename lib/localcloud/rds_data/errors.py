"""The Data API's errors, with the status and the words that AWS gives."""

from __future__ import annotations

from collections.abc import Callable

STATUS = {
    "AccessDeniedException": 403,
    "ForbiddenException": 403,
    "DatabaseNotFoundException": 404,
    "NotFoundException": 404,
    "TransactionNotFoundException": 404,
    "RequestEntityTooLargeException": 413,
    "InternalServerErrorException": 500,
    "ServiceUnavailableError": 503,
    "DatabaseUnavailableException": 504,
}
TIMED_OUT = "57014"
MULTIPLE = "cannot insert multiple commands into a prepared statement"


class DataApiError(Exception):
    """An answer of the Data API that is an error."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 400)


def invalid(message: str) -> DataApiError:
    return DataApiError("ValidationException", message)


def of_database(field: Callable[[str], str | None]) -> DataApiError:
    """From the fields of PostgreSQL's error message, by the names of libpq."""
    state, message = field("SQLSTATE"), field("MESSAGE_PRIMARY")
    if state == TIMED_OUT and message and "statement timeout" in message:
        return timed_out()
    if message == MULTIPLE:
        return invalid("Multistatements aren't supported.")
    parts = [f"{field('SEVERITY_NONLOCALIZED') or 'ERROR'}: {message}"]
    for name, key in (
        ("Detail", "MESSAGE_DETAIL"),
        ("Hint", "MESSAGE_HINT"),
        ("Position", "STATEMENT_POSITION"),
        ("SQLState", "SQLSTATE"),
    ):
        if value := field(key):
            parts.append(f"{name}: {value}")
    return DataApiError("DatabaseErrorException", "; ".join(parts))


def timed_out() -> DataApiError:
    return DataApiError("StatementTimeoutException", "Request timed out")


def too_large() -> DataApiError:
    return DataApiError("UnsupportedResultException", "The result exceeds the size limit 1 MB.")


def row_too_large() -> DataApiError:
    return DataApiError("UnsupportedResultException", "Packet for query is too large")
