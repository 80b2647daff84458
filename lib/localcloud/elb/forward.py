"""One request through a load balancer: the rule, the target, the headers, the answer."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from localcloud.elb import groups, rules
from localcloud.elb.groups import Key, TargetGroup

HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60
PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n"
    "<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)
REASONS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


class Forwarder:
    """Answers requests of every listener, over one pool of connections to targets."""

    def __init__(self, session: aiohttp.ClientSession, admitted: Callable[[Any, Key], bool]):
        self._session, self._admitted = session, admitted
        self._turn: Counter[str] = Counter()
        self._open: defaultdict[Key, int] = defaultdict(int)

    async def answer(
        self, backend: Any, balancer: Any, listener: Any, request: web.BaseRequest
    ) -> web.StreamResponse:
        asked = rules.Asked(
            request.method,
            request.headers.get("Host", ""),
            request.rel_url.raw_path,
            tuple(request.rel_url.query.items()),
            request.headers,
            request.remote or "127.0.0.1",
        )
        rule = rules.chosen(list(listener.rules.values()), asked)
        action = max(rule.actions, key=lambda one: int(one.data.get("Order") or 1))
        if action.type == "fixed-response":
            return _fixed(action.data["FixedResponseConfig"])
        if action.type == "redirect":
            return _redirect(action.data["RedirectConfig"], asked, request, listener)
        group = backend.target_groups.get(_pick(groups.forwarded(action)))
        key = self._target(group) if group else None
        if key is None:
            return error(503)
        self._open[key] += 1
        try:
            return await self._pass_on(balancer, listener, key, request)
        finally:
            self._open[key] -= 1

    def _target(self, group: TargetGroup) -> Key | None:
        """Among healthy targets, or, as ALB fails open, among unhealthy ones if there are no
        others; None if there are only new or leaving ones."""
        states: dict[str, list[Key]] = defaultdict(list)
        for key in list(group.targets):
            states[group.health(key)[0]].append(key)
        ready = states["healthy"] + states["unavailable"] or states["unhealthy"]
        if not ready:
            return None
        self._turn[group.arn] += 1
        turn = self._turn[group.arn]
        if group.attributes.get("load_balancing.algorithm.type") == "least_outstanding_requests":
            return min(ready, key=lambda key: self._open[key])
        return ready[turn % len(ready)]

    async def _pass_on(
        self, balancer: Any, listener: Any, key: Key, request: web.BaseRequest
    ) -> web.StreamResponse:
        idle = float(balancer.attrs.get("idle_timeout.timeout_seconds", IDLE_SECONDS))
        if not self._admitted(balancer, key):
            await asyncio.sleep(min(CONNECT_SECONDS, idle))
            return error(504)
        url = URL(f"http://{key[0]}:{key[1]}{request.raw_path}", encoded=True)
        options: dict[str, Any] = {
            "headers": _headers(request, listener),
            "data": request.content if request.body_exists else None,
            "allow_redirects": False,
            "timeout": aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=idle
            ),
        }
        response: web.StreamResponse | None = None
        try:
            async with self._session.request(request.method, url, **options) as answer:
                response = web.StreamResponse(status=answer.status, reason=answer.reason)
                response.headers.extend(passed_on(answer.headers))
                await response.prepare(request)
                async for block in answer.content.iter_any():
                    await response.write(block)
                await response.write_eof()
                return response
        except TimeoutError:
            trouble = 504
        except (aiohttp.ClientError, OSError, ValueError):
            trouble = 502
        if response is not None and response.prepared:
            # Too late for another status: the client must see that the answer is cut.
            if request.transport:
                request.transport.abort()
            return response
        return error(trouble)


def error(status: int) -> web.Response:
    page = PAGE.format(f"{status} {REASONS[status]}")
    answer = web.Response(status=status, reason=REASONS[status], text=page)
    answer.headers["Content-Type"] = "text/html"
    answer.headers["Server"] = "awselb/2.0"
    return answer


def _headers(request: web.BaseRequest, listener: Any) -> list[tuple[str, str]]:
    """As ALB sends them on.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    came_by = [request.headers.get("X-Forwarded-For"), request.remote]
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    trace = request.headers.get("X-Amzn-Trace-Id", "")
    added = {
        "X-Forwarded-For": ", ".join(filter(None, came_by)),
        "X-Forwarded-Proto": listener.protocol.lower(),
        "X-Forwarded-Port": str(listener.port),
        "X-Amzn-Trace-Id": f"Self={root};{trace}" if "Root=" in trace else f"Root={root}",
    }
    replaced = {name.lower() for name in added}
    kept = [(n, v) for n, v in passed_on(request.headers) if n.lower() not in replaced]
    return [*kept, *added.items()]


def passed_on(headers: Any) -> list[tuple[str, str]]:
    """Without those that are about one connection only (RFC 9110, 7.6.1)."""
    named = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    return [(n, v) for n, v in headers.items() if n.lower() not in HOP_BY_HOP | named]


def _pick(weighted: dict[str, int]) -> str | None:
    live = {arn: weight for arn, weight in weighted.items() if weight > 0}
    return random.choices(list(live), weights=list(live.values()))[0] if live else None


def _fixed(settings: dict[str, Any]) -> web.Response:
    answer = web.Response(
        status=int(settings["StatusCode"]), text=settings.get("MessageBody") or ""
    )
    answer.headers["Content-Type"] = settings.get("ContentType") or "text/plain; charset=utf-8"
    answer.headers["Server"] = "awselb/2.0"
    return answer


def _redirect(
    settings: dict[str, Any], asked: rules.Asked, request: web.BaseRequest, listener: Any
) -> web.Response:
    old = urlsplit(request.raw_path)
    known = {
        "protocol": listener.protocol.lower(),
        "host": asked.host.rpartition(":")[0] or asked.host,
        "port": str(listener.port),
        "path": old.path.removeprefix("/"),
        "query": old.query,
    }

    def part(name: str, usual: str) -> str:
        text = settings.get(name) or usual
        for word, value in known.items():
            text = text.replace(f"#{{{word}}}", value)
        return text

    query = part("Query", "#{query}")
    location = (
        f"{part('Protocol', '#{protocol}').lower()}://{part('Host', '#{host}')}:"
        f"{part('Port', '#{port}')}{part('Path', '/#{path}')}{'?' + query if query else ''}"
    )
    answer = web.Response(status=int(settings["StatusCode"].removeprefix("HTTP_")))
    answer.headers["Location"] = location
    answer.headers["Server"] = "awselb/2.0"
    return answer
