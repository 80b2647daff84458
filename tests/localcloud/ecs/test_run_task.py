"""Operations on tasks: lists, waiters, and every way to ask wrongly."""

import json

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, PRIVATE


def test_waiters_and_paginators(lab):
    definition = lab.register("import time; time.sleep(0.5)", family="waited")
    arns = lab.run(definition, count=3, startedBy="waiting")
    fast = {"Delay": 1, "MaxAttempts": 20}
    lab.ecs.get_waiter("tasks_stopped").wait(cluster="test", tasks=arns, WaiterConfig=fast)
    pages = lab.ecs.get_paginator("list_tasks").paginate(
        cluster="test",
        family="waited",
        desiredStatus="STOPPED",
        PaginationConfig={"PageSize": 2},
    )
    assert [arn for page in pages for arn in page["taskArns"]] == arns
    (arn,) = lab.run(lab.register("import time; time.sleep(30)", family="waited"))
    lab.ecs.get_waiter("tasks_running").wait(cluster="test", tasks=[arn], WaiterConfig=fast)
    lab.ecs.stop_task(cluster="test", task=arn)


def test_list_tasks_filters(lab):
    definition = lab.register("import time; time.sleep(30)", family="listed")
    (arn,) = lab.run(definition, startedBy="me", tags=[{"key": "k", "value": "v"}])
    listed = lambda **by: lab.ecs.list_tasks(cluster="test", **by)["taskArns"]  # noqa: E731
    assert listed(family="listed") == [arn] == listed(startedBy="me")
    assert listed(family="listed", desiredStatus="STOPPED") == []
    assert listed(family="listed", launchType="EC2") == []
    for more in ({"family": "listed"}, {"launchType": "FARGATE"}, {"desiredStatus": "RUNNING"}):
        with pytest.raises(ClientError, match="cannot specify startedBy with other arg") as refused:
            listed(startedBy="me", **more)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    assert lab.task(arn)["tags"] == [{"key": "k", "value": "v"}]
    assert lab.ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]["tags"] == []
    lab.ecs.stop_task(cluster="test", task=arn)
    lab.wait(arn)
    assert listed(family="listed", desiredStatus="STOPPED") == [arn]


def test_a_retry_with_the_same_token_starts_nothing_new(lab):
    definition = lab.register("pass", family="token")
    first = lab.run(definition, count=2, clientToken="abc")
    assert lab.run(definition, count=2, clientToken="abc") == first
    assert lab.run(definition, clientToken="def") != first
    assert len(set(lab.run(definition) + lab.run(definition))) == 2


BAD_RUNS = [
    ({"taskDefinition": "no-such"}, "ClientException", "TaskDefinition not found."),
    ({"cluster": "no-such"}, "ClusterNotFoundException", "Cluster not found."),
    ({"count": 11}, "InvalidParameterException", "Count must be between 1 and 10"),
    ({"count": 0}, "InvalidParameterException", "Count must be between 1 and 10"),
    (
        {"launchType": "EC2", "networkConfiguration": PRIVATE},
        "InvalidParameterException",
        "No Container Instances were found",
    ),
    (
        {"launchType": "EC2"},
        "InvalidParameterException",
        "Assign public IP is not supported for this launch type.",
    ),
    (
        {"networkConfiguration": {}},
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ),
    (
        {"overrides": {"containerOverrides": [{"name": "other"}]}},
        "InvalidParameterException",
        "Override for container named other is not a container in the TaskDefinition.",
    ),
    (
        {"overrides": {"ephemeralStorage": {"sizeInGiB": 500}}},
        "InvalidParameterException",
        "EphemeralStorage size should be at most 200",
    ),
    (
        {"overrides": {"cpu": "256", "memory": "4096"}},
        "InvalidParameterException",
        "No Fargate configuration exists for given values.",
    ),
    (
        {"overrides": {"containerOverrides": [{"name": "main", "memory": 600}]}},
        "InvalidParameterException",
        "The 'memory' setting for container 'main' is greater than for the task.",
    ),
    (
        {"overrides": {"taskRoleArn": "arn:aws:iam::123456789012:role/nobody"}},
        "ClientException",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/nobody'",
    ),
    ({"platformVersion": "9.9"}, "PlatformUnknownException", "platform does not exist"),
    (
        {"launchType": "FARGATE", "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException",
        "both a launch type and capacity provider strategy",
    ),
    ({"placementStrategy": [{"type": "random"}]}, "InvalidParameterException", "not supported"),
    ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidParameterException", "tag key"),
]


@pytest.mark.parametrize(("change", "code", "words"), BAD_RUNS)
def test_bad_run_task(lab, change, code, words):
    if "good" not in vars(lab):
        lab.good = lab.register(family="good")
    request = {
        "cluster": "test",
        "taskDefinition": lab.good,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        **change,
    }
    before = len(
        lab.ecs.list_tasks(cluster="test", family="good", desiredStatus="STOPPED")["taskArns"]
    )
    with pytest.raises(ClientError) as caught:
        lab.ecs.run_task(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]
    after = lab.ecs.list_tasks(cluster="test", family="good", desiredStatus="STOPPED")["taskArns"]
    assert len(after) == before


def test_run_task_without_launch_type_means_ec2(lab):
    with pytest.raises(ClientError, match="No Container Instances were found in your cluster"):
        lab.ecs.run_task(
            cluster="test", taskDefinition=lab.register(family="good"), networkConfiguration=PRIVATE
        )


def test_an_inactive_definition_is_not_run(lab):
    arn = lab.register(family="retired")
    lab.ecs.deregister_task_definition(taskDefinition=arn)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        lab.run(arn)
    with pytest.raises(ClientError, match="TaskDefinition not found"):
        lab.run("retired")


def test_a_role_that_does_not_trust_ecs(lab):
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    }
    lab.client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument=json.dumps(trust))
    with pytest.raises(ClientError, match="ECS was unable to assume the role"):
        lab.run(lab.register(family="mistrust", taskRoleArn=lab.role("lambda")))


def test_unknown_tasks(lab):
    with pytest.raises(ClientError, match="The referenced task was not found"):
        lab.ecs.stop_task(cluster="test", task="nothing")
    answer = lab.ecs.describe_tasks(cluster="test", tasks=["nothing"])
    assert answer["tasks"] == []
    assert answer["failures"][0]["reason"] == "MISSING"
    with pytest.raises(ClientError, match="Tasks cannot be empty"):
        lab.ecs.describe_tasks(cluster="test", tasks=[])
    with pytest.raises(ClientError, match="Invalid token"):
        lab.ecs.list_tasks(cluster="test", nextToken="nonsense")


def test_a_larger_disk_for_one_task(lab):
    arn = lab.register("print(1)", family="disk", ephemeralStorage={"sizeInGiB": 21})
    for overrides, size in (({}, 21), ({"ephemeralStorage": {"sizeInGiB": 22}}, 22)):
        task = lab.wait(lab.run(arn, overrides=overrides)[0])
        assert task["ephemeralStorage"] == {"sizeInGiB": size}
