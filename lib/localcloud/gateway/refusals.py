"""What the gateway itself answers, in AWS's words."""

from __future__ import annotations

import json

from aiohttp import web

MESSAGES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Refused(Exception):
    """The request goes no further. ``why`` is for the access log."""

    def __init__(self, status: int, why: str = "", headers: dict[str, str] | None = None):
        super().__init__(why or MESSAGES[status])
        self.status, self.headers = status, headers or {}

    def answer(self) -> web.Response:
        body = json.dumps({"message": MESSAGES[self.status]}, separators=(",", ":"))
        return web.Response(
            status=self.status,
            body=body.encode(),
            headers={"Content-Type": "application/json", **self.headers},
        )
