"""The Lambda Runtime API, one server for each execution environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROOT = "/2018-06-01/runtime/"
LARGEST_RESPONSE = 6_291_556
TOO_LARGE = {
    "errorMessage": "Response payload size exceeded maximum allowed payload size "
    f"({LARGEST_RESPONSE} bytes).",
    "errorType": "Function.ResponseSizeTooLarge",
}


class RuntimeApi:
    """``invocations`` go to the runtime as (headers, body); ``said`` holds what it says, as
    (kind, body): ready, response, error or init_error."""

    def __init__(self) -> None:
        self.invocations: queue.Queue[tuple[dict[str, str], bytes] | None] = queue.Queue()
        self.said: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=[0.05], name="runtime-api", daemon=True).start()

    def close(self) -> None:
        self.invocations.put(None)
        self._server.shutdown()
        self._server.server_close()


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != ROOT + "invocation/next":
                return self._answer(404, {})
            api.said.put(("ready", None))
            given = api.invocations.get()
            if given is None:
                self.close_connection = True
                return None
            return self._answer(200, given[0], given[1])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = self.path.rpartition("/")[2]
            if self.path == ROOT + "init/error":
                kind = "init_error"
            elif not self.path.startswith(ROOT + "invocation/") or kind not in (
                "response",
                "error",
            ):
                return self._answer(404, {})
            if kind == "response" and len(body) > LARGEST_RESPONSE:
                api.said.put(("error", json.dumps(TOO_LARGE).encode()))
            else:
                api.said.put((kind, body))
            return self._answer(202, {}, b'{"status":"OK"}')

        def _answer(self, status: int, headers: dict[str, str], body: bytes = b"{}") -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """The function's own lines are its log."""

    return Handler
