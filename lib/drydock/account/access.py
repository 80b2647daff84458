"""The way into an account: credentials, region, and every refusal as one line."""

import ipaddress
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from drydock.errors import DrydockError, WrongInput
from drydock.model import prices

LONGEST = 300  # characters of AWS's own words; what it encodes for administrators is longer
LOCAL_KEYS = {"aws_access_key_id": "drydock", "aws_secret_access_key": "drydock"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN_KEYS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidToken",
}
NO_KEYS = (
    botocore_errors.NoCredentialsError,
    botocore_errors.PartialCredentialsError,
    botocore_errors.CredentialRetrievalError,
    botocore_errors.ProfileNotFound,
    botocore_errors.ConfigParseError,
)
# Each way that AWS has to say no, found in an error's code and words or in a stack's events.
POLICY = re.compile(r"explicit deny in a (service|resource) control policy|with an explicit deny")
DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|not authorized|no permission", re.I)
QUOTA = re.compile(r"LimitExceeded|Quota|limit (has been|was) (exceeded|reached)|maximum number of")


class AccountError(DrydockError):
    """Why an AWS account cannot be used, or what is left in it, in one line."""


@dataclass(frozen=True)
class Account:
    """An AWS account to work in; or, with an `endpoint`, a cloud that stands for one."""

    session: boto3.Session
    endpoint: str | None = None

    @property
    def region(self) -> str:
        return self.session.region_name

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return bool(self.endpoint) and is_loopback(self.endpoint)

    def client(self, service: str):
        """Return a boto3 client of the account."""
        config = Config(
            retries={"mode": "standard", "max_attempts": 4},
            proxies={} if self.local else None,
            user_agent_extra="drydock",
        )
        return self.session.client(service, endpoint_url=self.endpoint, config=config)

    @cached_property
    def id(self) -> str:
        """The twelve digits of the account, as STS tells them."""
        return self.client("sts").get_caller_identity()["Account"]

    def __str__(self) -> str:
        where = f"at {self.endpoint}" if self.endpoint else "on AWS"
        return f"account {self.id}, {self.region}, {where}"


def is_loopback(endpoint: str) -> bool:
    """Whether an address is one of this machine's own."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_account(region: str | None = None, endpoint: str | None = None) -> Account:
    """Return the account of the usual AWS credentials, once AWS has said that they are good.

    A cloud on this machine, by `endpoint` or AWS_ENDPOINT_URL, is never shown keys of an account.
    AccountError and WrongInput are one line with what to type.
    """
    endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise WrongInput(f"{endpoint!r} is no address: type --endpoint http://127.0.0.1:5566")
    with one_line():
        if endpoint and is_loopback(endpoint):
            wanted = region or os.environ.get("AWS_REGION") or prices.region()
            session = boto3.Session(region_name=_known(wanted), **LOCAL_KEYS)
        else:
            own = boto3.Session()
            wanted = region or own.region_name or prices.region()
            session = boto3.Session(region_name=_known(wanted))
            if session.get_credentials() is None:
                raise botocore_errors.NoCredentialsError
        account = Account(session, endpoint)
        account.id  # noqa: B018  (the first call: it fails here or not at all)
    return account


def _known(region: str) -> str:
    """The region, if it is the one that data/prices.json is for; WrongInput otherwise."""
    if region != prices.region():
        raise WrongInput(
            f"what the lab costs is known for {prices.region()}, not for {region}: "
            f"add --region {prices.region()}"
        )
    return region


@contextmanager
def one_line() -> Iterator[None]:
    """Turn what AWS, the network or a credentials file refuses into an AccountError."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise AccountError(refusal(error)) from None


def refusal(error: Exception) -> str:
    """Return one line on an error of boto3's: what was refused, and what to type next."""
    if isinstance(error, NO_KEYS):
        return f"no AWS credentials ({_short(str(error))}); type: aws configure, or: aws sso login"
    if not isinstance(error, ClientError):
        if "Token" in type(error).__name__ or "SSO" in type(error).__name__:
            return "the AWS session has expired; type: aws sso login"
        return f"AWS cannot be reached ({_short(str(error))}); see: aws sts get-caller-identity"
    code = error.response.get("Error", {}).get("Code", "")
    words = error.response.get("Error", {}).get("Message", "")
    if code in EXPIRED:
        return "the AWS session has expired; type: aws sso login, or: aws configure"
    if code in UNKNOWN_KEYS:
        return f"AWS refuses these credentials ({code}); type: aws configure"
    if code == "OptInRequired":
        return "this account is not ready for the service; see https://console.aws.amazon.com"
    return in_the_way(f"{code}: {words}")


def in_the_way(words: str) -> str:
    """Return one line on a reason that AWS gives, in an error or in a stack's event."""
    said = _short(words)
    if POLICY.search(words):
        return (
            f"a policy of the organisation forbids it ({said}); "
            "ask its administrators, or use another account: export AWS_PROFILE=..."
        )
    if DENIED.search(words):
        return f"these credentials may not do it ({said}); use others: export AWS_PROFILE=..."
    if QUOTA.search(words):
        return (
            f"a quota of the account is in the way ({said}); remove what you no longer use, or ask "
            "for more: https://console.aws.amazon.com/servicequotas"
        )
    return said


def _short(words: str) -> str:
    """AWS's words on one line, without what is encoded for its administrators."""
    line = " ".join(words.split("Encoded authorization failure message")[0].split()).strip(" .")
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
