"""Container instances of real EC2 types: joining, room, placement, draining."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, PRIVATE, until
from moto.ec2.models.instance_types import INSTANCE_TYPES

from localcloud.ecs import deployments

TYPES = Path(__file__).parents[3] / "data" / "ec2_instance_types.json"


def reasons(answer):
    return {failure["reason"] for failure in answer["failures"]}


def test_the_types_that_prices_are_known_of_have_the_same_size():
    for row in json.loads(TYPES.read_text())["types"]:
        known = INSTANCE_TYPES[row["name"]]
        gpus = sum(gpu["Count"] for gpu in known.get("GpuInfo", {}).get("Gpus", []))
        assert known["VCpuInfo"]["DefaultVCpus"] == row["vcpu"]
        assert known["MemoryInfo"]["SizeInMiB"] == row["memory_mib"]
        assert gpus == (row["gpu"] or {"count": 0})["count"]


def test_an_ec2_instance_joins_by_its_user_data(fleet, lab):
    ec2 = lab.client("ec2")
    script = (
        f"#!/bin/bash\necho ECS_CLUSTER={fleet.name} >> /etc/ecs/ecs.config\n"
        'echo ECS_INSTANCE_ATTRIBUTES={"stack": "prod"} >> /etc/ecs/ecs.config\n'
    )
    wanted = {"ImageId": "ami-12c6146b", "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1}
    for other in ("#!/bin/bash\n", ""):
        ec2.run_instances(**wanted, UserData=other)
    machine = ec2.run_instances(**wanted, UserData=script)["Instances"][0]
    ec2_id = machine["InstanceId"]
    listed = lambda **by: fleet.ecs.list_container_instances(cluster=fleet.name, **by)  # noqa: E731
    (arn,) = until(lambda: listed()["containerInstanceArns"])
    found = fleet.describe(arn)
    assert found["ec2InstanceId"] == ec2_id
    assert found["status"] == "ACTIVE"
    attributes = {one["name"]: one.get("value") for one in found["attributes"]}
    assert attributes["ecs.availability-zone"] == machine["Placement"]["AvailabilityZone"]
    assert fleet.left(arn) == {"CPU": 2048, "MEMORY": 7577, "PORTS": found_ports(found)}
    assert listed(filter="attribute:stack == prod and attribute:ecs.instance-type =~ m5.*")[
        "containerInstanceArns"
    ] == [arn]
    (cluster,) = fleet.ecs.describe_clusters(clusters=[fleet.name])["clusters"]
    assert cluster["registeredContainerInstancesCount"] == 1
    (task,) = fleet.run(fleet.definition())["tasks"]
    assert task["containerInstanceArn"] == arn
    ec2.terminate_instances(InstanceIds=[ec2_id])
    until(lambda: fleet.tasks() == [])
    stopped = fleet.ecs.describe_tasks(cluster=fleet.name, tasks=[task["taskArn"]])["tasks"][0]
    assert stopped["stoppedReason"] == f"Host EC2 (instance {ec2_id}) terminated."
    assert listed()["containerInstanceArns"] == []


def found_ports(instance):
    resources = {r["name"]: r for r in instance["registeredResources"]}
    return resources["PORTS"]["stringSetValue"]


def test_a_task_runs_on_a_machine_and_gives_its_room_back(fleet, lab):
    arn = fleet.machine()
    code = "import os; print(os.environ['AWS_EXECUTION_ENV'])"
    request = lab.definition(code, family="once", container={"cpu": 512, "memory": 300})
    for name in ("requiresCompatibilities", "cpu", "memory"):
        del request[name]
    request["networkMode"] = "host"
    lab.ecs.register_task_definition(**request)
    task = fleet.run("once")["tasks"][0]
    assert task["launchType"] == "EC2"
    assert (task["cpu"], task["memory"]) == ("512", "300")
    assert "platformVersion" not in task
    assert task["attachments"] == []
    assert fleet.left(arn)["CPU"] == 1536
    assert fleet.left(arn)["MEMORY"] == 7277

    def ended():
        (now,) = fleet.ecs.describe_tasks(cluster=fleet.name, tasks=[task["taskArn"]])["tasks"]
        return now["lastStatus"] == "STOPPED" and now

    assert until(ended)["containers"][0]["exitCode"] == 0
    assert lab.lines(task) == ["AWS_ECS_EC2"]
    assert fleet.left(arn)["CPU"] == 2048


@pytest.mark.parametrize(
    ("want", "reason", "fit"),
    [
        ({"cpu": 1024}, "RESOURCE:CPU", 2),
        ({"memory": 4000}, "RESOURCE:MEMORY", 1),
        ({"memory": 4000, "container": {"memoryReservation": 2000}}, "RESOURCE:MEMORY", 3),
        ({"networkMode": "awsvpc"}, "RESOURCE:ENI", 2),
        (
            {"container": {"resourceRequirements": [{"type": "GPU", "value": "1"}]}},
            "RESOURCE:GPU",
            0,
        ),
        (
            {"container": {"portMappings": [{"containerPort": 80, "hostPort": 8080}]}},
            "RESOURCE:PORTS",
            1,
        ),
    ],
)
def test_what_does_not_fit(fleet, want, reason, fit):
    arn = fleet.machine()
    more = {"networkConfiguration": PRIVATE} if want.get("networkMode") == "awsvpc" else {}
    answer = fleet.run(fleet.definition(**want), count=fit + 1, **more)
    assert len(answer["tasks"]) == fit
    assert answer["failures"] == [{"arn": arn, "reason": reason}]


def test_gpus_are_handed_out_one_by_one(fleet, lab):
    arn = fleet.machine("g5.12xlarge")
    wants = {"resourceRequirements": [{"type": "GPU", "value": "2"}]}
    answer = fleet.run(fleet.definition(container=wants), count=3)
    assert [task["containers"][0]["gpuIds"] for task in answer["tasks"]] == [
        ["GPU-0", "GPU-1"],
        ["GPU-2", "GPU-3"],
    ]
    assert reasons(answer) == {"RESOURCE:GPU"}
    assert "GPU" not in fleet.left(arn)


def test_strategies(fleet):
    small, large = fleet.machine("m5.large", zone="a"), fleet.machine("m5.xlarge", zone="b")
    definition = fleet.definition(cpu=512)

    def place(count, *strategies):
        answer = fleet.run(definition, count=count, placementStrategy=list(strategies))
        placed = fleet.machines_of(answer)
        for task in answer["tasks"]:
            fleet.ecs.stop_task(cluster=fleet.name, task=task["taskArn"])
        until(lambda: fleet.left(small)["CPU"] == 2048 and fleet.left(large)["CPU"] == 4096)
        return placed.count(small), placed.count(large)

    assert place(5, {"type": "binpack", "field": "cpu"}) == (4, 1)
    assert place(5, {"type": "binpack", "field": "memory"}) == (4, 1)
    assert place(4, {"type": "spread", "field": "instanceId"}) == (2, 2)
    assert place(4, {"type": "spread", "field": "attribute:ecs.availability-zone"}) == (2, 2)
    assert sum(place(4, {"type": "random"})) == 4


def test_constraints(fleet):
    prod, test = fleet.machine(stack="prod"), fleet.machine("c5.large", stack="test")
    definition = fleet.definition()

    def member(expression, count=1):
        return fleet.run(
            definition,
            count=count,
            placementConstraints=[{"type": "memberOf", "expression": expression}],
        )

    assert fleet.machines_of(member("attribute:stack == prod", 2)) == [prod, prod]
    either = "attribute:ecs.instance-type in [c5.large, c5.xlarge] and not attribute:none exists"
    assert fleet.machines_of(member(either)) == [test]
    assert fleet.machines_of(member("attribute:stack !in [prod] or attribute:x exists")) == [test]
    assert fleet.machines_of(member("(runningTasksCount >= 0) && attribute:stack != prod")) == [
        test
    ]
    answer = member("attribute:stack =~ p.st")
    assert reasons(answer) == {"MemberOf placement constraint unsatisfied."}
    assert len(answer["failures"]) == 2
    distinct = {"placementConstraints": [{"type": "distinctInstance"}], "group": "alone"}
    answer = fleet.run(definition, count=3, **distinct)
    assert set(fleet.machines_of(answer)) == {prod, test}
    assert reasons(answer) == {"DistinctInstance placement constraint unsatisfied."}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"placementStrategy": [{"type": "binpack", "field": "disk"}]}, "binpack"),
        ({"placementStrategy": [{"type": "spread", "field": "colour"}]}, "spread"),
        ({"placementConstraints": [{"type": "memberOf", "expression": "a =="}]}, "expression"),
        ({"placementConstraints": [{"type": "memberOf", "expression": "(a == b"}]}, "expression"),
        ({"placementConstraints": [{"type": "memberOf", "expression": "colour == b"}]}, "colour"),
        ({"placementConstraints": [{"type": "memberOf"}]}, "expression"),
        ({"platformVersion": "1.4.0"}, "platform version must be null"),
        ({"networkConfiguration": NETWORK}, "not valid for the given networkMode"),
    ],
)
def test_bad_placements(fleet, change, words):
    fleet.machine()
    with pytest.raises(ClientError, match=words):
        fleet.run(fleet.definition(), **change)
    assert fleet.tasks() == []


def test_bad_machines(fleet):
    register = fleet.ecs.register_container_instance
    for document, words in [("{}", "totalResources"), ("nonsense", "JSON"), ("[]", "JSON")]:
        with pytest.raises(ClientError, match=words):
            register(cluster=fleet.name, instanceIdentityDocument=document)
    with pytest.raises(ClientError, match=r"'m5\.tiny' is unknown"):
        fleet.machine("m5.tiny")
    with pytest.raises(ClientError, match="not found"):
        fleet.ecs.deregister_container_instance(cluster=fleet.name, containerInstance="none")
    answer = fleet.ecs.describe_container_instances(cluster=fleet.name, containerInstances=["none"])
    assert answer["failures"][0]["reason"] == "MISSING"


def test_deregistering(fleet):
    arn = fleet.machine()
    fleet.run(fleet.definition())
    with pytest.raises(ClientError, match="running tasks"):
        fleet.ecs.deregister_container_instance(cluster=fleet.name, containerInstance=arn)
    with pytest.raises(fleet.ecs.exceptions.ClusterContainsContainerInstancesException):
        fleet.ecs.delete_cluster(cluster=fleet.name)
    gone = fleet.ecs.deregister_container_instance(
        cluster=fleet.name, containerInstance=arn, force=True
    )
    assert gone["containerInstance"]["status"] == "INACTIVE"
    assert fleet.ecs.list_container_instances(cluster=fleet.name)["containerInstanceArns"] == []


def test_a_service_spreads_waits_for_room_and_leaves_a_draining_machine(fleet, monkeypatch):
    monkeypatch.setattr(deployments, "STEADY_SECONDS", 0.3)
    first = fleet.machine(zone="a")

    def service():
        answer = fleet.ecs.describe_services(cluster=fleet.name, services=["web"])
        return answer["services"][0]

    def where():
        found = fleet.ecs.describe_tasks(cluster=fleet.name, tasks=fleet.tasks())["tasks"]
        return {task["containerInstanceArn"] for task in found}

    made = fleet.ecs.create_service(
        cluster=fleet.name,
        serviceName="web",
        taskDefinition=fleet.definition(cpu=128, memory=5000),
        launchType="EC2",
        desiredCount=2,
    )
    assert made["service"]["placementStrategy"][0]["type"] == "spread"
    until(lambda: service()["runningCount"] == 1)
    said = until(lambda: [e["message"] for e in service()["events"] if "unable" in e["message"]])
    assert said == [
        "(service web) was unable to place a task because no container instance met all of its "
        f"requirements. The closest matching (container-instance {first.rsplit('/', 1)[1]}) has "
        "insufficient memory available."
    ]
    second = fleet.machine(zone="b")
    until(lambda: service()["runningCount"] == 2)
    assert where() == {first, second}
    third = fleet.machine(zone="c")
    changed = fleet.ecs.update_container_instances_state(
        cluster=fleet.name, containerInstances=[first], status="DRAINING"
    )
    assert changed["containerInstances"][0]["status"] == "DRAINING"
    until(lambda: len(fleet.tasks()) == 2 and where() == {second, third})
    assert fleet.describe(first)["status"] == "DRAINING"


def test_a_service_without_any_machine_says_so(fleet):
    fleet.ecs.create_service(
        cluster=fleet.name, serviceName="web", taskDefinition=fleet.definition(), desiredCount=1
    )

    def said():
        found = fleet.ecs.describe_services(cluster=fleet.name, services=["web"])["services"][0]
        return [event["message"] for event in found["events"]]

    (message,) = until(said)
    assert message.endswith("Reason: No Container Instances were found in your cluster.")
