"""The API server's door: HTTPS on a loopback port, one thread a connection, answers that stream."""

from __future__ import annotations

import json
import ssl
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from socket import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localcloud import framing
from localcloud.http import Handler, Server
from localcloud.kubernetes.errors import ApiError

JSON = "application/json"


@dataclass
class Request:
    """``query`` holds the last value of each parameter, ``lists`` all of them."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    user: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")


@dataclass
class Answer:
    """``content`` is a JSON document, bytes as they are, or an iterator of pieces to stream.

    ``serve``, if there is one, takes the connection over instead.
    """

    content: Any
    code: int = 200
    kind: str = JSON
    warnings: list[str] = field(default_factory=list)
    serve: Callable[[Any], None] | None = None


class ApiHandler(Handler):
    largest_body = 3 << 20  # bytes, as the API server's MaxRequestBodyBytes

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        place = urlsplit(self.path)
        lists = parse_qs(place.query, True)
        query = {name: values[-1] for name, values in lists.items()}
        try:
            body = self._read_body()
        except framing.Refused as refused:
            self.refuse(refused)
            return
        request = Request(self.command, place.path, query, self.headers, body, lists=lists)
        try:
            self._refuse_websocket(place.path)
            answer = self.server.answer(request)
        except ApiError as error:
            answer = Answer(error.status(), error.code)
        except Exception as error:
            traceback.print_exc()
            sys.stderr.flush()
            words = f"Internal error occurred: {type(error).__name__}: {error}"
            answer = Answer(ApiError(500, "InternalError", words).status(), 500)
        if answer.serve:
            self.close_connection = True
            answer.serve(self.connection)
        else:
            self._send_answer(answer)

    def _refuse_websocket(self, path: str) -> None:
        """All but `exec`. After this code Java's client (fabric8, so Spark) watches over HTTP."""
        wanted = self.headers.get("Upgrade", "").lower() == "websocket"
        if wanted and not path.endswith("/exec"):
            self.close_connection = True
            raise ApiError(503, "ServiceUnavailable", "WebSocket connections are not served here")

    def _read_body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            return framing.read_chunked(self.rfile, self.largest_body)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send_answer(self, answer: Answer) -> None:
        self.send_response_only(answer.code)
        self.send_header("Content-Type", answer.kind)
        for warning in answer.warnings:
            self.send_header("Warning", f"299 - {json.dumps(warning)}")
        if isinstance(answer.content, Iterator):
            self._stream(answer.content)
            return
        body = answer.content
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":")).encode() + b"\n"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _stream(self, pieces: Iterator[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.wfile.flush()
            for piece in pieces:
                if piece:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
        except OSError:
            self.close_connection = True
        finally:
            pieces.close()


class ApiServer(Server):
    """``answer`` is called with each request, in the thread of its connection."""

    def __init__(
        self, listening: socket, context: ssl.SSLContext, answer: Callable[[Request], Answer]
    ):
        host, port = listening.getsockname()
        super().__init__(host, port, None, ApiHandler, fd=listening.fileno())
        # Without: a client that connects and says nothing would hold up all others.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.answer = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not trust us, is no news."""
        if not isinstance(sys.exception() if sys.version_info >= (3, 11) else None, OSError):
            super().handle_error(request, client_address)
