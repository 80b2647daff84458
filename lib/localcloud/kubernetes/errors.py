"""Errors as Kubernetes answers them: a Status object with its reason, code and wording."""

from __future__ import annotations

from typing import Any

Problem = tuple[str, str, str]
"""A cause of Invalid: the reason (``FieldValueRequired``), the message, the field."""

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


class ApiError(Exception):
    """``code`` is the HTTP status, ``reason`` the machine-readable word; ``more`` the metadata."""

    def __init__(self, code: int, reason: str, message: str, details: dict | None = None):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.details = details or {}
        self.more: dict[str, Any] = {}

    def status(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.more,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def qualified(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def not_found(resource: Any, name: str) -> ApiError:
    words = f'{qualified(resource.plural, resource.group)} "{name}" not found'
    return ApiError(404, "NotFound", words, _about(resource.plural, resource.group, name))


def exists(resource: Any, name: str) -> ApiError:
    words = f'{qualified(resource.plural, resource.group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", words, _about(resource.plural, resource.group, name))


def conflict(resource: Any, name: str, why: str) -> ApiError:
    words = (
        f'Operation cannot be fulfilled on {qualified(resource.plural, resource.group)} "{name}": '
        f"{why}"
    )
    return ApiError(409, "Conflict", words, _about(resource.plural, resource.group, name))


def invalid(kind: str, group: str, name: str, problems: list[Problem]) -> ApiError:
    told = [f"{field}: {message}" for _, message, field in problems]
    together = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    causes = [{"reason": r, "message": m, "field": f} for r, m, f in problems]
    details = {**_about(kind, group, name), "causes": causes}
    return ApiError(
        422, "Invalid", f'{qualified(kind, group)} "{name}" is invalid: {together}', details
    )


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def forbidden(resource: Any, name: str, why: str) -> ApiError:
    words = f'{qualified(resource.plural, resource.group)} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", words, _about(resource.plural, resource.group, name))


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def expired(version: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {version} ({oldest})")


def required(field: str) -> Problem:
    return ("FieldValueRequired", "Required value", field)


def bad_value(field: str, value: Any, why: str) -> Problem:
    return ("FieldValueInvalid", f"Invalid value: {shown(value)}: {why}", field)


def unsupported(field: str, value: Any, supported: list[str]) -> Problem:
    known = ", ".join(f'"{one}"' for one in supported)
    words = f"Unsupported value: {shown(value)}: supported values: {known}"
    return ("FieldValueNotSupported", words, field)


def shown(value: Any) -> str:
    """A value as Go prints it in such a message."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _about(kind: str, group: str, name: str) -> dict[str, Any]:
    return {"name": name, **({"group": group} if group else {}), "kind": kind}
