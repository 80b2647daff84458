"""Run the data API: `python -m api`. `python -m api check` asks a running one if it answers."""

import logging
import os
import signal
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

WRONG_SETTING = 2
NO_ADDRESS = 3


def main() -> int:
    """Serve until SIGTERM; return the exit code."""
    host, port = os.environ.get("HOST", "0.0.0.0"), os.environ.get("PORT", "8000")
    bucket = os.environ.get("LAKE_BUCKET", "")
    if not port.isdecimal() or int(port) > 65535:
        return _fail(WRONG_SETTING, f"PORT is {port!r}: set it to a number up to 65535")
    if sys.argv[1:] == ["check"]:
        return _check(host, int(port))
    if sys.argv[1:]:
        return _fail(WRONG_SETTING, f"unknown argument {sys.argv[1]!r}: python -m api [check]")
    if not bucket:
        return _fail(WRONG_SETTING, "LAKE_BUCKET is not set: set it to the name of the S3 bucket")
    try:
        listener = _listen(host, int(port))
    except OSError as error:
        return _fail(NO_ADDRESS, f"cannot listen on {host}:{port} (HOST, PORT): {error.strerror}")
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("api").setLevel(logging.INFO)
    # Nobody reads them, and a line for each request should cost little.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # so the manual of logging: no look for the line that logged
    # As the shell counts them. uvicorn stops the server first, then hands the signal on to these.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(128 + signal.SIGINT))
    with tempfile.TemporaryDirectory(prefix="api-", ignore_cleanup_errors=True) as scratch:
        return serve(listener, bucket, Path(os.environ.get("API_CACHE") or scratch))


def serve(listener: socket.socket, bucket: str, cache: Path) -> int:
    """Serve the curated flights of `bucket` on `listener`, with files kept in `cache`.

    Return the exit code when a setting is wrong.
    """
    # Imported here, as `check` has no use for them.
    import boto3
    import uvicorn
    from botocore.config import Config

    from api.app import create_app
    from api.lookups import Lookups, Secret, WrongSecret
    from api.manifests import Lake
    from api.metrics import Metrics
    from api.refresh import Refresher
    from api.store import Store

    lookups = metrics = None
    if text := os.environ.get("DB_SECRET"):
        try:
            lookups = Lookups(Secret.parse(text), os.environ.get("PGSSLROOTCERT"))
        except WrongSecret as wrong:
            return _fail(WRONG_SETTING, f"{wrong}: look at the secret in Secrets Manager")

    # The refresher tries again by itself, so a call gives up early.
    config = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 1})
    lake = Lake(boto3.client("s3", config=config), bucket, cache)
    store = Store(cache / "flights.duckdb")
    if namespace := os.environ.get("METRICS_NAMESPACE"):
        metrics = Metrics(boto3.client("cloudwatch", config=config), namespace)
    app = create_app(store, Refresher(lake, store), lookups, metrics)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            # Longer than a load balancer's idle timeout (60 s), or it meets closed connections.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
    )
    logging.getLogger("api").info("listening on http://%s:%d", *listener.getsockname()[:2])
    server.run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off; else an answer, being written in
    # two parts, waits 40 ms for the client to acknowledge the first.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    return listener


def _check(host: str, port: int) -> int:
    """Return 0 if the API answers at all: for want of data, a restart is no cure."""
    address = "127.0.0.1" if host == "0.0.0.0" else host
    try:
        urllib.request.urlopen(f"http://{address}:{port}/healthz", timeout=5)
    except urllib.error.HTTPError:
        return 0
    except OSError as error:
        return _fail(1, f"no answer at {address}:{port}: {error}")
    return 0


def _fail(code: int, message: str) -> int:
    print(f"api: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
