"""IAM roles that EKS takes: whom they must trust."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from moto.core.exceptions import ServiceException
from moto.eks.exceptions import InvalidParameterException
from moto.iam.models import iam_backends
from werkzeug.exceptions import HTTPException

from localcloud import arns

PODS = "pods.eks.amazonaws.com"


def statements(role_arn: str) -> list[dict[str, Any]] | None:
    """Of the role's trust policy; None if there is no such role."""
    with suppress(ServiceException, HTTPException):
        role = iam_backends[arns.ACCOUNT]["aws"].get_role_by_arn(role_arn)
        document = role.assume_role_policy_document
        policy = json.loads(document) if isinstance(document, str) else document
        found = policy.get("Statement", [])
        return found if isinstance(found, list) else [found]
    return None


def check(role_arn: str | None, service: str) -> None:
    """Raise EKS's error unless the role exists and trusts the service."""
    found = statements(role_arn or "")
    if found is None:
        raise InvalidParameterException(
            message=f"The role with name {(role_arn or '').rpartition('/')[2]} cannot be found."
        )
    for statement in found:
        principal = statement.get("Principal", {})
        trusted = principal.get("Service", []) if isinstance(principal, dict) else [principal]
        trusted = [trusted] if isinstance(trusted, str) else trusted
        if statement.get("Effect") == "Allow" and {service, "*"} & set(trusted):
            return
    if service == PODS:
        words = (
            "Trust policy of the role provided must allow pods.eks.amazonaws.com to "
            "sts:AssumeRole and sts:TagSession."
        )
        raise InvalidParameterException(message=words)
    raise InvalidParameterException(
        message=f"The trust policy of role {role_arn} does not allow {service} to assume it."
    )
