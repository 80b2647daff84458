"""Who asks: its rights are what a stack's resources are made with."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud import arns
from localcloud.cloudformation.errors import ValidationError
from localcloud.role_clients import CLIENT_CONFIG, Clients

TOKEN = "X-Amz-Security-Token"
KEY = re.compile(r"Credential=([^/,\s]+)/")
ADDRESSES = (
    re.compile(r"https?://(?P<bucket>[a-z0-9.-]+)\.s3[.-][^/]*amazonaws\.com/(?P<key>[^?]+)"),
    re.compile(r"https?://[^/]+/(?P<bucket>[^/]+)/(?P<key>[^?]+)"),
)


def client(response: Any, clients: Clients, role: str | None) -> Callable[[str], Any]:
    """A function that gives a boto3 client of a service: as the stack's role, or as the caller."""
    if role:
        return lambda service: clients.get(service, role)
    token = response.headers.get(TOKEN)
    key = KEY.search(response.headers.get("Authorization") or "")
    if not token or not key:
        return clients.get
    return _as_session(key[1], token, clients.endpoint)


def _as_session(key: str, token: str, endpoint: str) -> Callable[[str], Any]:
    """Clients with a role session's key. The local cloud does not check signatures."""
    session = boto3.session.Session()
    made: dict[str, Any] = {}

    def get(service: str) -> Any:
        if service not in made:
            made[service] = session.client(
                service,
                region_name=arns.REGION,
                endpoint_url=endpoint,
                config=CLIENT_CONFIG,
                aws_access_key_id=key,
                aws_secret_access_key="of the caller",
                aws_session_token=token,
            )
        return made[service]

    return get


def template_at(url: str, client: Callable[[str], Any]) -> str:
    """The template that a TemplateURL names. Raises ValidationError."""
    for address in ADDRESSES:
        if found := address.fullmatch(url):
            break
    else:
        raise ValidationError("TemplateURL must be a supported URL.")
    try:
        return (
            client("s3")
            .get_object(Bucket=found["bucket"], Key=found["key"])["Body"]
            .read()
            .decode()
        )
    except ClientError as error:
        why = error.response["Error"].get("Message")
        raise ValidationError(f"S3 error: {why}: {url}") from None
