"""Capacity providers: which one a task gets, and Fargate Spot taking its capacity back."""

import json
import urllib.error
import urllib.request
from collections import Counter

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, PRIVATE, until

from localcloud.ecs import capacity, deployments

SLEEP = "import time; time.sleep(600)"
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
MIXED = [
    {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "weight": 3},
]


@pytest.fixture(scope="module")
def spot(lab):
    """The lab, with a cluster "spot" that both Fargate providers belong to."""
    lab.ecs.create_cluster(clusterName="spot", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    return lab


def run(lab, definition, cluster="spot", **more):
    request = {"networkConfiguration": NETWORK, **more}
    answer = lab.ecs.run_task(cluster=cluster, taskDefinition=definition, **request)
    assert answer["failures"] == []
    return [task["taskArn"] for task in answer["tasks"]]


def task_of(lab, arn):
    return lab.ecs.describe_tasks(cluster="spot", tasks=[arn])["tasks"][0]


def interrupt(lab, **wanted):
    url = f"{lab.server.endpoint}/_localcloud/ecs/spot-interruption"
    body = wanted.pop("body", None) or json.dumps({"cluster": "spot", **wanted}).encode()
    try:
        return json.load(urllib.request.urlopen(url, body, timeout=5))
    except urllib.error.HTTPError as error:
        assert error.code == 400
        return json.load(error)["message"]


@pytest.mark.parametrize(
    ("strategy", "count", "share"),
    [
        (MIXED, 6, {"FARGATE": 3, "FARGATE_SPOT": 3}),
        (MIXED, 2, {"FARGATE": 2}),
        (MIXED, 10, {"FARGATE": 4, "FARGATE_SPOT": 6}),
        (SPOT, 3, {"FARGATE_SPOT": 3}),
        ([{"capacityProvider": "FARGATE"}], 2, {"FARGATE": 2}),
        (
            [
                {"capacityProvider": "FARGATE", "weight": 1},
                {"capacityProvider": "FARGATE_SPOT", "weight": 4},
            ],
            10,
            {"FARGATE": 2, "FARGATE_SPOT": 8},
        ),
    ],
)
def test_base_first_then_weights(strategy, count, share):
    running = Counter()
    for _ in range(count):
        running[capacity.next_provider(strategy, running)] += 1
    assert running == share


def test_run_task_follows_the_strategy(spot):
    arns = run(spot, spot.register("pass", family="share"), count=6, capacityProviderStrategy=MIXED)
    tasks = spot.ecs.describe_tasks(cluster="spot", tasks=arns)["tasks"]
    shares = Counter(task["capacityProviderName"] for task in tasks)
    assert shares == {"FARGATE": 3, "FARGATE_SPOT": 3}
    assert not any("launchType" in task for task in tasks)
    until(lambda: all(task_of(spot, arn)["lastStatus"] == "STOPPED" for arn in arns))


def test_the_clusters_default_strategy(spot):
    changed = spot.ecs.put_cluster_capacity_providers(
        cluster="spot",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=SPOT,
    )["cluster"]
    assert changed["defaultCapacityProviderStrategy"] == SPOT
    definition = spot.register(SLEEP, family="default")
    (arn,) = run(spot, definition)
    assert task_of(spot, arn)["capacityProviderName"] == "FARGATE_SPOT"
    with pytest.raises(spot.ecs.exceptions.ResourceInUseException):
        spot.ecs.put_cluster_capacity_providers(
            cluster="spot", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
        )
    spot.ecs.stop_task(cluster="spot", task=arn)
    (arn,) = run(spot, definition, launchType="FARGATE")
    assert task_of(spot, arn)["launchType"] == "FARGATE"
    spot.ecs.stop_task(cluster="spot", task=arn)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ([{"capacityProvider": "nobody"}], "not found"),
        ([{**item, "base": 1} for item in MIXED], "Only one capacity provider"),
        ([{"capacityProvider": item["capacityProvider"]} for item in MIXED], "weight greater"),
        ([*SPOT, *SPOT], "each once"),
        ([{"capacityProvider": "FARGATE", "weight": 1001}], "between 0 and 1000"),
        ([*SPOT, {"capacityProvider": "machines", "weight": 1}], "cannot contain both"),
    ],
)
def test_bad_strategies(spot, machines, strategy, words):
    providers = ["FARGATE", "FARGATE_SPOT", "machines"]
    with pytest.raises(ClientError, match=words):
        spot.ecs.create_cluster(
            clusterName="never",
            capacityProviders=providers,
            defaultCapacityProviderStrategy=strategy,
        )
    assert spot.ecs.describe_clusters(clusters=["never"])["clusters"] == []


def test_a_provider_must_belong_to_the_cluster(lab):
    with pytest.raises(ClientError, match="not associated with the cluster"):
        run(lab, lab.register("pass", family="share"), "test", capacityProviderStrategy=SPOT)


@pytest.fixture(scope="module")
def machines(lab):
    """A capacity provider of an Auto Scaling group of two m5.large."""
    ec2, scaling = lab.client("ec2"), lab.client("autoscaling")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    script = "#!/bin/bash\necho ECS_CLUSTER=grouped >> /etc/ecs/ecs.config\n"
    scaling.create_launch_configuration(
        LaunchConfigurationName="machines",
        ImageId="ami-12c6146b",
        InstanceType="m5.large",
        UserData=script,
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="machines",
        LaunchConfigurationName="machines",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=subnet,
    )
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    made = lab.ecs.create_capacity_provider(
        name="machines",
        autoScalingGroupProvider={"autoScalingGroupArn": group["AutoScalingGroupARN"]},
    )["capacityProvider"]
    assert made["status"] == "ACTIVE"
    return scaling


def test_an_auto_scaling_group_as_provider(lab, machines):
    lab.ecs.create_cluster(clusterName="grouped", capacityProviders=["machines"])

    def instances():
        found = lab.ecs.list_container_instances(cluster="grouped")["containerInstanceArns"]
        return len(found) == 2 and found

    arns = until(instances)
    found = lab.ecs.describe_container_instances(cluster="grouped", containerInstances=arns)
    assert {i["capacityProviderName"] for i in found["containerInstances"]} == {"machines"}
    definition = lab.definition(SLEEP, family="grouped")
    strategy = [{"capacityProvider": "machines", "weight": 1}]
    lab.ecs.register_task_definition(**definition)
    (arn,) = run(
        lab, "grouped", "grouped", capacityProviderStrategy=strategy, networkConfiguration=PRIVATE
    )
    (task,) = lab.ecs.describe_tasks(cluster="grouped", tasks=[arn])["tasks"]
    assert task["capacityProviderName"] == "machines"
    assert task["containerInstanceArn"] in arns
    with pytest.raises(ClientError, match="in use"):
        lab.ecs.delete_capacity_provider(capacityProvider="machines")
    lab.ecs.stop_task(cluster="grouped", task=arn)


def test_describing_and_deleting_providers(lab):
    found = lab.ecs.describe_capacity_providers(capacityProviders=["FARGATE_SPOT", "none"])
    assert found["capacityProviders"][0]["status"] == "ACTIVE"
    assert found["failures"][0]["reason"] == "MISSING"
    group = {"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup"}
    tags = [{"key": "a", "value": "b"}]
    made = lab.ecs.create_capacity_provider(name="mine", autoScalingGroupProvider=group, tags=tags)
    arn = made["capacityProvider"]["capacityProviderArn"]
    assert lab.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    with pytest.raises(ClientError, match="already exists"):
        lab.ecs.create_capacity_provider(name="mine", autoScalingGroupProvider=group)
    with pytest.raises(ClientError, match="cannot start with"):
        lab.ecs.create_capacity_provider(name="fargate-2", autoScalingGroupProvider=group)
    off = {"managedTerminationProtection": "DISABLED", "managedDraining": "DISABLED"}
    told = lab.ecs.update_capacity_provider(name="mine", autoScalingGroupProvider=off)
    kept = told["capacityProvider"]["autoScalingGroupProvider"]
    assert kept["managedDraining"] == "DISABLED"
    assert kept["autoScalingGroupArn"] == group["autoScalingGroupArn"]
    with pytest.raises(ClientError, match="managed scaling"):
        lab.ecs.update_capacity_provider(
            name="mine", autoScalingGroupProvider={"managedScaling": {"status": "ENABLED"}}
        )
    with pytest.raises(ClientError, match="not found"):
        lab.ecs.update_capacity_provider(name="other", autoScalingGroupProvider=off)
    gone = lab.ecs.delete_capacity_provider(capacityProvider=arn)["capacityProvider"]
    assert gone["status"] == "INACTIVE"
    for name in ("mine", "FARGATE"):
        with pytest.raises(ClientError, match=r"not found|cannot be deleted"):
            lab.ecs.delete_capacity_provider(capacityProvider=name)


def test_an_interrupted_task_has_its_stop_timeout(spot):
    polite = (
        "import signal, sys, time\n"
        "def end(*_):\n  print('saved'); sys.exit(0)\n"
        "signal.signal(15, end)\nprint('up')\ntime.sleep(600)\n"
    )
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(600)"
    first, second = (
        run(spot, spot.register(code, family="spot", **more), capacityProviderStrategy=SPOT)[0]
        for code, more in ((polite, {}), (deaf, {"container": {"stopTimeout": 1}}))
    )
    (kept,) = run(spot, spot.register(SLEEP, family="kept"), launchType="FARGATE")
    until(lambda: all(_up(spot, arn) for arn in (first, second)))
    assert interrupt(spot, task=first) == {"interrupted": [first]}
    task = task_of(spot, first)
    assert (task["desiredStatus"], task["stopCode"]) == ("STOPPED", "SpotInterruption")
    assert interrupt(spot) == {"interrupted": [second]}
    ended = [
        until(lambda arn=arn: (t := task_of(spot, arn))["lastStatus"] == "STOPPED" and t)
        for arn in (first, second)
    ]
    assert [task["containers"][0]["exitCode"] for task in ended] == [0, 137]
    assert {task["stoppedReason"] for task in ended} == {"Your Spot Task was interrupted."}
    assert (ended[1]["stoppedAt"] - ended[1]["stoppingAt"]).total_seconds() >= 1
    assert spot.lines(ended[0]) == ["up", "saved"]
    assert task_of(spot, kept)["desiredStatus"] == "RUNNING"
    assert "runs on FARGATE_SPOT" in interrupt(spot, task=kept)
    spot.ecs.stop_task(cluster="spot", task=kept)


def test_an_interrupted_service_task_is_replaced(spot, monkeypatch):
    monkeypatch.setattr(deployments, "STEADY_SECONDS", 0.3)
    spot.ecs.create_service(
        cluster="spot",
        serviceName="web",
        taskDefinition=spot.register(SLEEP, family="spotweb"),
        capacityProviderStrategy=[{**MIXED[0], "base": 1}, MIXED[1]],
        networkConfiguration=NETWORK,
        desiredCount=3,
    )

    def names():
        arns = spot.ecs.list_tasks(cluster="spot", serviceName="web")["taskArns"]
        found = spot.ecs.describe_tasks(cluster="spot", tasks=arns)["tasks"] if arns else []
        up = [task for task in found if task["lastStatus"] == "RUNNING"]
        return len(up) == 3 and {t["taskArn"]: t["capacityProviderName"] for t in up}

    before = until(names)
    assert Counter(before.values()) == {"FARGATE": 1, "FARGATE_SPOT": 2}
    assert len(interrupt(spot)["interrupted"]) == 2
    after = until(lambda: (now := names()) and now != before and now)
    assert Counter(after.values()) == {"FARGATE": 1, "FARGATE_SPOT": 2}
    assert len(set(before) & set(after)) == 1
    spot.ecs.delete_service(cluster="spot", service="web", force=True)


def test_bad_interruptions(spot):
    assert interrupt(spot, cluster="none") == "Cluster not found."
    assert "Send JSON" in interrupt(spot, body=b"nonsense")
    assert "Send JSON" in interrupt(spot, body=b"[]")
    assert "names or ARNs" in interrupt(spot, task=5)
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(f"{spot.server.endpoint}/_localcloud/ecs/spot-interruption")


def _up(lab, arn):
    try:
        return lab.lines({"taskArn": arn}) == ["up"]
    except ClientError:
        return False
