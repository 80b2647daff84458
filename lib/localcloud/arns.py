"""Names of resources. The local cloud is one account in one region, moto's defaults."""

from __future__ import annotations

from moto.core import DEFAULT_ACCOUNT_ID

ACCOUNT = DEFAULT_ACCOUNT_ID
REGION = "us-east-1"
ZONE = "us-east-1a"
PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


def cluster_arn(name: str) -> str:
    return f"{PREFIX}:cluster/{name}"


def definition_arn(key: str) -> str:
    """``key`` is family:revision."""
    return f"{PREFIX}:task-definition/{key}"


def service_arn(cluster: str, name: str) -> str:
    return f"{PREFIX}:service/{cluster}/{name}"


def task_arn(cluster: str, task_id: str) -> str:
    return f"{PREFIX}:task/{cluster}/{task_id}"


def container_arn(cluster: str, task_id: str, container_id: str) -> str:
    return f"{PREFIX}:container/{cluster}/{task_id}/{container_id}"


def instance_arn(cluster: str, instance_id: str) -> str:
    return f"{PREFIX}:container-instance/{cluster}/{instance_id}"


def provider_arn(name: str) -> str:
    return f"{PREFIX}:capacity-provider/{name}"


def last_part(name_or_arn: str) -> str:
    """The short name: what follows the last slash of an ARN, or the name itself."""
    return name_or_arn.rsplit("/", 1)[-1]
