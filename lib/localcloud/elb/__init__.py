"""Application Load Balancers, really: they listen, check their targets and pass requests on.

moto keeps the records. A load balancer has a loopback address of its own, its DNSName, so that a
listener can have port 80 as on AWS.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import aiohttp

from localcloud.elb import listeners, wire
from localcloud.elb.checks import Checks
from localcloud.elb.forward import Forwarder
from localcloud.elb.groups import Key, TargetGroup, place_of
from localcloud.elb.listeners import Listeners
from localcloud.network import defaults, reachability
from localcloud.network.vpc import Place

Peer = Callable[[int, int], Place | None]


class Elb:
    """``place_of_peer`` finds the task that holds a connection, ``place_of_address`` the one that
    has an address. ``register`` before the first call, ``start`` when moto has its records."""

    def __init__(self, place_of_peer: Peer, place_of_address: Callable[[str], Place | None]):
        self._place_of_peer, self._place_of_address = place_of_peer, place_of_address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="elb", daemon=True)
        self._checks = Checks(self._reaches_target)
        self._listeners: Listeners | None = None
        self._checking: asyncio.Task | None = None
        self._session: aiohttp.ClientSession | None = None

    def register(self) -> None:
        TargetGroup.found = staticmethod(self._checks.found)
        wire.install(self)

    def start(self) -> None:
        self._thread.start()
        self.call(self._start())

    def stop(self) -> None:
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: Any) -> Any:
        """Run a coroutine in the load balancers' thread; its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def sync(self) -> None:
        """Listen where moto's records say so."""
        if self._listeners:
            self.call(self._listeners.sync())

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=50.0),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            trust_env=False,
        )
        forwarder = Forwarder(self._session, self._reaches_target)
        self._listeners = Listeners(forwarder, self._lets_in)
        await self._listeners.sync()
        self._checking = asyncio.ensure_future(self._checks.run(self._session))

    async def _stop(self) -> None:
        self._checking.cancel()
        await asyncio.gather(self._checking, return_exceptions=True)
        await self._listeners.close()
        await self._session.close()

    def _lets_in(self, backend: Any, balancer: Any, peer_port: int, port: int) -> bool:
        peer = self._place_of_peer(peer_port, port)
        if peer is None:
            return listeners.open_to_learner(balancer, (port,))
        ec2 = defaults.backend(backend.account_id, backend.region_name)
        return bool(reachability.to_place(ec2, peer, place_of(balancer, ec2), port))

    def _reaches_target(self, balancer: Any, key: Key) -> bool:
        """A target that is no task is a program of the learner's, which has no security group."""
        place = self._place_of_address(key[0])
        if place is None:
            return True
        account, region = balancer.arn.split(":")[4], balancer.arn.split(":")[3]
        ec2 = defaults.backend(account, region)
        return bool(reachability.to_place(ec2, place_of(balancer, ec2), place, key[1]))
