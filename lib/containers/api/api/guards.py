"""What is refused before it costs anything: bodies too large, and more than can be answered."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

from api.problems import response_of

log = logging.getLogger("api")
BODY_BYTES = 64 * 1024
WAIT_SECONDS = 0.25
UNGUARDED = "/healthz"  # a task that is busy must not be replaced for it


class BodyLimit:
    """ASGI middleware: 413 for a body that says it is larger than BODY_BYTES.

    No route reads a body, so one of unknown length is never taken into memory either.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"content-length" and value.isdigit() and int(value) > BODY_BYTES:
                    answer = response_of(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        f"the body has {int(value)} bytes; at most {BODY_BYTES} are taken",
                        headers={"Connection": "close"},
                    )
                    await answer(scope, receive, send)
                    return
        await self.app(scope, receive, send)


class Shedding:
    """ASGI middleware: 503 for requests that waited for longer than WAIT_SECONDS to be begun.

    The event loop takes all that has come since the last time, one after the other: the last of
    them has waited since the first was begun. A refusal is written already, has no id and no line
    in the log, so it costs a fraction of an answer: there are fewer the next time, and those who
    are answered wait about so long, whatever the load is. `observe` counts it, and the log says
    once a second how many there were.
    """

    def __init__(self, app, observe: Callable[[str | None, int, float], None]):
        self.app = app
        self.observe = observe
        self._began: float | None = None
        self._shed = 0
        body = response_of(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "more requests come than can be answered; try again",
            headers={"Retry-After": "1"},
        )
        self._start = {
            "type": "http.response.start",
            "status": body.status_code,
            "headers": body.raw_headers,
        }
        self._body = {"type": "http.response.body", "body": body.body}

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] == UNGUARDED or not self._is_late():
            await self.app(scope, receive, send)
            return
        self._count()
        await send(self._start | {"headers": list(self._start["headers"])})
        await send(self._body)

    def _is_late(self) -> bool:
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
            loop.call_soon(self._end_of_turn)  # the loop's next turn begins with it
            return False
        return loop.time() - self._began > WAIT_SECONDS

    def _end_of_turn(self) -> None:
        self._began = None

    def _count(self) -> None:
        self.observe(None, HTTPStatus.SERVICE_UNAVAILABLE, WAIT_SECONDS * 1000)
        if not self._shed:
            asyncio.get_running_loop().call_later(1.0, self._say)
        self._shed += 1

    def _say(self) -> None:
        log.warning("%d requests refused: more come than can be answered", self._shed)
        self._shed = 0
