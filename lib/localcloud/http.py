"""HTTP/1.1 over werkzeug's threaded server, with connections that stay open.

werkzeug's own handler closes the connection after every answer and waits 10 ms for stray input
before it does; an SDK that reads hundreds of small objects pays for both.
"""

import contextlib
import io
import json
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wsgi import LimitedStream

from localcloud import framing

LARGEST_BODY = 5 << 30  # bytes: the largest object that S3 takes in one request
LARGEST_DRAIN = 1 << 20  # bytes of an unread request body worth reading to keep the connection
LINGER_SECONDS = 1.0  # that a caller has to take the last answer


class NoAnswer(Exception):
    """Raised by an application: close the connection without a word."""


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and a small body leave in one packet
    timeout = 300  # seconds that an idle connection stays open
    default_request_version = "HTTP/1.1"  # so that nonsense is answered with a status line
    largest_body = LARGEST_BODY

    def parse_request(self) -> bool:
        """Also refuse what could be understood in two ways; see ``framing``."""
        file, self.rfile = self.rfile, framing.Lines(self.rfile)
        try:
            if not super().parse_request():
                return False
            framing.check(self.rfile.read_so_far, self.headers, self.largest_body)
        except framing.Refused as refused:
            self.refuse(refused)
            return False
        finally:
            self.rfile = file
        return True

    def refuse(self, refused: framing.Refused) -> None:
        """Answer, and close the connection: where the next request begins is not known."""
        self.close_connection = True
        self.send_error(refused.code, str(refused))

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        self.environ = environ = self.make_environ()
        try:
            body = self._limit_input(environ)
        except framing.Refused as refused:
            self.refuse(refused)
            return
        answer: list[Any] = []
        try:
            content = b"".join(self.server.app(environ, lambda *start: answer.append(start)))
            status, headers, *_ = answer[0]
        except NoAnswer:
            self.close_connection = True
            return
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            status, headers, content = "500 Internal Server Error", [], b""
        self._send(status, headers, content)
        self._leave_nothing_unread(body)

    def _limit_input(self, environ: dict[str, Any]) -> LimitedStream | None:
        """Let the application read this request's body and not into the next request."""
        if environ.pop("wsgi.input_terminated", False):
            # moto expects to be told the length
            content = framing.read_chunked(self.rfile, self.largest_body)
            environ["wsgi.input"] = io.BytesIO(content)
            environ["CONTENT_LENGTH"] = str(len(content))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            return None
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = limited = LimitedStream(self.rfile, length)
        return limited

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() != "connection":
                self.send_header(name, value)
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        has_body = self.command != "HEAD" and code not in ("204", "304")
        if "content-length" not in names and has_body:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body:
            self.wfile.write(content)
        self.wfile.flush()

    def _leave_nothing_unread(self, body: LimitedStream | None) -> None:
        """The next request starts where this one's body ends."""
        if body is None or body.is_exhausted:
            return
        left = body.limit - body.tell()
        if left > LARGEST_DRAIN:
            self.close_connection = True
        else:
            body.exhaust()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """server.log is for what goes wrong."""


class Server(ThreadedWSGIServer):
    daemon_threads = True
    request_queue_size = 256

    def shutdown_request(self, request: socket.socket) -> None:
        """Close in steps: closed while input is unread, a connection loses its last answer.

        https://datatracker.ietf.org/doc/html/rfc9112#section-9.6
        """
        until = time.monotonic() + LINGER_SECONDS
        left = LARGEST_DRAIN
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(LINGER_SECONDS)
            while left > 0 and time.monotonic() < until and (part := request.recv(65536)):
                left -= len(part)
        self.close_request(request)


def make_server(listening: socket.socket, app: Callable) -> Server:
    host, port = listening.getsockname()
    return Server(host, port, app, Handler, fd=listening.fileno())


def answer_json(start_response: Callable, content: Any) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]
