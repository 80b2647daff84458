"""Who stands behind a presigned sts:GetCallerIdentity: the check of EKS's authenticator.

Source: https://github.com/kubernetes-sigs/aws-iam-authenticator (API authorization from outside a
cluster). The signature is verified with the key's secret, over the cluster's name.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from localcloud import arns
from localcloud.eks.responses import kept

if TYPE_CHECKING:
    from localcloud.eks.plane import Eks

# The lab's own keys stand for the account itself.
ACCOUNT_KEY = ("drydock", "drydock")
VALID = timedelta(minutes=15)
HEADER = "x-k8s-aws-id"
ADMIN = ["system:masters", "system:authenticated"]


def identify(eks: Eks, url: str, cluster: str) -> dict[str, Any] | None:
    """The Kubernetes user, or None if the cluster does not know the caller."""
    place = urlsplit(url)
    query = dict(parse_qsl(place.query, keep_blank_values=True))
    known = {name.lower(): value for name, value in query.items()}
    if known.get("action") != "GetCallerIdentity" or place.path not in ("", "/"):
        return None
    try:
        key, day, region, service, _ = known["x-amz-credential"].split("/")
        signed = datetime.strptime(known["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        headers = known["x-amz-signedheaders"].split(";")
    except (KeyError, ValueError):
        return None
    if service != "sts" or HEADER not in headers or abs(datetime.now(UTC) - signed) > VALID:
        return None
    caller = _caller(key, known.get("x-amz-security-token"))
    if caller is None:
        return None
    arn, secret = caller
    values = {"host": place.netloc, HEADER: cluster}
    wanted = _signature(secret, place.path, query, headers, values, (day, region, service))
    if not hmac.compare_digest(wanted, known.get("x-amz-signature", "")):
        return None
    return _user(eks, cluster, arn)


def _caller(key: str, token: str | None) -> tuple[str, str] | None:
    """The caller's ARN and secret key."""
    if token:
        role = sts_backends[arns.ACCOUNT]["aws"].get_assumed_role_from_access_key(key)
        if role is None or role.session_token != token:
            return None
        return role.arn, role.secret_access_key
    if key == ACCOUNT_KEY[0]:
        return f"arn:aws:iam::{arns.ACCOUNT}:root", ACCOUNT_KEY[1]
    for user in iam_backends[arns.ACCOUNT]["aws"].users.values():
        for one in user.access_keys:
            if one.access_key_id == key and one.status == "Active":
                return user.arn, one.secret_access_key
    return None


def _signature(
    secret: str,
    path: str,
    query: dict[str, str],
    headers: list[str],
    values: dict[str, str],
    scope: tuple[str, str, str],
) -> str:
    """Signature Version 4 in the query: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in query.items())
    text = "&".join(f"{k}={v}" for k, v in pairs if k.lower() != "x-amz-signature")
    lines = "".join(f"{name}:{values.get(name, '')}\n" for name in headers)
    empty = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(["GET", path or "/", text, lines, ";".join(headers), empty])
    where = "/".join([*scope, "aws4_request"])
    moment = {name.lower(): value for name, value in query.items()}["x-amz-date"]
    told = "\n".join(
        ["AWS4-HMAC-SHA256", moment, where, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest()


def _user(eks: Eks, cluster: str, arn: str) -> dict[str, Any] | None:
    """The account made the cluster and is its administrator; others need an access entry."""
    if arn.endswith(":root"):
        return {"username": "kubernetes-admin", "groups": ADMIN, "extra": {"arn": [arn]}}
    principal = arn
    if ":assumed-role/" in arn:
        role = arn.split("/")[1]
        principal = f"arn:aws:iam::{arns.ACCOUNT}:role/{role}"
    entry = kept(eks.backend, "entries").get(cluster, {}).get(principal)
    if entry is None:
        return None
    groups = [*entry["kubernetesGroups"], "system:authenticated"]
    return {"username": entry["username"], "groups": groups, "extra": {"arn": [arn]}}
