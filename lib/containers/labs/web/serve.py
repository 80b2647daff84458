"""Answer GET /healthz with 200 and the version, or with 503 while warming up or told to be ill.

Settings: HOST, PORT (8000), VERSION (1), WARM_UP in seconds (0). Version 2 also needs RATE_LIMIT.
POST /ill makes it ill for the rest of its life.
"""

import http.server
import json
import os
import signal
import sys
import time

STARTED = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    ill = False

    def do_GET(self) -> None:
        if self.path != "/healthz":
            return self.answer(404, {"error": "there is only /healthz"})
        warm = time.monotonic() - STARTED >= float(os.environ.get("WARM_UP", "0"))
        if Handler.ill or not warm:
            return self.answer(503, {"status": "ill" if Handler.ill else "warming up"})
        return self.answer(200, {"status": "ok", "version": os.environ.get("VERSION", "1")})

    def do_POST(self) -> None:
        Handler.ill = self.path == "/ill"
        self.answer(200, {"ill": Handler.ill})

    def answer(self, status: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """One line for each request would drown the log."""


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    version = os.environ.get("VERSION", "1")
    if version == "2" and not os.environ.get("RATE_LIMIT", "").isdigit():
        sys.exit("serve: version 2 needs the setting RATE_LIMIT, a whole number")
    address = (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000")))
    server = http.server.ThreadingHTTPServer(address, Handler)
    print(f"version {version} serves port {address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
