"""IAM database authentication tokens: is this one good for this user of this database?

A token is the address of a request to the service rds-db, presigned with Signature Version 4 and
without its scheme. Whoever holds the keys that it names can make it; nobody is asked for it.
Source: RDS User Guide, "IAM database authentication for MariaDB, MySQL, and PostgreSQL".
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.access_control import (
    CreateAccessKeyFailure,
    IAMPolicy,
    PermissionResult,
    create_access_key,
)
from moto.sts.models import sts_backends

SERVICE = "rds-db"
ACTION = "rds-db:connect"
LONGEST = timedelta(minutes=15)
SKEW = timedelta(minutes=5)  # by which the signer's clock may be ahead of ours
OWN_KEY, OWN_SECRET = "drydock", "drydock"  # the lab's own, which may do everything
STAMP = "%Y%m%dT%H%M%SZ"
SIGNATURE = "X-Amz-Signature"


class TokenRefused(Exception):
    """Why a token is not good; for the server's log, never for the client."""


def check(token: str, instance: Any, user: str, now: datetime | None = None) -> None:
    """Raise TokenRefused unless the token lets ``user`` into the instance now."""
    place, _, query = token.partition("/?")
    asked = dict(parse_qsl(query))
    if SIGNATURE not in asked:
        raise TokenRefused("the password is no token")
    if not instance.iam_database_authentication_enabled:
        raise TokenRefused("IAM database authentication is not enabled")
    if place not in {f"{host}:{instance.port}" for host in (instance.address, "localhost")}:
        raise TokenRefused(f"the token is for {place}")
    if (asked.get("Action"), asked.get("DBUser")) != ("connect", user):
        raise TokenRefused(f"the token is for user {asked.get('DBUser')}")
    _check_time(asked, now or datetime.now(UTC))
    key, _, scope = asked.get("X-Amz-Credential", "").partition("/")
    day = asked["X-Amz-Date"][:8]
    if scope != f"{day}/{instance.region}/{SERVICE}/aws4_request":
        raise TokenRefused(f"the token is signed for {scope}")
    caller = _caller(instance.account_id, key, asked.get("X-Amz-Security-Token"))
    secret = caller.create_credentials().secret_key if caller else OWN_SECRET
    expected = signature(token, key, secret, instance.region)
    if not hmac.compare_digest(expected, asked[SIGNATURE]):
        raise TokenRefused("the signature does not match")
    if caller:
        _check_permission(caller, instance, user)


def signature(token: str, key: str, secret: str, region: str) -> str:
    """What the signature of this token has to be."""
    unsigned = token.partition(f"&{SIGNATURE}=")[0]
    request = AWSRequest("GET", f"https://{unsigned}")
    request.context["timestamp"] = dict(parse_qsl(unsigned))["X-Amz-Date"]
    signer = SigV4QueryAuth(Credentials(key, secret), SERVICE, region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request)


def resource(instance: Any, user: str) -> str:
    """The ARN that a policy names for a database user."""
    account, region = instance.account_id, instance.region
    return f"arn:aws:{SERVICE}:{region}:{account}:dbuser:{instance.dbi_resource_id}/{user}"


def _check_time(asked: dict[str, str], now: datetime) -> None:
    try:
        begin = datetime.strptime(asked["X-Amz-Date"], STAMP).replace(tzinfo=UTC)
        life = timedelta(seconds=int(asked["X-Amz-Expires"]))
    except (KeyError, ValueError, OverflowError):
        raise TokenRefused("the token does not say for how long it is valid") from None
    if begin > now + SKEW:
        raise TokenRefused("the token is from the future")
    if now > begin + min(life, LONGEST):
        raise TokenRefused("the token has expired")


def _caller(account: str, key: str, session: str | None) -> Any:
    """moto's IAM user or role session that owns the key; None for the lab's own key."""
    if key == OWN_KEY and not session:
        return None
    headers = {"X-Amz-Security-Token": session} if session else {}
    try:
        caller = create_access_key(account, "aws", key, headers)
    except CreateAccessKeyFailure:
        raise TokenRefused(f"access key {key} is not known, or not with its session") from None
    sessions = sts_backends[account]["aws"].assumed_roles
    ends = [role.expiration for role in sessions if session and role.access_key_id == key]
    if ends and ends[0].replace(tzinfo=UTC) < datetime.now(UTC):
        raise TokenRefused(f"the role session of access key {key} has ended")
    return caller


def _check_permission(caller: Any, instance: Any, user: str) -> None:
    wanted = resource(instance, user)
    answers = {
        IAMPolicy(policy).is_action_permitted(ACTION, wanted)
        for policy in caller.collect_policies()
    }
    if PermissionResult.DENIED in answers or PermissionResult.PERMITTED not in answers:
        raise TokenRefused(f"{caller.arn} is not authorized to perform {ACTION} on {wanted}")
