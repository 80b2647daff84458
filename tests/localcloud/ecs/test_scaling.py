"""Application Auto Scaling, acting on what tasks really use. Time is shorter than on the server."""

import contextlib
import re

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, until

from localcloud.scaling import activities, api, scaler

DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
# Busy until its test lets it rest, however long scaling takes on this machine.
BUSY_UNTIL = """
import os, time
while not os.path.exists({flag!r}): pass
time.sleep(600)
"""
IDLE = "import time; time.sleep(600)"


@pytest.fixture(scope="module")
def scaling(lab):
    patch = pytest.MonkeyPatch()
    patch.setattr(scaler, "FASTER", 120)
    patch.setattr(scaler, "MINUTE", 0.5)
    at_work = scaler.Scaler(lab.server)
    at_work.register()
    at_work.start()
    yield lab.client("application-autoscaling")
    at_work.stop()
    patch.undo()


@pytest.fixture
def service(lab, request):
    """Makes a service, and names it as a scalable target does."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:60]

    def make(code, desired=1):
        lab.ecs.create_service(
            cluster="test",
            serviceName=name,
            taskDefinition=lab.register(code, family=name),
            desiredCount=desired,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
        )
        return f"service/test/{name}"

    yield make
    with contextlib.suppress(lab.ecs.exceptions.ServiceNotActiveException):
        lab.ecs.delete_service(cluster="test", service=name, force=True)


def describe(lab, resource):
    found = lab.ecs.describe_services(cluster="test", services=[resource.rsplit("/", 1)[1]])
    return found["services"][0]


def settled(lab, resource, count):
    found = describe(lab, resource)
    return found["desiredCount"] == found["runningCount"] == count


def tracking(target, metric="ECSServiceAverageCPUUtilization", **more):
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            **more,
        },
    }


def test_cpu_scales_out_to_the_maximum_and_back_in(lab, scaling, service, tmp_path):
    flag = tmp_path / "enough"
    resource = service(BUSY_UNTIL.format(flag=str(flag)))
    scaling.register_scalable_target(ResourceId=resource, MinCapacity=1, MaxCapacity=3, **DIMENSION)
    made = scaling.put_scaling_policy(
        PolicyName="cpu", ResourceId=resource, **DIMENSION, **tracking(8.0)
    )
    alarms = lab.client("cloudwatch").describe_alarms(
        AlarmNames=[alarm["AlarmName"] for alarm in made["Alarms"]]
    )["MetricAlarms"]
    assert sorted(alarm["Threshold"] for alarm in alarms) == [pytest.approx(7.2), 8.0]
    until(lambda: settled(lab, resource, 3), seconds=60)
    flag.touch()
    until(lambda: settled(lab, resource, 1), seconds=60)
    listed = lambda: scaling.describe_scaling_activities(  # noqa: E731
        ServiceNamespace="ecs", ResourceId=resource
    )["ScalingActivities"]
    until(lambda: listed()[0]["StatusCode"] == "Successful")
    activities = listed()
    assert {a["StatusCode"] for a in activities} <= {"Successful", "Overridden"}
    assert activities[0]["Description"] == "Setting desired count to 1."
    assert "AlarmLow" in activities[0]["Cause"]
    assert "AlarmHigh" in activities[-1]["Cause"]
    assert any(
        "Application Auto Scaling" in e["message"] for e in describe(lab, resource)["events"]
    )
    metrics = lab.client("cloudwatch").list_metrics(Namespace="AWS/ECS")["Metrics"]
    assert {m["MetricName"] for m in metrics} >= {"CPUUtilization", "MemoryUtilization"}


def test_the_minimum_holds_at_once_and_memory_counts(lab, scaling, service):
    resource = service(IDLE)
    scaling.register_scalable_target(ResourceId=resource, MinCapacity=2, MaxCapacity=3, **DIMENSION)
    until(lambda: settled(lab, resource, 2))
    memory = tracking(0.1, "ECSServiceAverageMemoryUtilization")
    scaling.put_scaling_policy(PolicyName="memory", ResourceId=resource, **DIMENSION, **memory)
    until(lambda: settled(lab, resource, 3))


def test_steps_follow_their_alarm_and_its_cooldown(lab, scaling, service, tmp_path):
    resource = service(BUSY_UNTIL.format(flag=str(tmp_path / "enough")))
    name = resource.rsplit("/", 1)[1]
    scaling.register_scalable_target(ResourceId=resource, MinCapacity=1, MaxCapacity=9, **DIMENSION)
    policy = scaling.put_scaling_policy(
        PolicyName="steps",
        ResourceId=resource,
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 86400,
            "StepAdjustments": [
                {
                    "MetricIntervalLowerBound": 0,
                    "MetricIntervalUpperBound": 1,
                    "ScalingAdjustment": 5,
                },
                {"MetricIntervalLowerBound": 1, "ScalingAdjustment": 1},
            ],
        },
        **DIMENSION,
    )["PolicyARN"]
    cloudwatch = lab.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="busy",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[
            {"Name": "ClusterName", "Value": "test"},
            {"Name": "ServiceName", "Value": name},
        ],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=8,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[policy],
    )
    until(lambda: settled(lab, resource, 2), seconds=60)
    state = cloudwatch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"]
    assert state in ("ALARM", "OK")
    cloudwatch.delete_alarms(AlarmNames=["busy"])
    assert (
        len(
            scaling.describe_scaling_activities(ResourceId=resource, ServiceNamespace="ecs")[
                "ScalingActivities"
            ]
        )
        == 1
    )


def test_a_suspended_target_does_not_move(lab, scaling, service, tmp_path):
    resource = service(BUSY_UNTIL.format(flag=str(tmp_path / "enough")))
    scaling.register_scalable_target(
        ResourceId=resource,
        MinCapacity=1,
        MaxCapacity=3,
        SuspendedState={"DynamicScalingOutSuspended": True},
        **DIMENSION,
    )
    scaling.put_scaling_policy(PolicyName="c", ResourceId=resource, **DIMENSION, **tracking(8.0))
    cloudwatch = lab.client("cloudwatch")
    until(
        lambda: any(
            resource in alarm["AlarmName"] and alarm["StateValue"] == "ALARM"
            for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
        ),
        seconds=60,
    )
    assert describe(lab, resource)["desiredCount"] == 1
    scaling.deregister_scalable_target(ResourceId=resource, **DIMENSION)
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)
    assert found["ScalingPolicies"] == []


STEPS = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}}
GAP = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 6, "ScalingAdjustment": 2},
]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (tracking(0.0), "TargetValue"),
        (tracking(50.0, "ALBRequestCountPerTarget"), "does not scale a service by ALBRequestCount"),
        (STEPS, "StepAdjustments are required"),
        (
            {
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "StepAdjustments": GAP,
                },
            },
            "neither overlap nor leave a gap",
        ),
    ],
)
def test_a_policy_that_could_never_act(lab, scaling, service, policy, words):
    resource = service(IDLE, desired=0)
    scaling.register_scalable_target(ResourceId=resource, MinCapacity=0, MaxCapacity=1, **DIMENSION)
    with pytest.raises(ClientError, match=words):
        scaling.put_scaling_policy(PolicyName="bad", ResourceId=resource, **DIMENSION, **policy)


@pytest.mark.parametrize("left", ["settled", "another count", "no target"])
def test_an_activity_that_a_killed_server_left_open_is_ended(lab, scaling, service, left):
    resource = service(IDLE)
    until(lambda: settled(lab, resource, 1))
    if left != "no target":
        scaling.register_scalable_target(
            ResourceId=resource, MinCapacity=1, MaxCapacity=3, **DIMENSION
        )
    wanted = 2 if left == "another count" else 1
    opened = activities.begin(api.backend(), resource, wanted, "a test")
    status, words = {
        "settled": ("Successful", "Successfully set desired count to 1."),
        "another count": ("Overridden", "set to 1 meanwhile"),
        "no target": ("Failed", "no longer exists"),
    }[left]

    def ended():
        found = scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId=resource)
        one = next(a for a in found["ScalingActivities"] if a["ActivityId"] == opened["ActivityId"])
        return one if one["StatusCode"] != "InProgress" else None

    activity = until(ended)
    assert activity["StatusCode"] == status
    assert words in activity["StatusMessage"]
    assert activity["EndTime"] >= activity["StartTime"]


def test_a_service_that_was_deleted_is_no_target(lab, scaling, service):
    resource = service(IDLE, desired=0)
    lab.ecs.delete_service(cluster="test", service=resource.rsplit("/", 1)[1])
    for gone in (resource, "service/test", "service", "cluster/test", "service/elsewhere/x"):
        with pytest.raises(scaling.exceptions.ValidationException):
            scaling.register_scalable_target(
                ResourceId=gone, MinCapacity=0, MaxCapacity=1, **DIMENSION
            )


def test_targets_that_are_not_there(scaling, service):
    with pytest.raises(ClientError, match="ECS service doesn't exist: service/test/nothing"):
        scaling.register_scalable_target(
            ResourceId="service/test/nothing", MinCapacity=1, MaxCapacity=2, **DIMENSION
        )
    resource = service(IDLE, desired=0)
    with pytest.raises(ClientError, match="No scalable target registered"):
        scaling.put_scaling_policy(
            PolicyName="x", ResourceId=resource, **DIMENSION, **tracking(5.0)
        )
    with pytest.raises(ClientError, match="cannot be less than minimum"):
        scaling.register_scalable_target(
            ResourceId=resource, MinCapacity=2, MaxCapacity=1, **DIMENSION
        )
