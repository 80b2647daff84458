"""Where APIs are reached: a loopback address for each, on port 80 or, without the right to it,
another. With that right also over TLS on port 443, under the name that the API has on AWS: ACM's
authority vouches for it, and a client has to be told where the name leads (curl --resolve)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from moto.acm.models import CertBundle
from moto.apigateway.models import apigateway_backends
from moto.apigatewayv2.models import apigatewayv2_backends

from localcloud import acm
from localcloud.gateway.invoke import Invoker
from localcloud.gateway.rest.invoke import RestInvoker

# Beside those of load balancers (127.8) and tasks (from 127.16).
FIRST, LAST = (127 << 24) + (6 << 16), (127 << 24) + (8 << 16)
USUAL_PORT, TLS_PORT = 80, 443


def new_endpoint() -> str:
    """An address that is free, as an invoke URL."""
    while True:
        number = FIRST + secrets.randbelow(LAST - FIRST)
        address = ".".join(map(str, number.to_bytes(4)))
        if not 0 < number % 256 < 255:
            continue
        try:
            listening = socket.create_server((address, USUAL_PORT))
        except PermissionError:
            listening = socket.create_server((address, 0))
        except OSError:
            continue
        port = listening.getsockname()[1]
        listening.close()
        return f"http://{address}" + ("" if port == USUAL_PORT else f":{port}")


class Doors:
    """Keeps a socket for each API that moto records: call ``sync`` after each change."""

    def __init__(self, invoker: Invoker, rest: RestInvoker):
        self._invoker, self._rest = invoker, rest
        self._runners: dict[str, web.ServerRunner] = {}

    async def sync(self) -> None:
        wanted = {
            api.api_id: (self._invoker, backend, api)
            for _, _, backend in list(apigatewayv2_backends.iter_backends())
            for api in list(backend.apis.values())
            if api.protocol_type == "HTTP" and not api.disable_execute_api_endpoint
        }
        wanted |= {
            api.id: (self._rest, backend, api)
            for _, _, backend in list(apigateway_backends.iter_backends())
            for api in list(backend.apis.values())
            if not api.disableExecuteApiEndpoint
        }
        for gone in self._runners.keys() - wanted.keys():
            await self._runners.pop(gone).cleanup()
        for new in wanted.keys() - self._runners.keys():
            await self._open(*wanted[new])

    async def close(self) -> None:
        for runner in self._runners.values():
            await runner.cleanup()
        self._runners.clear()

    async def _open(self, invoker: Invoker | RestInvoker, backend: Any, api: Any) -> None:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await invoker.answer(backend, api, request)

        parts = urlsplit(api.api_endpoint)
        try:
            place = (parts.hostname, parts.port or USUAL_PORT)
            listening = socket.create_server(place, backlog=512)
        except OSError:
            api.api_endpoint = new_endpoint()
            parts = urlsplit(api.api_endpoint)
            place = (parts.hostname, parts.port or USUAL_PORT)
            listening = socket.create_server(place, backlog=512)
        server = web.Server(handle, keepalive_timeout=60.0, auto_decompress=False)
        runner = web.ServerRunner(server, handle_signals=False)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        self._runners[api.api_id] = runner
        with contextlib.suppress(OSError):  # without the right to the port there is no TLS
            secured = socket.create_server((parts.hostname, TLS_PORT), backlog=512)
            context = await asyncio.to_thread(_tls, backend, api, parts.hostname)
            await web.SockSite(runner, secured, ssl_context=context).start()


def _tls(backend: Any, api: Any, address: str) -> ssl.SSLContext:
    name = f"{api.api_id}.execute-api.{backend.region_name}.amazonaws.com"
    account, region = backend.account_id, backend.region_name
    bundle = CertBundle.generate_cert(name, account, region, [address])
    return acm.server_context(bundle, newest_only=False)
