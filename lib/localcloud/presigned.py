"""Pre-signed requests to S3: for how long they hold, and whether the signature is the one.

moto answers every one of them, however old. What is looked at here: the time, in both kinds that
S3 has, and the signature of Version 4 where its keys are known. One by other keys goes on unread,
as everywhere in the local cloud; what a role session may do, ``permissions`` decides.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.access_control import CreateAccessKeyFailure, create_access_key

STAMP = "%Y%m%dT%H%M%SZ"
LONGEST_SECONDS = 7 * 24 * 3600
SKEW = dt.timedelta(minutes=15)  # by which the signer's clock may be ahead of ours
SIGNATURE, TOKEN = "X-Amz-Signature", "X-Amz-Security-Token"
ACCOUNT = "123456789012"
OWN_KEY, OWN_SECRET = "drydock", "drydock"  # the lab's own, which may do everything


class NotHonoured(Exception):
    """Why S3 does not honour the URL, with its status and code; ``more`` tells times."""

    def __init__(self, status: str, code: str, message: str, **more: str):
        super().__init__(message)
        self.status, self.code, self.more = status, code, more


def wsgi(app: Callable) -> Callable:
    """``app`` for those pre-signed requests only that S3 would honour."""

    def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        try:
            if "X-Amz-Credential=" in query or "AWSAccessKeyId=" in query:  # which costs nothing
                check(environ, dict(parse_qsl(query, keep_blank_values=True)))
        except NotHonoured as refused:
            body = _shown(refused)
            length = ("Content-Length", str(len(body)))
            start_response(refused.status, [("Content-Type", "application/xml"), length])
            return [body]
        return app(environ, start_response)

    return front


def check(environ: dict[str, Any], asked: dict[str, str], now: dt.datetime | None = None) -> None:
    """Raise NotHonoured unless the request may go on. Those to other services may."""
    now = now or dt.datetime.now(dt.UTC)
    if "AWSAccessKeyId" in asked:  # the older kind, Version 2, names the end
        if asked.get("Expires", "").isdecimal():
            end = dt.datetime.fromtimestamp(min(int(asked["Expires"]), 1 << 35), dt.UTC)
            _check_end(end, now)
        return
    scope = asked.get("X-Amz-Credential", "").split("/")
    if len(scope) != 5 or scope[3] != "s3":
        return
    seconds = _seconds(asked.get("X-Amz-Expires", ""))
    try:
        begin = dt.datetime.strptime(asked.get("X-Amz-Date", ""), STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        raise _bad_parameter(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        ) from None
    if begin > now + SKEW:
        raise NotHonoured("403 Forbidden", "AccessDenied", "Request is not valid yet")
    _check_end(begin + dt.timedelta(seconds=seconds), now, {"X-Amz-Expires": str(seconds)})
    secret = _secret_of(scope[0], asked.get(TOKEN))
    if secret is None:
        return
    expected = _signature(environ, asked, Credentials(scope[0], secret), scope[2])
    if not hmac.compare_digest(expected, asked.get(SIGNATURE, "")):
        raise NotHonoured(
            "403 Forbidden",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        )


def _seconds(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        raise _bad_parameter("X-Amz-Expires should be a number") from None
    if seconds < 0:
        raise _bad_parameter("X-Amz-Expires must be non-negative")
    if seconds > LONGEST_SECONDS:
        raise _bad_parameter(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            f"X-Amz-Expires must be less than {LONGEST_SECONDS} seconds"
        )
    return seconds


def _bad_parameter(message: str) -> NotHonoured:
    return NotHonoured("400 Bad Request", "AuthorizationQueryParametersError", message)


def _check_end(end: dt.datetime, now: dt.datetime, more: dict[str, str] | None = None) -> None:
    if now > end:
        times = {"Expires": f"{end:%Y-%m-%dT%H:%M:%SZ}", "ServerTime": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        said = "Request has expired"
        raise NotHonoured("403 Forbidden", "AccessDenied", said, **(more or {}), **times)


def _secret_of(key: str, session: str | None) -> str | None:
    if key == OWN_KEY and not session:
        return OWN_SECRET
    headers = {TOKEN: session} if session else {}
    try:
        return create_access_key(ACCOUNT, "aws", key, headers).create_credentials().secret_key
    except CreateAccessKeyFailure:
        return None


def _signature(
    environ: dict[str, Any], asked: dict[str, str], keys: Credentials, region: str
) -> str:
    """What the signature has to be, of the headers that it says it covers."""
    host = environ.get("HTTP_HOST", "")
    path = quote(unquote(environ.get("REQUEST_URI", "/").partition("?")[0]), safe="/~")
    request = AWSRequest(environ["REQUEST_METHOD"], f"http://{host}{path}")
    request.params = {name: value for name, value in asked.items() if name != SIGNATURE}
    for name in asked.get("X-Amz-SignedHeaders", "").split(";"):
        variable = name.upper().replace("-", "_")
        plain = variable in ("CONTENT_TYPE", "CONTENT_LENGTH")
        request.headers[name] = environ.get(variable if plain else f"HTTP_{variable}", "")
    request.context["timestamp"] = asked["X-Amz-Date"]
    signer = S3SigV4QueryAuth(keys, "s3", region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request)


def _shown(refused: NotHonoured) -> bytes:
    told = {"Code": refused.code, "Message": str(refused), **refused.more}
    parts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{parts}</Error>'.encode()
