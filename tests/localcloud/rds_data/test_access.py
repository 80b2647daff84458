"""Who may ask what: the endpoint, the secret, the rights of a role."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from live import client

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
    ],
}


def test_only_aurora_with_the_endpoint_enabled(lake):
    for arn in (
        f"arn:aws:rds:us-east-1:{ACCOUNT}:cluster:nothing",
        f"arn:aws:rds:us-east-1:{ACCOUNT}:db:lake-1",
    ):
        lake.refused(
            "HttpEndpointNotEnabledException",
            f"HttpEndpoint is not enabled for resource {arn}",
            sql="SELECT 1",
            resourceArn=arn,
        )
    lake.rds.disable_http_endpoint(ResourceArn=lake.arn)
    lake.refused("HttpEndpointNotEnabledException", lake.arn, sql="SELECT 1")
    assert lake.rds.enable_http_endpoint(ResourceArn=lake.arn)["HttpEndpointEnabled"] is True
    assert lake.one("SELECT 1") == ("longValue", 1)
    with pytest.raises(ClientError, match="not found"):
        lake.rds.enable_http_endpoint(ResourceArn=f"{lake.arn}-x")


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        (None, "SecretsErrorException", "can't find the specified secret"),
        ("no JSON", "InvalidSecretException", "username and password"),
        ('{"username": "owner"}', "InvalidSecretException", "username and password"),
        (
            '{"username": "owner", "password": "wrong"}',
            "DatabaseErrorException",
            'FATAL: password authentication failed for user "owner"; SQLState: 28P01',
        ),
    ],
)
def test_secrets_that_do_not_open_the_door(cloud, lake, value, code, said):
    arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:none-AbCdEf"
    secrets = client(cloud, "secretsmanager")
    if value:
        arn = secrets.create_secret(Name=f"bad-{abs(hash(value))}", SecretString=value)["ARN"]
    lake.refused(code, said, sql="SELECT 1", secretArn=arn)
    if value:
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def test_statements_run_as_the_user_of_the_secret(cloud, lake):
    lake.run("CREATE TABLE mine (n int)")
    lake.run("CREATE ROLE reader LOGIN PASSWORD 'only-reading-1'")
    secrets = client(cloud, "secretsmanager")
    value = json.dumps({"username": "reader", "password": "only-reading-1"})
    arn = secrets.create_secret(Name="reader", SecretString=value)["ARN"]
    assert lake.one("SELECT current_user", secretArn=arn) == ("stringValue", "reader")
    refused = {"sql": "SELECT * FROM mine", "secretArn": arn}
    lake.refused("DatabaseErrorException", "permission denied for table mine", **refused)
    name = lake.data.begin_transaction(**lake.at)["transactionId"]
    lake.refused(
        "BadRequestException", "another resourceArn or secretArn", **refused, transactionId=name
    )
    lake.data.rollback_transaction(**lake.at, transactionId=name)
    lake.refused(
        "DatabaseErrorException", 'database "none" does not exist; SQLState: 3D000',
        sql="SELECT 1", database="none",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "lacks"),
    [
        (["rds-data:ExecuteStatement", "secretsmanager:GetSecretValue"], None),
        (["rds-data:ExecuteStatement"], "secretsmanager:GetSecretValue"),
        (["secretsmanager:GetSecretValue"], "rds-data:ExecuteStatement"),
    ],
)
def test_a_role_needs_both_permissions(cloud, lake, actions, lacks):
    iam = client(cloud, "iam")
    name = f"caller-{len(actions)}-{actions[0].partition(':')[0]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action in actions
        for resource in [lake.arn if action.startswith("rds-data") else lake.secret]
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    keys = client(cloud, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="caller")[
        "Credentials"
    ]
    data = boto3.client(
        "rds-data",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    if lacks is None:
        assert data.execute_statement(**lake.at, sql="SELECT 1")["records"]
        with pytest.raises(ClientError, match="perform: rds-data:BeginTransaction"):
            data.begin_transaction(**lake.at)
        return
    with pytest.raises(data.exceptions.AccessDeniedException) as refused:
        data.execute_statement(**lake.at, sql="SELECT 1")
    assert f"is not authorized to perform: {lacks}" in str(refused.value)
