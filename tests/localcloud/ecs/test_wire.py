"""Clusters, tags, pages, and requests that no operation answers."""

import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from ecs_lab import NETWORK


def test_clusters(lab):
    made = lab.ecs.create_cluster(clusterName="second", tags=[{"key": "a", "value": "b"}])
    arn = made["cluster"]["clusterArn"]
    assert arn == "arn:aws:ecs:us-east-1:123456789012:cluster/second"
    assert lab.ecs.create_cluster(clusterName="second")["cluster"]["clusterArn"] == arn
    found = lab.ecs.describe_clusters(clusters=["second", arn, "none"], include=["TAGS"])
    assert [cluster["clusterName"] for cluster in found["clusters"]] == ["second", "second"]
    assert found["clusters"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert found["failures"][0]["reason"] == "MISSING"
    pages = lab.ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 1})
    assert arn in [one for page in pages for one in page["clusterArns"]]
    assert lab.ecs.delete_cluster(cluster="second")["cluster"]["status"] == "INACTIVE"
    assert arn not in lab.ecs.list_clusters()["clusterArns"]
    with pytest.raises(lab.ecs.exceptions.ClusterNotFoundException):
        lab.ecs.delete_cluster(cluster="second")
    with pytest.raises(ClientError, match="Cluster name"):
        lab.ecs.create_cluster(clusterName="a b")


def test_a_cluster_in_use_is_not_deleted(lab):
    lab.ecs.create_cluster(clusterName="busy")
    request = {
        "cluster": "busy",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "taskDefinition": lab.register("import time; time.sleep(30)", family="busy"),
    }
    arn = lab.ecs.run_task(**request)["tasks"][0]["taskArn"]
    with pytest.raises(lab.ecs.exceptions.ClusterContainsTasksException):
        lab.ecs.delete_cluster(cluster="busy")
    lab.ecs.stop_task(cluster="busy", task=arn)
    lab.ecs.get_waiter("tasks_stopped").wait(
        cluster="busy", tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 9}
    )
    lab.ecs.create_service(serviceName="s", desiredCount=0, **request)
    with pytest.raises(lab.ecs.exceptions.ClusterContainsServicesException):
        lab.ecs.delete_cluster(cluster="busy")
    lab.ecs.delete_service(cluster="busy", service="s", force=True)


def test_tags_of_every_kind(lab):
    definition = lab.register("import time; time.sleep(30)", family="tags")
    (task,) = lab.run(definition)
    cluster = lab.ecs.describe_clusters(clusters=["test"])["clusters"][0]["clusterArn"]
    for arn in (cluster, definition, task):
        lab.ecs.tag_resource(
            resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
        )
        lab.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "3"}])
        lab.ecs.untag_resource(resourceArn=arn, tagKeys=["b", "none"])
        tags = lab.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
        assert tags == [{"key": "a", "value": "3"}]
    lab.ecs.stop_task(cluster="test", task=task)


@pytest.mark.parametrize(
    "arn",
    [
        "nothing",
        "arn:aws:ecs:us-east-1:123456789012:cluster/none",
        "arn:aws:ecs:us-east-1:123456789012:task/test/none",
        "arn:aws:ecs:us-east-1:123456789012:flower/x",
        "arn:aws:s3:::bucket",
    ],
)
def test_tags_of_what_is_not_there(lab, arn):
    with pytest.raises(lab.ecs.exceptions.InvalidParameterException):
        lab.ecs.list_tags_for_resource(resourceArn=arn)


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": "a;b", "value": ""}],
        [{"key": "aws:own", "value": ""}],
        [{"key": "k" * 129, "value": ""}],
        [{"key": "k", "value": "v" * 257}],
        [{"key": "k", "value": "<"}],
        [{"key": "k"}, {"key": "k"}],
        [{"key": str(i)} for i in range(51)],
    ],
)
def test_bad_tags(lab, tags):
    with pytest.raises(lab.ecs.exceptions.InvalidParameterException):
        lab.ecs.create_cluster(clusterName="untagged", tags=tags)
    assert lab.ecs.describe_clusters(clusters=["untagged"])["clusters"] == []


def test_an_unsupported_operation_is_named(lab):
    with pytest.raises(ClientError) as caught:
        lab.ecs.describe_task_sets(cluster="test", service="none")
    error = caught.value.response["Error"]
    assert error["Code"] == "UnsupportedFeatureException"
    assert error["Message"] == (
        "The local cloud's ECS does not support the operation DescribeTaskSets."
    )


def test_another_region_is_refused(lab):
    other = boto3.client(
        "ecs",
        region_name="eu-west-1",
        endpoint_url=lab.server.endpoint,
        aws_access_key_id="drydock",
        aws_secret_access_key="drydock",
        config=Config(proxies={}),
    )
    with pytest.raises(ClientError, match="region eu-west-1: use us-east-1"):
        other.list_clusters()


def post(lab, operation, body):
    """A raw request, as a client without boto3's own checks would send it."""
    who = "Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/ecs/aws4_request"
    request = urllib.request.Request(
        lab.server.endpoint,
        data=body,
        headers={
            "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 {who}, SignedHeaders=host, Signature=0",
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize(
    ("operation", "body", "kind"),
    [
        ("RunTask", b"{}", "InvalidParameterException"),
        ("RunTask", b'{"taskDefinition": 5}', "InvalidParameterException"),
        ("RunTask", b"{nonsense", "InvalidParameterException"),
        ("RunTask", b"[]", "InvalidParameterException"),
        ("DescribeTasks", b'{"tasks": "x"}', "InvalidParameterException"),
        ("ListTasks", b'{"maxResults": 101}', "InvalidParameterException"),
        ("NoSuchOperation", b"{}", "UnknownOperationException"),
    ],
)
def test_requests_that_boto3_would_not_send(lab, operation, body, kind):
    lab.ecs.create_cluster()
    status, answer = post(lab, operation, body)
    assert status == 400
    assert answer["__type"].endswith(kind)
    assert answer["message"]


def test_every_operation_refuses_an_empty_or_foreign_request_without_a_server_error(lab):
    for operation in lab.ecs.meta.service_model.operation_names:
        for body in (b"{}", b'{"cluster": 1, "service": [], "tasks": {}, "taskDefinition": null}'):
            status, answer = post(lab, operation, body)
            assert status in (200, 400), (operation, answer)
