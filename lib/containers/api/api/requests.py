"""Every request has an id, which the client sees and the log line names."""

import json
import logging
import re
import time
import uuid

log = logging.getLogger("api.requests")
GIVEN = re.compile(rb"[\w.:=-]{1,100}")
UNLOGGED = "/healthz"


class RequestIds:
    """ASGI middleware: answers with X-Request-Id, and logs a line of JSON for each request.

    An id that the client or a load balancer gave (X-Request-Id, X-Amzn-Trace-Id) is kept.
    """

    def __init__(self, app):
        self.app = app

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
                line = {
                    "request": request,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                }
                log.info(json.dumps(line))


def _id(headers: list[tuple[bytes, bytes]]) -> str:
    for name in (b"x-request-id", b"x-amzn-trace-id"):
        for key, value in headers:
            if key == name and GIVEN.fullmatch(value):
                return value.decode()
    return str(uuid.uuid4())
