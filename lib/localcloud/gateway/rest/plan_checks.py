"""What a usage plan may be given."""

from __future__ import annotations

from typing import Any

import moto.apigateway.exceptions as exceptions

BadRequest = exceptions.BadRequestException
PERIODS = ("DAY", "WEEK", "MONTH")
NUMBERS = {
    "throttle": {"rateLimit": float, "burstLimit": int},
    "quota": {"limit": int, "offset": int},
}


def check(backend: Any, payload: dict[str, Any]) -> None:
    """Raise NotFoundException or BadRequestException for a plan that cannot be."""
    for one in payload.get("apiStages") or []:
        api = backend.apis.get(one.get("apiId"))
        if api is None or one.get("stage") not in api.stages:
            where = f"{one.get('apiId')}:{one.get('stage')}"
            raise exceptions.NotFoundException(f"API Stage not found: {where}")
    quota, throttle = payload.get("quota"), payload.get("throttle") or {}
    if quota and (quota.get("period") not in PERIODS or int(quota.get("limit") or 0) < 1):
        raise BadRequest("A quota needs a limit of 1 or more and a period: DAY, WEEK or MONTH")
    if any(float(value) < 0 for value in throttle.values()):
        raise BadRequest("Usage Plan throttle limits must not be negative")


def number_of(change: dict[str, Any]) -> tuple[str, str, float | int] | None:
    """What a change makes of a limit of a plan: (throttle or quota, its field, the value)."""
    _, _, path = change.get("path", "").partition("/")
    kind, _, name = path.partition("/")
    if change.get("op") == "remove" or name not in NUMBERS.get(kind, {}):
        return None
    try:
        value = NUMBERS[kind][name](change.get("value"))
    except (TypeError, ValueError):
        raise BadRequest(f"Invalid value for {path}: {change.get('value')}") from None
    if value < 0:
        raise BadRequest(f"Invalid value for {path}: it must not be negative")
    return kind, name, value
