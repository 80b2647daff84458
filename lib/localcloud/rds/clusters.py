"""Aurora PostgreSQL clusters: what moto records of each, with what is true of one that runs.

As on AWS a cluster is the data and its settings; PostgreSQL runs on that data while the cluster
has its writer, a DB instance with DBClusterIdentifier.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import moto.rds.models as moto_rds

from localcloud.authority import ADDRESS
from localcloud.rds import classes
from localcloud.rds.checks import not_here
from localcloud.rds.records import Instance

ENGINE = "aurora-postgresql"
SERVERLESS = "db.serverless"
LIMITS = Path(__file__).parents[3] / "data" / "aurora.json"


@cache
def limits() -> dict[str, Any]:
    return json.loads(LIMITS.read_text())


class Cluster(moto_rds.DBCluster):
    """moto's record of a DB cluster, with the address where its writer listens."""

    # One PostgreSQL answers at both, as on AWS while a cluster has no reader.
    endpoint = reader_endpoint = ADDRESS
    # moto allows it for Serverless v1 only.
    enable_http_endpoint = False
    scaling_configuration_info = None

    @property
    def master_user_password(self) -> str:
        raise NotImplementedError

    @master_user_password.setter
    def master_user_password(self, value: str) -> None:
        """A password is never kept."""

    @property
    def port(self) -> int:
        """Where the writer really listens, or will."""
        held = writer(self)
        return held.port if held else self._port

    @port.setter
    def port(self, value: int) -> None:
        self._port = value

    @property
    def serverless_v2_scaling_configuration(self) -> dict[str, float] | None:
        return getattr(self, "_capacity", None)

    @serverless_v2_scaling_configuration.setter
    def serverless_v2_scaling_configuration(self, value: Any) -> None:
        self._capacity = dict(value) if value else None

    def save_automated_backup(self) -> None:
        """There is none: moto would record a snapshot that cannot be restored."""


class Member(Instance, moto_rds.DBInstanceClustered):
    """The writer of a cluster. The data is the cluster's, and stays when the writer goes."""

    keeps_data = True

    def max_connections(self) -> int:
        if self.db_instance_class != SERVERLESS:
            return super().max_connections()
        numbers = limits()["serverless_v2"]
        least, most = capacity(self.cluster)
        memory = int(most * numbers["gib_per_acu"]) * 1024**3
        allowed = classes.connections_of(memory)
        if least <= numbers["step_acu"]:
            allowed = min(allowed, numbers["max_connections_up_to_half_an_acu"])
        return allowed

    @classmethod
    def create_from_cloudformation_json(cls, *args: Any, **kwargs: Any) -> None:
        raise not_here("DB clusters in CloudFormation templates", "use create_db_cluster")


def capacity(cluster: Cluster) -> tuple[float, float]:
    """The least and the most Aurora capacity units of an instance of the cluster."""
    given = {name.lower(): value for name, value in (cluster._capacity or {}).items()}
    least = given.get("mincapacity", given.get("min_capacity"))
    most = given.get("maxcapacity", given.get("max_capacity"))
    return float(least), float(most)


def writer(cluster: Cluster) -> Member | None:
    return next(iter(cluster._members), None)
