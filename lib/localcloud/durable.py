"""Answers a writing request only when what it wrote is kept."""

import errno
import io
import json
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from localcloud import objects
from localcloud.storage import Storage

READING = ("Get", "List", "Describe", "BatchGet", "Head", "Search", "Filter", "Lookup", "Simulate")
# As in storage.SLOW, but by the names under which requests are signed.
SAVED_LATER = frozenset(
    {"logs", "monitoring", "ec2", "ssm", "sts", "autoscaling", "ecs", "rds-data"}
)
Environ = dict[str, Any]


class Durable:
    """WSGI middleware around moto."""

    def __init__(self, app: Callable, storage: Storage):
        self._app = app
        self._storage = storage

    def __call__(self, environ: Environ, start_response: Callable) -> Iterable[bytes]:
        try:
            if not writes(environ):
                return self._app(environ, start_response)
            return self._answer_when_kept(environ, start_response)
        except Exception as error:
            return failure(environ, start_response, error)

    def _answer_when_kept(self, environ: Environ, start_response: Callable) -> Iterable[bytes]:
        answer: list[Any] = []
        with objects.watched() as touched:
            try:
                body = self._app(environ, lambda *start: answer.append(start))
                body = b"".join(body)
            finally:
                self._keep(service_of(environ), touched)
        start_response(*answer[0])
        return [body]

    def _keep(self, service: str, touched: objects.Touched) -> None:
        if service == "s3":
            self._storage.save_objects(touched)
            return
        if service not in SAVED_LATER:
            self._storage.save_objects(touched)
            self._storage.save_backends()
        self._storage.save_soon()


def service_of(environ: Environ) -> str:
    """The service a request is signed for. What is not signed is S3's, unless it is an action."""
    try:
        scope = environ["HTTP_AUTHORIZATION"].split("Credential=")[1].split(",")[0]
        return scope.split("/")[3].lower()
    except (KeyError, IndexError):
        is_action = "HTTP_X_AMZ_TARGET" in environ or _is_form(environ)
        return "not signed" if is_action else "s3"


def writes(environ: Environ) -> bool:
    if environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS"):
        return False
    return not action_of(environ).startswith(READING)


def action_of(environ: Environ) -> str:
    """The operation's name in the JSON and query protocols; empty for REST, as in S3."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2]
    if not _is_form(environ) or service_of(environ) == "s3":
        return ""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]


def _is_form(environ: Environ) -> bool:
    kind = environ.get("CONTENT_TYPE", "")
    return environ["PATH_INFO"] == "/" and kind.startswith("application/x-www-form-urlencoded")


def failure(environ: Environ, start_response: Callable, error: Exception) -> Iterable[bytes]:
    """An error of ours, in the shape that the client's SDK reads.

    A full disk is 507, which SDKs do not try again; anything else is a 500.
    """
    traceback.print_exc()
    sys.stderr.flush()
    full = getattr(error, "errno", None) == errno.ENOSPC or (
        isinstance(error, sqlite3.OperationalError) and "full" in str(error)
    )
    if full:
        status, code = "507 Insufficient Storage", "InsufficientStorage"
        message = "No space left on the disk of the local cloud: free some, or see `drydock status`"
    else:
        status, code = "500 Internal Server Error", "InternalFailure"
        message = f"The local cloud failed: {type(error).__name__}: {error}; see its server.log"
    if service_of(environ) == "s3":
        kind = "application/xml"
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    elif "HTTP_X_AMZ_TARGET" in environ:
        kind = "application/x-amz-json-1.1"
        body = json.dumps({"__type": code, "message": message})
    else:
        kind = "text/xml"
        body = (
            f"<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error></ErrorResponse>"
        )
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body.encode())))])
    return [body.encode()]
