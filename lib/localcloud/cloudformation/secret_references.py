"""Dynamic references: {{resolve:secretsmanager:…}} and {{resolve:ssm:…}} in properties.

They are resolved for the one call that needs them and kept nowhere.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from localcloud.cloudformation.errors import ResourceFailed

REFERENCE = re.compile(r"\{\{resolve:(secretsmanager|ssm|ssm-secure):([^{}]+)\}\}")
ARN_PARTS = 7


def resolved(value: Any, client: Callable[[str], Any]) -> Any:
    """``value`` with every reference replaced. Raises ClientError, ResourceFailed."""
    if isinstance(value, dict):
        return {key: resolved(one, client) for key, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, client) for one in value]
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: _value(match[1], match[2], client), value)
    return value


def _value(kind: str, text: str, client: Callable[[str], Any]) -> str:
    if kind != "secretsmanager":
        name = text.split(":")[0]
        answer = client("ssm").get_parameter(Name=name, WithDecryption=kind == "ssm-secure")
        return answer["Parameter"]["Value"]
    parts = text.split(":")
    cut = ARN_PARTS if text.startswith("arn:") else 1
    secret, rest = ":".join(parts[:cut]), [*parts[cut:], "", "", "", ""]
    version = {"VersionStage": rest[2]} if rest[2] else {"VersionId": rest[3]} if rest[3] else {}
    found = client("secretsmanager").get_secret_value(SecretId=secret, **version)["SecretString"]
    if not rest[1]:
        return found
    try:
        return str(json.loads(found)[rest[1]])
    except (ValueError, KeyError, TypeError):
        raise ResourceFailed(
            f"Could not find a value associated with JSONKey {rest[1]} in SecretString of {secret}"
        ) from None
