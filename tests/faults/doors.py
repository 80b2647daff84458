"""Raw bytes to an HTTP door of the lab, and all that it answers until it closes or falls silent."""

import contextlib
import re
import socket
import ssl
from dataclasses import dataclass

SECONDS = 10  # a door that has neither answered nor closed by then hangs
STATUS_LINE = re.compile(rb"^HTTP/1\.[01] (\d{3})", re.MULTILINE)


@dataclass(frozen=True)
class Door:
    name: str
    host: str
    port: int
    path: str  # that answers 200 to a GET, or 401, 403 or 404 where that needs more
    tls: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Said:
    statuses: tuple[int, ...]
    closed: bool
    text: bytes


def tell(door: Door, raw: bytes, seconds: float = SECONDS) -> Said:
    """Send it, then read until the door closes the connection or has been silent for long."""
    heard, closed = b"", False
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection((door.host, door.port), seconds))
        if door.tls:
            context = ssl._create_unverified_context()
            connection = stack.enter_context(context.wrap_socket(connection))
        connection.settimeout(seconds)
        try:
            connection.sendall(raw)
            while part := connection.recv(65536):
                heard += part
            closed = True
        except TimeoutError:
            closed = False
        except OSError:  # it was reset: what it said is lost, and no more can be asked on it
            closed = True
    return Said(tuple(int(code) for code in STATUS_LINE.findall(heard)), closed, heard)


def request(door: Door, *lines: bytes, verb: bytes = b"POST", body: bytes = b"") -> bytes:
    head = [verb + b" " + door.path.encode() + b" HTTP/1.1", b"Host: " + door.host.encode()]
    return b"\r\n".join([*head, *lines, b"", b""]) + body
