"""Doors between a sandbox's own network and this machine's: TCP ports that are passed on.

A sandbox's network has nothing but its loopback interface. For each address and port that it may
reach, a door listens there, inside, and passes connections on to the same address and port
outside; its own ports have doors the other way. So every address means the same on both sides,
and what has no door cannot be reached. Sockets belong to the network in which they were made,
whoever uses them: a short-lived thread goes in, makes one, and ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from localcloud.runtimes.base import Network

CLONE_NEWNET = 0x40000000
BLOCK = 1 << 18
BACKLOG = 128
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Doors:
    """One thread that carries the bytes of every sandbox."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.peers: dict[int, tuple[str, socket.socket]] = {}
        self._thread = threading.Thread(target=self.loop.run_forever, name="doors", daemon=True)
        self._thread.start()

    def open(self, sandbox: str, pid: int, network: Network) -> SandboxDoors:
        """Doors of the network namespace that process ``pid`` is in. Raises OSError."""
        return SandboxDoors(self, sandbox, pid, network)

    def sandbox_of(self, peer_port: int) -> str | None:
        """Whose connection comes from this local port; None if none that goes through a door."""
        return self.peers.get(peer_port, (None,))[0]

    def call(self, work: Any) -> Any:
        """Run a coroutine in that thread; its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class SandboxDoors:
    """The doors of one sandbox: both ways, until ``close``."""

    def __init__(self, doors: Doors, sandbox: str, pid: int, network: Network):
        self._doors, self._sandbox, self._network = doors, sandbox, network
        self._namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._out: dict[tuple[str, int], asyncio.Server] = {}
        self._in: list[asyncio.Server] = []
        self._running: set[asyncio.Task] = set()
        self._closed = False
        try:
            for port in network.ports:
                self._in.append(doors.call(self._open_in(port)))
            self.update()
        except BaseException:
            self.close()
            raise

    def update(self) -> None:
        """Open and close doors to what may be reached now. Open connections stay."""
        self._doors.call(self._update(self._network.reach()))

    def close(self) -> None:
        self._doors.call(self._close())
        os.close(self._namespace)

    async def _update(self, wanted: set[tuple[str, int]]) -> None:
        # A port that the task itself serves, perhaps on every address, must stay free for it.
        wanted = {place for place in wanted if place[1] not in self._network.ports}
        for place in self._out.keys() - wanted:
            self._out.pop(place).close()
        for place in wanted - self._out.keys():
            # A program inside may hold the port: it is then its own.
            with suppress(OSError):
                listening = _inside(self._namespace, lambda at=place: _listen(at))
                self._out[place] = await self._serve(listening, self._outside(place))

    async def _open_in(self, port: int) -> asyncio.Server:
        place = (self._network.address, port)
        return await self._serve(_listen(place), lambda: self._into(place))

    async def _close(self) -> None:
        self._closed = True
        for server in (*self._out.values(), *self._in):
            server.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, listening: socket.socket, connected: Callable) -> asyncio.Server:
        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            self._running.add(task)
            try:
                with suppress(OSError, asyncio.CancelledError):
                    if not self._closed:
                        await self._pass_on(reader, writer, connected)
            finally:
                writer.close()
                self._running.discard(task)

        return await asyncio.start_server(arrived, sock=listening, limit=BLOCK)

    async def _pass_on(self, reader: Any, writer: Any, connected: Callable) -> None:
        with connected() as (made, place):
            try:
                await self._doors.loop.sock_connect(made, place)
                far_reader, far_writer = await asyncio.open_connection(sock=made, limit=BLOCK)
            except BaseException as error:
                made.close()
                if not isinstance(error, OSError):
                    raise
                reset = writer.get_extra_info("socket")
                reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                return
            try:
                await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
            finally:
                far_writer.close()

    def _outside(self, place: tuple[str, int]) -> Callable:
        @contextmanager
        def connected() -> Iterator[tuple[socket.socket, tuple[str, int]]]:
            made, peers = _unconnected(), self._doors.peers
            port = made.getsockname()[1]
            # Known before it is connected: who listens there may ask at once whose it is.
            peers[port] = (self._sandbox, made)
            try:
                yield made, place
            finally:
                # A connection that broke has given its port back, perhaps to another by now.
                if peers.get(port, (None, None))[1] is made:
                    del peers[port]

        return connected

    @contextmanager
    def _into(self, place: tuple[str, int]) -> Iterator[tuple[socket.socket, tuple[str, int]]]:
        yield _inside(self._namespace, _unconnected), place


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(BLOCK):
            writer.write(data)
            await writer.drain()
    finally:
        with suppress(OSError):
            if writer.can_write_eof():
                writer.write_eof()


def _listen(place: tuple[str, int]) -> socket.socket:
    return socket.create_server(place, backlog=BACKLOG)


def _unconnected() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.bind(("127.0.0.1", 0))
    return made


def _inside(namespace: int, make: Callable[[], Any]) -> Any:
    """``make()`` in another network namespace."""
    outcome: list[Any] = []

    def go() -> None:
        try:
            _enter(namespace)
            outcome.append(make())
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=go, name="into-sandbox")
    thread.start()
    thread.join()
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return outcome[0]


def _enter(namespace: int) -> None:
    """Move this thread into a network namespace."""
    if sys.platform != "linux":
        raise OSError("only Linux has network namespaces")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
