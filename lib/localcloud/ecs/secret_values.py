"""Secrets of a container definition: from Secrets Manager and from SSM parameters."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.failures import cannot_initialise
from localcloud.role_clients import Clients

PULL = "unable to pull secrets or registry auth: execution resource retrieval failed"
FROM_SECRETS_MANAGER = (
    f"{PULL}: unable to retrieve secret from asm: service call has been retried 1 time(s)"
)
FROM_SSM = f"{PULL}: unable to retrieve secrets from ssm: service call has been retried 1 time(s)"


def fetch(clients: Clients, role: str, wanted: list[dict[str, str]]) -> dict[str, str]:
    """Environment variables by name, read with the execution role's permissions.

    Raises TaskFailed with a ResourceInitializationError.
    """
    values: dict[str, str] = {}
    for secret in wanted:
        source = secret["valueFrom"]
        if source.startswith("arn:") and source.split(":")[2] == "secretsmanager":
            values[secret["name"]] = _from_secrets_manager(clients, role, source)
        else:
            values[secret["name"]] = _from_ssm(clients, role, source)
    return values


def _from_secrets_manager(clients: Clients, role: str, source: str) -> str:
    """``source`` is an ARN, with :json-key:version-stage:version-id behind it or not."""
    parts = source.split(":")
    arn = ":".join(parts[:7])
    key, stage, version, *_ = [*parts[7:], "", "", ""]
    choice: dict[str, Any] = {"VersionStage": stage} if stage else {}
    if version:
        choice["VersionId"] = version
    try:
        answer = clients.get("secretsmanager", role).get_secret_value(SecretId=arn, **choice)
    except (ClientError, BotoCoreError) as error:
        raise cannot_initialise(
            f"{FROM_SECRETS_MANAGER}: failed to fetch secret {arn} from secrets manager: "
            f"{_said(error)}"
        ) from None
    text = answer.get("SecretString", "")
    return _json_value(text, key, arn) if key else text


def _json_value(text: str, key: str, arn: str) -> str:
    try:
        values = json.loads(text)
        value = values[key]
    except (ValueError, KeyError, TypeError):
        raise cannot_initialise(
            f"{FROM_SECRETS_MANAGER}: retrieved secret from Secrets Manager did not contain json "
            f"key {key}: {arn}"
        ) from None
    return value if isinstance(value, str) else json.dumps(value)


def _from_ssm(clients: Clients, role: str, source: str) -> str:
    name = source
    if source.startswith("arn:"):
        name = source.split(":parameter", 1)[-1]
        name = name if name.count("/") > 1 else name.lstrip("/")
    try:
        answer = clients.get("ssm", role).get_parameters(Names=[name], WithDecryption=True)
    except (ClientError, BotoCoreError) as error:
        raise cannot_initialise(f"{FROM_SSM}: {_said(error)}") from None
    if not answer["Parameters"]:
        raise cannot_initialise(f"{FROM_SSM}: invalid parameters: {name}")
    return answer["Parameters"][0]["Value"]


def _said(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return str(error)
