"""A stack of an ECS cluster and a database: made, described, deleted, and rolled back."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError
from live import client, wait_for

DATABASE = {
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": "20",
    "DBName": "lookup",
    "MasterUsername": "drydock_admin",
    "ManageMasterUserPassword": True,
}
TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Description: A cluster and a database
Parameters:
  Class: {Type: String, Default: db.t4g.micro}
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
    Properties:
      ClusterName: !Sub '${AWS::StackName}-cluster'
      ClusterSettings: [{Name: containerInsights, Value: enabled}]
      Tags: [{Key: of, Value: !GetAtt Database.DbiResourceId}]
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
      DBInstanceClass: !Ref Class
      AllocatedStorage: '20'
      DBName: lookup
      MasterUsername: drydock_admin
      ManageMasterUserPassword: true
Outputs:
  Cluster: {Value: !Ref Cluster}
  Arn: {Value: !GetAtt Cluster.Arn, Export: {Name: !Sub '${AWS::StackName}-arn'}}
  Address:
    Description: Where the database listens
    Value: !Sub '${Database.Endpoint.Address}:${Database.Endpoint.Port}'
"""


@pytest.fixture
def stacks(cloud):
    return client(cloud, "cloudformation")


@pytest.fixture
def name(stacks):
    made = f"s{uuid.uuid4().hex[:8]}"
    yield made
    stacks.delete_stack(StackName=made)
    wait_for(lambda: gone(stacks, made), "its deletion")


def gone(stacks, name):
    try:
        stacks.describe_stacks(StackName=name)
    except ClientError:
        return True
    return False


def ended(stacks, name):
    def settled():
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        return stack if not stack["StackStatus"].endswith("IN_PROGRESS") else None

    return wait_for(settled, "the stack", 60)


def test_a_cluster_and_a_database(cloud, stacks, name):
    tags = [{"Key": "by", "Value": "me"}]
    made = stacks.create_stack(StackName=name, TemplateBody=TEMPLATE, Tags=tags)
    stack = ended(stacks, name)
    assert (stack["StackStatus"], stack["StackId"]) == ("CREATE_COMPLETE", made["StackId"])
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    cluster = client(cloud, "ecs").describe_clusters(
        clusters=[outputs["Cluster"]], include=["TAGS", "SETTINGS"]
    )["clusters"][0]
    resources = stacks.describe_stack_resources(StackName=name)["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}
    found = client(cloud, "rds").describe_db_instances(DBInstanceIdentifier=ids["Database"])
    database = found["DBInstances"][0]
    assert cluster["clusterArn"] == outputs["Arn"]
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    tags = {tag["key"]: tag["value"] for tag in cluster["tags"]}
    assert tags == {"by": "me", "of": database["DbiResourceId"]}
    assert database["TagList"] == [{"Key": "by", "Value": "me"}]
    endpoint = database["Endpoint"]
    assert outputs["Address"] == f"{endpoint['Address']}:{endpoint['Port']}"
    events = stacks.describe_stack_events(StackName=name)["StackEvents"][::-1]
    order = [(one["LogicalResourceId"], one["ResourceStatus"]) for one in events]
    assert order.index(("Database", "CREATE_COMPLETE")) < order.index(
        ("Cluster", "CREATE_IN_PROGRESS")
    )
    assert order[-1] == (name, "CREATE_COMPLETE")
    assert stacks.list_exports()["Exports"] == [
        {"ExportingStackId": stack["StackId"], "Name": f"{name}-arn", "Value": outputs["Arn"]}
    ]
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    rds = client(cloud, "rds")
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier=ids["Database"])
    gone_cluster = client(cloud, "ecs").describe_clusters(clusters=[outputs["Cluster"]])
    assert gone_cluster["clusters"][0]["status"] == "INACTIVE"
    deleted = stacks.describe_stacks(StackName=stack["StackId"])["Stacks"][0]
    assert deleted["StackStatus"] == "DELETE_COMPLETE"


def test_what_fails_is_rolled_back(cloud, stacks, name):
    template = {
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster"},
            "Database": {
                "Type": "AWS::RDS::DBInstance",
                "DependsOn": "Cluster",
                "Properties": DATABASE | {"DBInstanceClass": "db.z9.micro"},
            },
        }
    }
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    assert ended(stacks, name)["StackStatus"] == "ROLLBACK_COMPLETE"
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    failed = next(one for one in events if one["ResourceStatus"] == "CREATE_FAILED")
    assert failed["LogicalResourceId"] == "Database"
    assert "db.z9.micro" in failed["ResourceStatusReason"]
    cluster = next(
        one["PhysicalResourceId"]
        for one in stacks.describe_stack_resources(StackName=name)["StackResources"]
        if one["LogicalResourceId"] == "Cluster"
    )
    found = client(cloud, "ecs").describe_clusters(clusters=[cluster])["clusters"]
    assert found[0]["status"] == "INACTIVE"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"Type": "AWS::Nothing::Here"}, "Unrecognized resource types: [AWS::Nothing::Here]"),
        ({"DependsOn": "Other"}, "Unresolved resource dependencies [Other]"),
        ({"Properties": {"ClusterName": {"Ref": "Other"}}}, "dependencies [Other]"),
        (
            {"Properties": {"ClusterName": {"Fn::GetAtt": ["Cluster", "Arn"]}}},
            "Circular dependency between resources: [Cluster]",
        ),
        (
            {"Properties": {"ClusterName": {"Fn::GetAtt": ["Second", "Colour"]}}},
            "resource Second does not support attribute type Colour in Fn::GetAtt",
        ),
        ({"Propertys": {}}, "Invalid template resource property 'Propertys'"),
    ],
)
def test_a_wrong_template_makes_nothing(stacks, change, words):
    cluster = {"Type": "AWS::ECS::Cluster"}
    template = {"Resources": {"Cluster": cluster | change, "Second": cluster}}
    with pytest.raises(ClientError) as refused:
        stacks.create_stack(StackName="never", TemplateBody=json.dumps(template))
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert words in refused.value.response["Error"]["Message"]
    assert gone(stacks, "never")


def test_a_property_that_is_not_one_fails_its_resource(stacks, name):
    template = {
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"Colour": "blue"}},
        }
    }
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), OnFailure="DO_NOTHING")
    assert ended(stacks, name)["StackStatus"] == "CREATE_FAILED"
    failed = stacks.describe_stack_resource(StackName=name, LogicalResourceId="Cluster")
    reason = failed["StackResourceDetail"]["ResourceStatusReason"]
    assert reason == "Encountered unsupported property Colour"
