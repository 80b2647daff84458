"""CORS as an HTTP API answers it by its configuration, whatever its integration says.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "access-control-"


def headers(settings: dict[str, Any] | None, asked: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer to a request with these headers."""
    origin = asked.get("Origin")
    if not settings or origin is None or not _allows(settings.get("allowOrigins", []), origin):
        return {}
    wild = "*" in settings.get("allowOrigins", [])
    found = {"Access-Control-Allow-Origin": "*" if wild else origin}
    if not wild:
        found["Vary"] = "Origin"
    if settings.get("allowCredentials"):
        found["Access-Control-Allow-Credentials"] = "true"
    if settings.get("exposeHeaders"):
        found["Access-Control-Expose-Headers"] = ",".join(settings["exposeHeaders"])
    return found


def preflight(settings: dict[str, Any], asked: Mapping[str, str]) -> dict[str, str]:
    """The headers of the answer, 204, to a preflight request."""
    found = headers(settings, asked)
    if not found:
        return {}
    if settings.get("allowMethods"):
        found["Access-Control-Allow-Methods"] = ",".join(settings["allowMethods"])
    if settings.get("allowHeaders"):
        found["Access-Control-Allow-Headers"] = ",".join(settings["allowHeaders"])
    if settings.get("maxAge") is not None:
        found["Access-Control-Max-Age"] = str(settings["maxAge"])
    return found


def _allows(allowed: list[str], origin: str) -> bool:
    return any(
        one in ("*", origin) or (one.endswith("://*") and origin.startswith(one[:-1]))
        for one in allowed
    )
