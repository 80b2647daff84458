"""Whether a role's trust policy lets a service assume it."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from localcloud import arns


def role_trusts(arn: str, service: str) -> bool:
    """Whether there is such a role, and a statement allows ``service`` sts:AssumeRole and none
    denies it."""
    roles = iam_backends[arns.ACCOUNT]["aws"].roles.values()
    role = next((role for role in roles if role.arn == arn), None)
    return role is not None and trusts(role.assume_role_policy_document, service)


def trusts(document: str | dict[str, Any], service: str) -> bool:
    """What the policy says, conditions left aside."""
    policy = json.loads(document) if isinstance(document, str) else document
    effects = {
        statement.get("Effect")
        for statement in _list(policy.get("Statement", []))
        if _names(statement, service)
    }
    return effects == {"Allow"}


def _names(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    services = _list(principal.get("Service", []) if isinstance(principal, dict) else principal)
    actions = _list(statement.get("Action", []))
    return bool({service, "*"} & set(services)) and bool(
        {"sts:AssumeRole", "sts:*", "*"} & set(actions)
    )


def _list(value: Any) -> list:
    return value if isinstance(value, list) else [value]
