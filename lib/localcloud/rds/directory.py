"""The directory that PostgreSQL asks whether the password of an IAM user is a good token.

On RDS PostgreSQL asks through PAM, which needs a file under /etc. A simple bind of LDAP (RFC 4511)
asks the same question, takes a password as long as a token, and needs nothing on the machine. Only
that one request is answered here.
"""

from __future__ import annotations

import socketserver
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from localcloud.authority import ADDRESS
from localcloud.rds.tokens import TokenRefused

SUFFIX = ",dbi="
BIND, BIND_ANSWER, SIMPLE = 0x60, 0x61, 0x80
SUCCESS, INVALID_CREDENTIALS = 0, 49
LONGEST = 1 << 16

Check = Callable[[str, str, str], None]
"""From a DbiResourceId, a user and a password to nothing, or TokenRefused."""


class Directory:
    """Answers on a port of its own from its making until the process ends."""

    def __init__(self, check: Check):
        self._server = _Server((ADDRESS, 0), _Peer)
        self._server.check = check
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="directory", daemon=True).start()

    def rule(self, resource_id: str) -> str:
        """The method and options of pg_hba.conf that ask here about users of this database."""
        return (
            f"ldap ldapserver={ADDRESS} ldapport={self.port} "
            f'ldapprefix="uid=" ldapsuffix="{SUFFIX}{resource_id}"'
        )


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    check: Check


class _Peer(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        _, message = self._read()
        _, number, rest = _take(message)
        tag, bind, _ = _take(rest)
        if tag != BIND:
            return
        _, _, rest = _take(bind)  # the protocol's version
        _, name, rest = _take(rest)
        kind, password, _ = _take(rest)
        code = SUCCESS if kind == SIMPLE and self._is_good(name, password) else INVALID_CREDENTIALS
        result = _element(BIND_ANSWER, _element(0x0A, bytes([code])) + _element(4, b"") * 2)
        self.wfile.write(_element(0x30, _element(2, number) + result))

    def _is_good(self, name: bytes, password: bytes) -> bool:
        user, _, resource_id = name.decode().removeprefix("uid=").rpartition(SUFFIX)
        try:
            self.server.check(resource_id, user, password.decode())
        except TokenRefused as why:
            print(f"IAM token of {user} refused by {resource_id}: {why}", file=sys.stderr)
            return False
        except Exception:
            traceback.print_exc()
            return False
        return True

    def _read(self) -> tuple[int, bytes]:
        head = self.rfile.read(2)
        if len(head) < 2:
            return 0, b""
        size = head[1]
        if size & 0x80:
            size = int.from_bytes(self.rfile.read(size & 0x7F))
        return head[0], self.rfile.read(min(size, LONGEST))


def _take(data: bytes) -> tuple[int, bytes, bytes]:
    """The tag and the value of the first element, and what follows it (X.690, definite lengths)."""
    if len(data) < 2:
        return 0, b"", b""
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start])
    return data[0], data[start : start + size], data[start + size :]


def _element(tag: int, value: bytes) -> bytes:
    """Of less than 128 bytes, as all that is answered here."""
    return bytes([tag, len(value)]) + value


def check_of(find: Callable[[str], Any], check: Callable[[str, Any, str], None]) -> Check:
    """Compose a Check from a way to find an instance by its DbiResourceId, and a token's check."""

    def checked(resource_id: str, user: str, password: str) -> None:
        instance = find(resource_id)
        if instance is None:
            raise TokenRefused("no such DB instance")
        check(password, instance, user)

    return checked
