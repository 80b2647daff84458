"""RDS Data API by the AWS CLI, as the Aurora User Guide types it."""

import json

import pytest
from test_aws_cli import aws  # noqa: F401

pytestmark = pytest.mark.slow


def test_a_statement_on_a_new_cluster(aws, cloud):  # noqa: F811
    # This one service of the CLI does not look at AWS_ENDPOINT_URL.
    at = ("--endpoint-url", cloud.endpoint)
    name = ("--db-cluster-identifier", "typed")
    made = aws(
        *("rds", "create-db-cluster", *at, *name, "--engine", "aurora-postgresql"),
        *("--master-username", "owner", "--manage-master-user-password"),
        *("--enable-http-endpoint", "--database-name", "flights"),
        *("--serverless-v2-scaling-configuration", "MinCapacity=0.5,MaxCapacity=1"),
    )["DBCluster"]
    member = ("--db-instance-identifier", "typed-1")
    aws(
        *("rds", "create-db-instance", *at, *member, *name, "--engine", "aurora-postgresql"),
        *("--db-instance-class", "db.serverless"),
    )
    aws("rds", "wait", "db-instance-available", *at, *member)
    where = ("--resource-arn", made["DBClusterArn"])
    where += ("--secret-arn", made["MasterUserSecret"]["SecretArn"])
    parameters = [
        {"name": "carrier", "value": {"stringValue": "UA"}},
        {"name": "day", "value": {"stringValue": "2013-01-31"}, "typeHint": "DATE"},
    ]
    sql = "SELECT :carrier AS carrier, :day + 1 AS next, current_database() AS place"
    asked = ("rds-data", "execute-statement", *where, "--sql", sql)
    found = aws(*asked, "--parameters", json.dumps(parameters), "--format-records-as", "JSON")
    assert json.loads(found["formattedRecords"]) == [
        {"carrier": "UA", "next": "2013-02-01", "place": "flights"}
    ]
    refused = aws(
        "rds-data", "execute-statement", *where, "--sql", "SELECT 1; SELECT 2", fails=True
    )
    assert "(ValidationException)" in str(refused)
    aws("rds", "delete-db-instance", *at, *member)
    aws("rds", "delete-db-cluster", *at, *name, "--skip-final-snapshot")
