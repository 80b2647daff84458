"""Where a call goes: the cluster of its resourceArn, as the user of its secretArn."""

from __future__ import annotations

import json
from typing import Any

from moto.rds.models import rds_backends
from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.models import secretsmanager_backends

from localcloud.rds.clusters import Cluster, Member, writer
from localcloud.rds.instances import Instances
from localcloud.rds_data.errors import DataApiError
from localcloud.rds_data.sessions import Login

BURSTABLE = "db.t"


def cluster_of(account: str, region: str, arn: str) -> tuple[Cluster, Member]:
    """The cluster, whose endpoint is enabled, and its writer, which is available."""
    clusters = rds_backends[account][region].clusters.values()
    cluster = next((held for held in clusters if held.db_cluster_arn == arn), None)
    held = writer(cluster) if cluster else None
    burstable = held is not None and held.db_instance_class.startswith(BURSTABLE)
    if cluster is None or not cluster.http_endpoint_enabled or burstable:
        raise DataApiError(
            "HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for resource {arn}"
        )
    if held is None:
        raise DataApiError("DatabaseNotFoundException", "The DB cluster doesn't have a DB instance")
    if held.status in ("stopping", "stopped"):
        raise DataApiError(
            "InvalidResourceStateException",
            f"DbCluster {cluster.db_cluster_identifier} is {held.status}",
        )
    if held.status != "available":
        raise DataApiError(
            "DatabaseUnavailableException",
            f"The writer instance {held.db_instance_identifier} isn't available: {held.status}",
        )
    return cluster, held


def login(
    instances: Instances, cluster: Cluster, held: Member, secret: str, database: str | None
) -> Login:
    """Without a database: the cluster's own, or postgres if it has none."""
    user, password = _credentials(cluster, secret)
    return Login(
        port=instances.keeper(held).postgres.own_port,
        database=database or cluster.database_name or "postgres",
        user=user,
        password=password,
    )


def _credentials(cluster: Cluster, arn: str) -> tuple[str, str]:
    backend: Any = secretsmanager_backends[cluster.account_id][cluster.region]
    try:
        text = backend.get_secret_value(arn, None, "AWSCURRENT").get("SecretString")
    except SecretsManagerClientError as error:
        raise DataApiError(
            "SecretsErrorException", f"Error fetching secret {arn}: {error.message}"
        ) from None
    try:
        values = json.loads(text or "")
        return str(values["username"]), str(values["password"])
    except (ValueError, KeyError, TypeError):
        raise DataApiError(
            "InvalidSecretException",
            f"The secret {arn} must be JSON with the keys username and password.",
        ) from None
