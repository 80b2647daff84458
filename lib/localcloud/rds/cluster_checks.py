"""What RDS refuses about Aurora clusters, in its codes and, where known, its words."""

from __future__ import annotations

import re
from typing import Any

from moto.rds.exceptions import (
    InvalidDBClusterStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
)

from localcloud.rds.checks import check_class, check_master, check_version, not_here
from localcloud.rds.clusters import ENGINE, SERVERLESS, Cluster, limits

IDENTIFIER = r"[a-zA-Z](?:-?[a-zA-Z0-9]){0,62}"
OF_THE_CLUSTER = {
    "MasterUsername": "Set master user name for the DB Cluster.",
    "MasterUserPassword": "Set master user password for the DB Cluster.",
    "ManageMasterUserPassword": "Set master user password for the DB Cluster.",
    "DBName": "Set database name for the DB Cluster.",
    "AllocatedStorage": "Set allocated storage for the DB Cluster.",
}


def check_cluster(wanted: dict[str, Any]) -> None:
    if wanted["Engine"] != ENGINE:
        raise InvalidParameterValue(
            f"Engine {wanted['Engine']} does not run on the local cloud: the cluster engine that "
            f"really runs here is {ENGINE}"
        )
    if not re.fullmatch(IDENTIFIER, wanted["DBClusterIdentifier"]):
        raise InvalidParameterValue(
            "The parameter DBClusterIdentifier is not a valid identifier. Identifiers must begin "
            "with a letter; must contain only ASCII letters, digits, and hyphens; and must not end "
            "with a hyphen or contain two consecutive hyphens."
        )
    if wanted.get("EngineMode", "provisioned") != "provisioned":
        raise not_here(
            f"engine mode {wanted['EngineMode']}", "use ServerlessV2ScalingConfiguration"
        )
    for name, what in {
        "DBClusterParameterGroupName": "parameter groups of a cluster",
        "DBSubnetGroupName": "subnet groups of a cluster",
        "GlobalClusterIdentifier": "global clusters",
        "ReplicationSourceIdentifier": "replicas of a cluster",
        "EnableIAMDatabaseAuthentication": "IAM database authentication in clusters",
    }.items():
        if wanted.get(name):
            raise not_here(what, f"leave out {name}")
    check_version(wanted.get("EngineVersion"))
    check_master(wanted, wanted.get("DatabaseName"), "DatabaseName")
    check_capacity(wanted.get("ServerlessV2ScalingConfiguration"))


def check_capacity(wanted: Any) -> None:
    """Raise unless the range of Aurora capacity units is one."""
    if not wanted:
        return
    numbers = limits()["serverless_v2"]
    least, most = wanted.get("MinCapacity"), wanted.get("MaxCapacity")
    if least is None or most is None:
        raise InvalidParameterValue(
            "ServerlessV2ScalingConfiguration needs both MinCapacity and MaxCapacity."
        )
    for name, value in (("MinCapacity", least), ("MaxCapacity", most)):
        fits = numbers["least_acu"] <= value <= numbers["most_acu"]
        if not fits or value % numbers["step_acu"]:
            raise InvalidParameterValue(
                f"{name} {value} is not valid: Aurora capacity units go from "
                f"{numbers['least_acu']} to {numbers['most_acu']} in steps of {numbers['step_acu']}"
            )
    if most < least or most < 1:
        raise InvalidParameterValue(
            f"MaxCapacity {most} must be at least 1 and not below MinCapacity {least}"
        )


def check_member(wanted: dict[str, Any], cluster: Cluster) -> None:
    if wanted["Engine"] != cluster.engine:
        raise InvalidParameterCombination(
            f"The engine name requested for your DB instance ({wanted['Engine']}) doesn't match "
            f"the engine name of your DB cluster ({cluster.engine})."
        )
    for name, instead in OF_THE_CLUSTER.items():
        if wanted.get(name):
            raise InvalidParameterCombination(
                f"The requested DB Instance will be a member of a DB Cluster. {instead}"
            )
    if cluster._members:
        raise not_here("readers", "the writer answers at the reader endpoint, too")
    _check_member_class(wanted["DBInstanceClass"], cluster)


def check_member_change(changes: Any, cluster: Cluster) -> None:
    for name in (*OF_THE_CLUSTER, "RotateMasterUserPassword", "VpcSecurityGroupIds"):
        if changes.get(name):
            raise InvalidParameterCombination(
                f"{name} cannot be changed for a member of a DB Cluster: use modify_db_cluster"
            )
    if changes.get("DBInstanceClass"):
        _check_member_class(changes["DBInstanceClass"], cluster)


def _check_member_class(name: str, cluster: Cluster) -> None:
    if name != SERVERLESS:
        check_class(name)
    elif not cluster.serverless_v2_scaling_configuration:
        raise InvalidDBClusterStateFault(
            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating "
            "a Serverless v2 DB instance."
        )
