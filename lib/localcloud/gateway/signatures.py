"""IAM authorisation: the request's signature (SigV4) and the caller's policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.access_control import (
    CreateAccessKeyFailure,
    IAMPolicy,
    PermissionResult,
    create_access_key,
)

from localcloud.gateway.refusals import Refused

SERVICE = "execute-api"
SKEW_SECONDS = 300
# The lab's own keys, which stand for an administrator's.
ADMINISTRATOR = ("drydock", "drydock")
FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/\s]+)/(\d{8})/([\w-]+)/([\w-]+)/aws4_request, ?"
    r"SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})"
)


def check(
    account: str, region: str, arn: str, method: str, url: str, headers: Any, body: bytes
) -> str:
    """The caller's ARN. Raises Refused with 403: unsigned, badly signed, too old or not allowed."""
    found = FORM.fullmatch(headers.get("Authorization", ""))
    if not found:
        raise Refused(403, "the request is not signed")
    key, day, signed_region, service, names, signature = found.groups()
    if (signed_region, service) != (region, SERVICE):
        raise Refused(403, f"signed for {service} in {signed_region}")
    stamp = headers.get("X-Amz-Date", "")
    try:
        moment = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise Refused(403, "X-Amz-Date is no time") from None
    age = abs((dt.datetime.now(dt.UTC) - moment).total_seconds())
    if age > SKEW_SECONDS or not stamp.startswith(day):
        raise Refused(403, "the signature has expired")
    caller = _caller(account, key, dict(headers))
    secret = ADMINISTRATOR[1] if caller is None else caller.create_credentials().secret_key
    # A header that the client sent once and signed is taken as it came.
    present = {n: headers[n] for n in names.split(";") if n in headers}
    if "host" not in names.split(";"):
        raise Refused(403, "the host is not signed")
    if not hmac.compare_digest(
        _signature(key, secret, region, method, url, present, stamp, body), signature
    ):
        raise Refused(403, "the signature does not match")
    if caller is None:
        return f"arn:aws:iam::{account}:root"
    if not _allowed(caller, arn):
        raise Refused(403, f"no policy allows execute-api:Invoke on {arn}")
    return caller.arn


def _caller(account: str, key: str, headers: dict[str, str]) -> Any | None:
    """moto's access key; None for the lab's own."""
    if key == ADMINISTRATOR[0]:
        return None
    named = {name.title(): value for name, value in headers.items()}
    try:
        return create_access_key(account, "aws", key, named)
    except CreateAccessKeyFailure:
        raise Refused(403, "the access key is not known") from None


def _signature(
    key: str,
    secret: str,
    region: str,
    method: str,
    url: str,
    headers: dict,
    stamp: str,
    body: bytes,
) -> str:
    parts = urlsplit(url)
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers.items():
        request.headers[name] = value
    if "host" not in request.headers:
        request.headers["host"] = parts.netloc
    request.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(key, secret), SERVICE, region)
    canonical = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, canonical), request)


def _allowed(caller: Any, arn: str) -> bool:
    answers = {
        IAMPolicy(policy).is_action_permitted("execute-api:Invoke", arn)
        for policy in caller.collect_policies()
    }
    return PermissionResult.PERMITTED in answers and PermissionResult.DENIED not in answers
