"""What really listens: a socket for each listener that moto records, on its balancer's address."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import ssl
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web
from moto.elbv2.models import elbv2_backends

from localcloud import acm
from localcloud.elb.forward import Forwarder
from localcloud.network import defaults, vpc

# Beside those of tasks, which begin at 127.16.
FIRST, LAST = (127 << 24) + (8 << 16), (127 << 24) + (16 << 16)
# API Gateway connects from here, after it has asked the security groups of its VPC link.
VPC_LINKS = "127.5.0.1"
UNANSWERED_SECONDS = 15.0  # on AWS a client's connect waits for about two minutes
IDLE_CLIENT_SECONDS = 60.0
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def new_address() -> str:
    """A loopback address of a load balancer's own, so that two may have the same port."""
    while True:
        number = FIRST + secrets.randbelow(LAST - FIRST)
        address = ".".join(map(str, number.to_bytes(4)))
        if 0 < number % 256 < 255 and (probe := _bind(address, 0)):
            probe.close()
            return address


def _bind(address: str, port: int) -> socket.socket | None:
    try:
        return socket.create_server((address, port), backlog=512)
    except OSError:
        return None


class Listeners:
    """Keeps sockets in step with moto's records: call ``sync`` after each change."""

    def __init__(self, forwarder: Forwarder, reaches: Callable[[Any, Any, int, int], bool]):
        """``reaches(backend, balancer, peer's port, port)``: who may connect."""
        self._forwarder, self._reaches = forwarder, reaches
        self._sites: dict[str, tuple[tuple, web.ServerRunner]] = {}
        # Security groups are asked once for a connection: they are stateful.
        self._let_in: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()

    async def sync(self) -> None:
        wanted = {one.arn: (b, lb, one) for b, lb, one in recorded()}
        for arn, (place, runner) in list(self._sites.items()):
            found = wanted.get(arn)
            if found is None or _place(found[1], found[2]) != place:
                del self._sites[arn]
                await runner.cleanup()
        for arn in wanted.keys() - self._sites.keys():
            await self._open(*wanted[arn])

    async def close(self) -> None:
        for _, runner in self._sites.values():
            await runner.cleanup()
        self._sites.clear()

    async def _open(self, backend: Any, balancer: Any, listener: Any) -> None:
        address = balancer.dns_name
        try:
            context = _tls(listener)
        except (OSError, LookupError) as error:
            print(f"Listener {listener.arn} stays closed: {error}", file=sys.stderr, flush=True)
            return
        listening = _bind(address, int(listener.port))
        if listening is None:
            listening = socket.create_server((address, 0), backlog=512)
            actual = listening.getsockname()[1]
            print(
                f"Port {listener.port} of load balancer {balancer.name} cannot be had: "
                f"it listens on {actual}",
                file=sys.stderr,
                flush=True,
            )
            listener.port = actual

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if not await self._lets_in(backend, balancer, listener, request):
                await asyncio.sleep(UNANSWERED_SECONDS)
                if request.transport:
                    request.transport.abort()
                return web.Response()
            # The record may have been replaced meanwhile: rules are looked up for each request.
            return await self._forwarder.answer(backend, balancer, listener, request)

        runner = web.ServerRunner(
            web.Server(handle, keepalive_timeout=IDLE_CLIENT_SECONDS, auto_decompress=False),
            handle_signals=False,
        )
        await runner.setup()
        await web.SockSite(runner, listening, ssl_context=context).start()
        self._sites[listener.arn] = (_place(balancer, listener), runner)

    async def _lets_in(
        self, backend: Any, balancer: Any, listener: Any, request: web.BaseRequest
    ) -> bool:
        transport = request.transport
        if transport is None or transport in self._let_in:
            return transport is not None
        address, peer_port = transport.get_extra_info("peername")
        if address == VPC_LINKS:
            return True
        port = int(listener.port)
        allowed = await asyncio.to_thread(self._reaches, backend, balancer, peer_port, port)
        if allowed:
            self._let_in.add(transport)
        return allowed


def _place(balancer: Any, listener: Any) -> tuple:
    """What a listener needs another socket for when it changes."""
    tls = (listener.protocol, listener.certificate, listener.ssl_policy)
    return (balancer.dns_name, int(listener.port), *tls)


def _tls(listener: Any) -> ssl.SSLContext | None:
    """None for HTTP. Raises LookupError, OSError."""
    if listener.protocol != "HTTPS":
        return None
    bundle = acm.certificate(listener.certificate)
    if bundle is None:
        raise LookupError(f"its certificate {listener.certificate} is gone")
    return acm.server_context(bundle, newest_only="TLS13-1-3" in (listener.ssl_policy or ""))


def recorded() -> Iterator[tuple[Any, Any, Any]]:
    """Backend, load balancer and listener of all listeners."""
    for _, _, backend in list(elbv2_backends.iter_backends()):
        for balancer in list(backend.load_balancers.values()):
            for listener in list(balancer.listeners.values()):
                yield backend, balancer, listener


def open_to_learner(balancer: Any, ports: tuple[int, ...]) -> bool:
    """Whether somebody on the internet, as the learner is, may connect: the scheme allows it and
    a rule of its security groups names the port and addresses that are not all private."""
    if balancer.scheme == "internal":
        return False
    ec2 = defaults.backend(balancer.arn.split(":")[4], balancer.arn.split(":")[3])
    groups = balancer.security_groups or [vpc.default_group(ec2, balancer.vpc_id)]
    return any(
        rule.cidr_ipv4
        and not _is_private(rule.cidr_ipv4)
        and any(vpc.covers_port(rule, port) for port in ports)
        for rule in vpc.rules(ec2, groups, egress=False)
    )


def _is_private(cidr: str) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    return any(network.subnet_of(ipaddress.ip_network(one)) for one in PRIVATE)
