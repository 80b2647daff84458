"""Kubernetes' channels over a WebSocket: each message begins with the number of its stream.

v4.channel.k8s.io, and v5 with its message that closes a stream. One thread reads and writes:
Python's TLS sockets do not stand two. The protocol itself is wsproto's.
"""

from __future__ import annotations

import select
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from localcloud.kubernetes import errors

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


def wanted(headers: Any) -> bool:
    return headers.get("Upgrade", "").lower() == "websocket"


def protocol(headers: Any) -> str:
    """The newest that both sides speak. Raises ApiError."""
    offered = [one.strip() for one in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    for one in PROTOCOLS:
        if one in offered:
            return one
    told = ", ".join(PROTOCOLS)
    raise errors.ApiError(403, "Forbidden", f"unable to upgrade: server understands {told}")


class Channels:
    """The server's side of one connection. Raises OSError when the client has gone."""

    def __init__(self, connection: Any, headers: Any, path: str):
        self._socket, self._chosen = connection, protocol(headers)
        self._socket.settimeout(None)
        self._ws = WSConnection(ConnectionType.SERVER)
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._ws.initiate_upgrade_connection(pairs, path)
        next(iter(self._ws.events()))
        self._part = b""
        self._write(AcceptConnection(subprotocol=self._chosen))

    def _write(self, event: Any) -> None:
        self._socket.sendall(self._ws.send(event))

    def send(self, channel: int, data: bytes) -> None:
        self._write(BytesMessage(data=bytes([channel]) + data))

    def close(self) -> None:
        self._write(CloseConnection(code=1000))

    def wait(self, readers: list[int], writers: list[int], seconds: float) -> tuple[list, list]:
        """Which of the descriptors are ready, this connection (``self``) included."""
        if self._socket.pending():
            ready, able, _ = select.select(readers, writers, [], 0)
            return [self, *ready], able
        ready, able, _ = select.select([self._socket, *readers], writers, [], seconds)
        return [self if one is self._socket else one for one in ready], able

    def receive(self) -> list[tuple[int, bytes]]:
        """What has come: channel and bytes; (CLOSE, channel) for a stream that is over."""
        data = self._socket.recv(65536)
        try:
            self._ws.receive_data(data or None)
            events = list(self._ws.events())
        except ProtocolError as error:
            raise ConnectionError(str(error)) from None
        found = []
        for event in events:
            if isinstance(event, BytesMessage | TextMessage):
                part = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
                self._part += part
                if event.message_finished:
                    if self._part:
                        found.append((self._part[0], self._part[1:]))
                    self._part = b""
            elif isinstance(event, Ping):
                self._write(event.response())
            elif isinstance(event, CloseConnection):
                raise ConnectionError("the client has closed the connection")
        return found
