"""What the tests of the Data API share: a cluster, calls of it, and what is refused."""

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from live import client

ENGINE = "aurora-postgresql"
CAPACITY = {"MinCapacity": 0.5, "MaxCapacity": 2}


@dataclass
class Lake:
    """A cluster, seen through the Data API."""

    rds: Any
    data: Any
    arn: str
    secret: str

    @property
    def at(self) -> dict[str, str]:
        return {"resourceArn": self.arn, "secretArn": self.secret}

    def run(self, sql: str, **options: Any) -> dict[str, Any]:
        answer = self.data.execute_statement(**self.at | {"sql": sql} | options)
        answer.pop("ResponseMetadata")
        return answer

    def one(self, sql: str, *parameters: dict, **options: Any) -> Any:
        """The only field of the only record, as (member, value)."""
        answer = self.run(sql, parameters=list(parameters), **options)
        [[field]] = answer["records"]
        return next(iter(field.items()))

    def refused(self, code: str, said: str, call: str = "execute_statement", **options) -> None:
        with pytest.raises(ClientError) as error:
            getattr(self.data, call)(**self.at | options)
        answer = error.value.response["Error"]
        assert (answer["Code"], said in answer["Message"]) == (code, True), answer


def parameter(name: str, hint: str | None = None, **value: Any) -> dict[str, Any]:
    return {"name": name, "value": value} | ({"typeHint": hint} if hint else {})


def create_lake(info, name: str, **changed: Any) -> Lake:
    rds = client(info, "rds")
    wanted = {
        "DBClusterIdentifier": name,
        "Engine": ENGINE,
        "MasterUsername": "owner",
        "ManageMasterUserPassword": True,
        "DatabaseName": "flights",
        "EnableHttpEndpoint": True,
        "ServerlessV2ScalingConfiguration": CAPACITY,
    }
    rds.create_db_cluster(**wanted | changed)
    wait(rds, "db_cluster_available", DBClusterIdentifier=name)
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-1",
        DBClusterIdentifier=name,
        Engine=ENGINE,
        DBInstanceClass="db.serverless",
    )
    wait(rds, "db_instance_available", DBInstanceIdentifier=f"{name}-1")
    [cluster] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    secret = cluster.get("MasterUserSecret", {}).get("SecretArn", "")
    return Lake(rds, client(info, "rds-data"), cluster["DBClusterArn"], secret)


def wait(rds, waiter: str, **names: str) -> None:
    rds.get_waiter(waiter).wait(**names, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
