"""The resource types that templates can have, a module for each service."""

from __future__ import annotations

from localcloud.cloudformation.kinds import (
    ec2,
    ecs,
    eks,
    functions,
    http_api,
    iam,
    nested,
    rds,
    rest_api,
    s3,
    secrets,
    security_groups,
    stores,
    topics,
)
from localcloud.cloudformation.kinds.base import Kind
from localcloud.cloudformation.kinds.recorded import recorded

MODULES = (ec2, ecs, eks, functions, http_api, iam, nested, rds, rest_api, s3, secrets)
MODULES += (security_groups, stores, topics)
KINDS: dict[str, Kind] = {kind.type: kind for module in MODULES for kind in module.KINDS}


def kind_of(name: str) -> Kind | None:
    """What makes resources of a type; None for a type that nothing here makes."""
    return KINDS.get(name) or recorded(name)
