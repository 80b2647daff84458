"""Requests: their ids, which the client sees and the log line names, and their parameters."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

log = logging.getLogger("api.requests")
GIVEN = re.compile(rb"[\w.:=-]{1,100}")
UNLOGGED = "/healthz"


class RequestIds:
    """ASGI middleware: answers with X-Request-Id, and logs a line of JSON for each request.

    ``observe`` is told the route (None: none fits), the status and the milliseconds of each.
    An id that the client or a load balancer gave (X-Request-Id, X-Amzn-Trace-Id) is kept.
    """

    def __init__(self, app, observe: Callable[[str | None, int, float], None]):
        self.app = app
        self.observe = observe

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, started, status = _id(scope["headers"]), time.perf_counter(), 500

        async def answer(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request.encode())]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            if scope["path"] != UNLOGGED:
                milliseconds = (time.perf_counter() - started) * 1000
                self.observe(getattr(scope.get("route"), "path", None), status, milliseconds)
                line = {
                    "request": request,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round(milliseconds, 1),
                }
                log.info(json.dumps(line))


def _id(headers: list[tuple[bytes, bytes]]) -> str:
    for name in (b"x-request-id", b"x-amzn-trace-id"):
        for key, value in headers:
            if key == name and GIVEN.fullmatch(value):
                return value.decode()
    return str(uuid.uuid4())


def query(request: Request, model: type[BaseModel]) -> BaseModel:
    """Return the parameters after the question mark as `model`; raise RequestValidationError.

    As in FastAPI the last one counts of those with one name.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


def parameters(model: type[BaseModel]) -> list[dict]:
    """Return what the OpenAPI document says of the parameters that `query` reads."""
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        | ({"description": part["description"]} if "description" in part else {})
        for name, part in schema["properties"].items()
    ]
