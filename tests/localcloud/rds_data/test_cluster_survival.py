"""A cluster, its data and its HTTP endpoint outlive the local cloud's server, however it ends."""

import pytest
from data_api import CAPACITY, Lake, create_lake, wait
from live import client, kill, processes_of, temporary_home

from drydock import cloud as local_cloud


def again(home, lake):
    """Start another server on this home; the same cluster, seen through it."""
    info = local_cloud.start(home, port=0)
    rds = client(info, "rds")
    wait(rds, "db_instance_available", DBInstanceIdentifier="kept-1")
    return info, Lake(rds, client(info, "rds-data"), lake.arn, lake.secret)


@pytest.mark.slow
def test_stopped_and_killed():
    with temporary_home() as home:
        info = local_cloud.start(home, port=0)
        lake = create_lake(info, "kept")
        lake.run("CREATE TABLE rows AS SELECT 1 AS n")
        name = lake.data.begin_transaction(**lake.at)["transactionId"]
        lake.run("INSERT INTO rows VALUES (2)", transactionId=name)
        local_cloud.stop(home)
        assert processes_of(home) == []

        info, lake = again(home, lake)
        # What was not committed is not there, and nobody holds it open
        assert lake.one("SELECT count(*) FROM rows") == ("longValue", 1)
        lake.refused(
            "TransactionNotFoundException", "is not found", sql="SELECT 1", transactionId=name
        )
        lake.run("INSERT INTO rows VALUES (3)")
        kill(info)

        info, lake = again(home, lake)
        assert lake.one("SELECT count(*) FROM rows") == ("longValue", 2)
        [cluster] = lake.rds.describe_db_clusters()["DBClusters"]
        assert cluster["HttpEndpointEnabled"] is True
        assert cluster["ServerlessV2ScalingConfiguration"] == CAPACITY
        [writer] = lake.rds.describe_db_instances()["DBInstances"]
        assert writer["Endpoint"]["Port"] == cluster["Port"]
        local_cloud.stop(home)
        assert processes_of(home) == []
