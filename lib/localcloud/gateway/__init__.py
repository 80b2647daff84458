"""API Gateway's invoke side: HTTP APIs that really answer at the address of create_api, and REST
APIs (see ``rest``).

moto keeps APIs, routes, stages, integrations and authorisers. Each API has a loopback address of
its own, so that its paths are those of AWS. An HTTP API's stage serves the present routes and
integrations, as one with autoDeploy does.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import aiohttp

from localcloud.elb.listeners import VPC_LINKS
from localcloud.functions import Functions
from localcloud.gateway import wire
from localcloud.gateway.access_logs import AccessLogs
from localcloud.gateway.doors import Doors
from localcloud.gateway.functions import Lambda
from localcloud.gateway.integrations import Http
from localcloud.gateway.invoke import Invoker
from localcloud.gateway.rest import removals
from localcloud.gateway.rest import wire as rest_wire
from localcloud.gateway.rest.invoke import RestInvoker
from localcloud.gateway.throttle import Throttles
from localcloud.gateway.tokens import Tokens


class Gateway:
    """``register`` before the first call, ``start`` when moto has its records."""

    def __init__(self, endpoint: str, functions: Functions):
        self._endpoint, self._functions = endpoint, functions
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._logs = AccessLogs()
        self._doors: Doors | None = None
        self._sessions: list[aiohttp.ClientSession] = []

    def register(self) -> None:
        wire.install(self)
        rest_wire.install(self)
        removals.install()

    def start(self) -> None:
        self._thread.start()
        self._logs.start()
        self._call(self._start())

    def stop(self) -> None:
        self._call(self._stop())
        self._logs.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def sync(self) -> None:
        """Listen for the APIs that moto records."""
        if self._doors:
            self._call(self._doors.sync())

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        inside, outside = _session((VPC_LINKS, 0)), _session(None)
        self._sessions = [inside, outside]
        http, functions = Http(inside, outside), Lambda(self._functions)
        throttles = Throttles()
        self._doors = Doors(
            Invoker(http, functions, Tokens(self._endpoint, outside), self._logs, throttles),
            RestInvoker(http, functions, self._logs, throttles),
        )
        await self._doors.sync()

    async def _stop(self) -> None:
        await self._doors.close()
        for session in self._sessions:
            await session.close()


def _session(local: tuple[str, int] | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=50.0, local_addr=local),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        trust_env=False,
    )
