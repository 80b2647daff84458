"""A request's way through an HTTP API: route, CORS, throttle, authoriser, integration, log."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from localcloud.gateway import cors, routes, signatures
from localcloud.gateway.access_logs import AccessLogs
from localcloud.gateway.call import Call
from localcloud.gateway.functions import Lambda
from localcloud.gateway.integrations import LARGEST_BYTES, Http
from localcloud.gateway.refusals import Refused
from localcloud.gateway.throttle import Throttles
from localcloud.gateway.tokens import Tokens


class Invoker:
    def __init__(
        self,
        http: Http,
        functions: Lambda,
        tokens: Tokens,
        logs: AccessLogs,
        throttles: Throttles,
    ):
        self._http, self._functions = http, functions
        self._tokens, self._logs = tokens, logs
        self._throttles = throttles

    async def answer(self, backend: Any, api: Any, request: web.BaseRequest) -> web.Response:
        path = request.raw_path.partition("?")[0]
        stage, rest = routes.split_stage(api.stages, path)
        call = Call(request, backend.account_id, backend.region_name, api, stage, rest)
        trouble = ""
        try:
            answer = await self._through(call)
        except Refused as refused:
            answer, trouble = refused.answer(), str(refused)
        if api.cors_configuration:
            for name in [n for n in answer.headers if n.lower().startswith(cors.PREFIX)]:
                if request.method != "OPTIONS" or answer.status != 204:
                    del answer.headers[name]
            answer.headers.update(cors.headers(api.cors_configuration, request.headers))
        answer.headers["apigw-requestid"] = call.noted["requestId"]
        length = len(answer.body) if isinstance(answer.body, bytes) else 0
        call.ended(answer.status, length, trouble)
        if stage:
            self._logs.note(stage.access_log_settings, call.noted)
        return answer

    async def _through(self, call: Call) -> web.Response:
        if call.stage is None:
            raise Refused(404, "there is no such stage")
        method, headers = call.request.method, call.request.headers
        settings = call.api.cors_configuration
        if settings and method == "OPTIONS" and "Access-Control-Request-Method" in headers:
            return web.Response(status=204, headers=cors.preflight(settings, headers))
        found = routes.find(list(call.api.routes.values()), method, call.path)
        call.route, call.variables = found
        if call.route is None:
            raise Refused(404, "no route matches")
        if not self._throttles.admits(
            call.api.api_id, call.stage, call.route.route_key, time.monotonic()
        ):
            raise Refused(429, "throttled")
        call.body = await read_body(call.request)
        await self._authorise(call)
        integration = call.api.integrations.get((call.route.target or "").rpartition("/")[2])
        if integration is None:
            raise Refused(500, "the route has no integration")
        call.integrating = True
        if integration.integration_type == "AWS_PROXY":
            return await self._functions.answer(call, integration)
        if integration.integration_type != "HTTP_PROXY":
            raise Refused(500, f"the local cloud has no {integration.integration_type} integration")
        return await self._http.answer(call, integration)

    async def _authorise(self, call: Call) -> None:
        kind = call.route.authorization_type or "NONE"
        if kind == "NONE":
            return
        if kind == "AWS_IAM":
            arn = (
                f"arn:aws:execute-api:{call.region}:{call.account}:{call.api.api_id}/"
                f"{call.stage.name}/{call.request.method}{call.path}"
            )
            url = f"http://{call.request.headers.get('Host', '')}{call.request.raw_path}"
            call.noted["identity.userArn"] = await asyncio.to_thread(
                signatures.check,
                call.account,
                call.region,
                arn,
                call.request.method,
                url,
                call.request.headers,
                call.body,
            )
            return
        authorizer = call.api.authorizers.get(call.route.authorizer_id)
        if authorizer is None or authorizer.authorizer_type != "JWT":
            raise Refused(500, "the local cloud has JWT and IAM authorisers only")
        source = (authorizer.identity_source or ["$request.header.Authorization"])[0]
        scopes = call.route.authorization_scopes or []
        call.claims = await self._tokens.check(authorizer, call.value_of(source), scopes)
        call.noted |= {f"authorizer.claims.{name}": v for name, v in call.claims.items()}


async def read_body(request: web.BaseRequest) -> bytes:
    """Raises Refused: 413 beyond 10 MB."""
    length = request.headers.get("Content-Length", "0")
    if not length.isdigit():
        raise Refused(400, "Content-Length is no number")
    if int(length) > LARGEST_BYTES:
        raise Refused(413, "the body is larger than 10 MB", {"Connection": "close"})
    content = b""
    async for block in request.content.iter_chunked(1 << 18):
        content += block
        if len(content) > LARGEST_BYTES:
            raise Refused(413, "the body is larger than 10 MB", {"Connection": "close"})
    return content
