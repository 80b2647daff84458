"""Aurora clusters: PostgreSQL runs on a cluster's data while it has a writer."""

import json

import psycopg
import pytest
from botocore.exceptions import ClientError
from data_api import CAPACITY, ENGINE, create_lake, wait
from live import client

PASSWORD = "battery-staple-9"
ORDER = {
    "DBClusterIdentifier": "other",
    "Engine": ENGINE,
    "MasterUsername": "owner",
    "MasterUserPassword": PASSWORD,
}
MEMBER = {
    "DBInstanceIdentifier": "second",
    "DBClusterIdentifier": "lake",
    "Engine": ENGINE,
    "DBInstanceClass": "db.serverless",
}


def described(rds, name="lake"):
    [cluster] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    return cluster


def connect(info, cluster, password, **changed):
    settings = {
        "host": cluster["Endpoint"],
        "port": cluster["Port"],
        "user": cluster["MasterUsername"],
        "password": password,
        "dbname": cluster["DatabaseName"],
        "sslmode": "verify-full",
        "sslrootcert": str(info.home / "rds" / "ca.pem"),
        "autocommit": True,
    }
    return psycopg.connect(**settings | changed)


def managed(info, cluster):
    secrets = client(info, "secretsmanager")
    text = secrets.get_secret_value(SecretId=cluster["MasterUserSecret"]["SecretArn"])
    return json.loads(text["SecretString"])["password"]


def test_a_cluster_with_a_writer_is_a_database_that_answers(cloud, lake):
    cluster = described(lake.rds)
    assert (cluster["Status"], cluster["HttpEndpointEnabled"]) == ("available", True)
    assert cluster["ServerlessV2ScalingConfiguration"] == CAPACITY
    assert [one["IsClusterWriter"] for one in cluster["DBClusterMembers"]] == [True]
    for address in (cluster["Endpoint"], cluster["ReaderEndpoint"]):
        with connect(cloud, cluster, managed(cloud, cluster), host=address) as connection:
            assert connection.execute("SHOW max_connections").fetchone() == ("450",)
    [writer] = lake.rds.describe_db_instances(DBInstanceIdentifier="lake-1")["DBInstances"]
    assert (writer["DBClusterIdentifier"], writer["Endpoint"]["Port"]) == ("lake", cluster["Port"])


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"DBClusterIdentifier": "LAKE"}, "DBClusterAlreadyExistsFault", "already exists"),
        ({"DBClusterIdentifier": "a--b"}, "InvalidParameterValue", "not a valid identifier"),
        ({"Engine": "aurora-mysql"}, "InvalidParameterValue", "really runs here is aurora-postgr"),
        ({"EngineMode": "serverless"}, "InvalidParameterCombination", "ServerlessV2Scaling"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "shorter than 8"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination", "MasterUserPassword"),
        ({"DatabaseName": "1st"}, "InvalidParameterValue", "DatabaseName must begin"),
        (
            {"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.7, "MaxCapacity": 2}},
            "InvalidParameterValue",
            "MinCapacity 0.7",
        ),
        (
            {"ServerlessV2ScalingConfiguration": {"MinCapacity": 4, "MaxCapacity": 2}},
            "InvalidParameterValue",
            "MaxCapacity 2",
        ),
    ],
)
def test_refused_clusters(lake, changed, code, said):
    before = len(lake.rds.describe_db_clusters()["DBClusters"])
    with pytest.raises(ClientError, match=said) as refused:
        lake.rds.create_db_cluster(**ORDER | changed)
    assert refused.value.response["Error"]["Code"] == code
    assert len(lake.rds.describe_db_clusters()["DBClusters"]) == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "does not run readers"),
        ({"DBClusterIdentifier": "nothing"}, "nothing not found"),
        ({"Engine": "postgres"}, "doesn't match the engine name"),
        ({"MasterUserPassword": PASSWORD}, "Set master user password for the DB Cluster"),
    ],
)
def test_refused_members(lake, changed, said):
    with pytest.raises(ClientError, match=said):
        lake.rds.create_db_instance(**MEMBER | changed)


def test_the_life_of_a_cluster(cloud):
    lake = create_lake(cloud, "brook")
    rds, cluster = lake.rds, described(lake.rds, "brook")
    lake.run("CREATE TABLE kept AS SELECT 42 AS answer")
    old = managed(cloud, cluster)

    # A new password, in the secret and in the database
    rds.modify_db_cluster(
        DBClusterIdentifier="brook", RotateMasterUserPassword=True, ApplyImmediately=True
    )
    wait(rds, "db_instance_available", DBInstanceIdentifier="brook-1")
    assert managed(cloud, cluster) != old
    assert lake.one("SELECT answer FROM kept") == ("longValue", 42)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cloud, cluster, old)

    # A stopped cluster does not answer, and a started one does
    with pytest.raises(ClientError, match="not eligible for stopping"):
        rds.stop_db_instance(DBInstanceIdentifier="brook-1")
    rds.stop_db_cluster(DBClusterIdentifier="brook")
    lake.refused("InvalidResourceStateException", "DbCluster brook is stop", sql="SELECT 1")
    wait_status(rds, "stopped")
    rds.start_db_cluster(DBClusterIdentifier="brook")
    wait(rds, "db_instance_available", DBInstanceIdentifier="brook-1")
    assert lake.one("SELECT answer FROM kept") == ("longValue", 42)

    # The data outlives its writer
    with pytest.raises(ClientError, match="still contains DB instances"):
        rds.delete_db_cluster(DBClusterIdentifier="brook", SkipFinalSnapshot=True)
    rds.delete_db_instance(DBInstanceIdentifier="brook-1")
    wait(rds, "db_instance_deleted", DBInstanceIdentifier="brook-1")
    lake.refused("DatabaseNotFoundException", "doesn't have a DB instance", sql="SELECT 1")
    rds.create_db_instance(
        **MEMBER
        | {"DBInstanceIdentifier": "brook-2", "DBClusterIdentifier": "brook"}
        | {"DBInstanceClass": "db.r6g.large"}
    )
    wait(rds, "db_instance_available", DBInstanceIdentifier="brook-2")
    assert lake.one("SELECT answer FROM kept") == ("longValue", 42)
    assert lake.one("SHOW max_connections") == ("stringValue", "1802")

    rds.modify_db_cluster(DBClusterIdentifier="brook", DeletionProtection=True)
    with pytest.raises(ClientError, match="Cannot delete protected Cluster"):
        rds.delete_db_cluster(DBClusterIdentifier="brook", SkipFinalSnapshot=True)
    rds.modify_db_cluster(DBClusterIdentifier="brook", DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier="brook-2")
    rds.delete_db_cluster(DBClusterIdentifier="brook", SkipFinalSnapshot=True)
    wait(rds, "db_cluster_deleted", DBClusterIdentifier="brook")
    assert not (cloud.home / "rds" / ".clusters" / "brook").exists()
    with pytest.raises(ClientError, match="can't find the specified secret"):
        managed(cloud, cluster)


def wait_status(rds, wanted):
    from live import wait_for

    def found():
        [one] = rds.describe_db_instances(DBInstanceIdentifier="brook-1")["DBInstances"]
        return one["DBInstanceStatus"] == wanted

    wait_for(found, f"brook-1 {wanted}")
