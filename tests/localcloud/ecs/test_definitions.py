"""What RegisterTaskDefinition accepts and refuses, and the other operations on definitions."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from ecs_lab import REGION
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.ecs import errors, rules, sizes

DATA = Path(__file__).parents[3] / "data" / "fargate_sizes.json"
SIZES = [
    (row["cpu_units"], memory)
    for row in json.loads(DATA.read_text())["sizes"]
    for memory in row["memory_mib"]
]


def request(**changes):
    container = {"name": "main", "image": "x", **changes.pop("container", {})}
    return {
        "family": "f",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [container],
        **changes,
    }


def test_there_are_77_sizes_and_all_are_accepted():
    assert len(set(SIZES)) == 77
    for cpu, memory in SIZES:
        rules.check(request(cpu=str(cpu), memory=str(memory)))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(SIZES), st.integers(-2, 2), st.sampled_from([-1024, -512, -1, 0, 1, 512]))
def test_a_neighbour_is_accepted_only_if_it_is_a_size_itself(size, cpu_step, memory_step):
    cpu, memory = size[0] * 2**cpu_step, max(0, size[1] + memory_step)
    asked = request(cpu=str(int(cpu)), memory=str(memory))
    if (int(cpu), memory) in SIZES:
        rules.check(asked)
    else:
        with pytest.raises(errors.EcsError, match="No Fargate configuration exists for given val"):
            rules.check(asked)


@pytest.mark.parametrize(
    ("text", "units"), [("256", 256), (".25 vCPU", 256), ("1 vCPU", 1024), ("2vcpu", 2048)]
)
def test_ways_to_write_cpu(text, units):
    assert sizes.cpu_units(text) == units


@pytest.mark.parametrize(
    ("text", "mib"), [("512", 512), ("0.5 GB", 512), ("2GB", 2048), ("30 gb", 30720)]
)
def test_ways_to_write_memory(text, mib):
    assert sizes.memory_mib(text) == mib


def two(**second):
    first = {"name": "a", "image": "x"}
    return {"containerDefinitions": [first, {"name": "b", "image": "x", **second}]}


AWSLOGS = {"awslogs-group": "g", "awslogs-region": REGION, "awslogs-stream-prefix": "p"}
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1"
BAD = [
    ({"cpu": "300"}, "No Fargate configuration exists for given values."),
    ({"cpu": "one"}, "Invalid 'CPU' setting for task: one."),
    ({"memory": "-512"}, "Invalid 'memory' setting for task"),
    ({"cpu": None}, "Fargate requires that 'cpu' be defined at the task level."),
    (
        {"memory": None, "container": {"memory": 99}},
        "Fargate requires that 'memory' be defined at the task level.",
    ),
    ({"networkMode": "bridge"}, "Fargate only supports network mode 'awsvpc'."),
    ({"networkMode": None}, "Fargate only supports network mode 'awsvpc'."),
    ({"networkMode": "mesh"}, "Invalid network mode"),
    ({"ephemeralStorage": {"sizeInGiB": 20}}, "EphemeralStorage size should be at least 21"),
    ({"ephemeralStorage": {"sizeInGiB": 201}}, "EphemeralStorage size should be at most 200"),
    ({"family": "a b"}, "Family contains invalid characters."),
    ({"family": ""}, "Family contains invalid characters."),
    ({"containerDefinitions": []}, "Container list cannot be empty."),
    (
        {"containerDefinitions": [{"name": f"c{i}", "image": "x"} for i in range(11)]},
        "Too many containers.",
    ),
    (two(name="a"), "Container names must be unique within a Task Definition."),
    ({"container": {"essential": False}}, "essential"),
    ({"container": {"name": ""}}, "Container.name should not be null or empty."),
    ({"container": {"name": "a b"}}, "Container.name contains invalid characters."),
    ({"container": {"image": ""}}, "Container.image should not be null or empty."),
    (
        {"container": {"memory": 1024}},
        "The 'memory' setting for container 'main' is greater than for the task.",
    ),
    ({"container": {"memory": 64, "memoryReservation": 128}}, "'memoryReservation'"),
    ({"container": {"memory": 1}}, "The minimum is 6 MiB"),
    ({"container": {"cpu": 512}}, "The sum of all container 'cpu' values cannot be greater"),
    ({"container": {"privileged": True}}, "privileged"),
    ({"container": {"resourceRequirements": [{"type": "GPU", "value": "1"}]}}, "GPU"),
    ({"container": {"stopTimeout": 121}}, "120"),
    ({"container": {"image": ECR}}, "execution role ARN to support ECR images."),
    (
        {"container": {"logConfiguration": {"logDriver": "awslogs", "options": AWSLOGS}}},
        "execution role ARN to support log driver awslogs.",
    ),
    (
        {"container": {"logConfiguration": {"logDriver": "awslogs", "options": {}}}},
        "Log driver awslogs requires options: awslogs-region, awslogs-group",
    ),
    ({"container": {"logConfiguration": {"logDriver": "json-file"}}}, "log driver json-file"),
    (
        {"container": {"secrets": [{"name": "A", "valueFrom": "b"}]}},
        "you must also specify a value for 'executionRoleArn'",
    ),
    (
        {
            "executionRoleArn": "arn:aws:iam::123456789012:role/x",
            "container": {
                "secrets": [{"name": "A", "valueFrom": "b"}],
                "environment": [{"name": "A", "value": "c"}],
            },
        },
        "The secret name must be unique",
    ),
    (
        {"container": {"portMappings": [{"containerPort": 80, "hostPort": 8080}]}},
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ),
    ({"container": {"portMappings": [{"containerPort": 70000}]}}, "Invalid port number"),
    (
        two(dependsOn=[{"containerName": "a", "condition": "SUCCESS"}]),
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential",
    ),
    (two(dependsOn=[{"containerName": "z", "condition": "START"}]), "does not exist"),
    (two(dependsOn=[{"containerName": "a", "condition": "HEALTHY"}]), "must have a healthCheck"),
    ({"placementConstraints": [{"type": "memberOf"}]}, "placement constraints"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_refused(change, words):
    asked = {name: value for name, value in request(**change).items() if value is not None}
    with pytest.raises(errors.EcsError) as caught:
        rules.check(asked)
    assert caught.value.code == "ClientException"
    assert words in caught.value.message


def test_a_cycle_of_dependencies():
    one, other = (
        {"name": n, "image": "x", "dependsOn": [{"containerName": d, "condition": "START"}]}
        for n, d in (("a", "b"), ("b", "a"))
    )
    with pytest.raises(errors.EcsError, match="Cyclic"):
        rules.check(request(containerDefinitions=[one, other]))


def test_ec2_needs_memory_somewhere_but_no_size():
    asked = {"family": "f", "containerDefinitions": [{"name": "a", "image": "x"}]}
    with pytest.raises(errors.EcsError, match="At least one of 'memory' or 'memoryReservation'"):
        rules.check(asked)
    asked["containerDefinitions"][0]["memory"] = 100
    rules.check(asked)


def test_a_refusal_over_the_wire_is_a_client_exception(lab):
    with pytest.raises(lab.ecs.exceptions.ClientException, match="No Fargate configuration"):
        lab.ecs.register_task_definition(**lab.definition(cpu="256", memory="4096"))


def test_register_describe_and_defaults(lab):
    asked = lab.definition(family="described", cpu=".25 vCPU", memory="0.5 GB")
    asked["containerDefinitions"][0]["portMappings"] = [{"containerPort": 80}]
    answer = lab.ecs.register_task_definition(**asked, tags=[{"key": "a", "value": "b"}])
    made = answer["taskDefinition"]
    assert answer["tags"] == [{"key": "a", "value": "b"}]
    assert (made["cpu"], made["memory"]) == ("256", "512")
    assert made["taskDefinitionArn"].endswith(":task-definition/described:1")
    assert made["compatibilities"] == ["EC2", "FARGATE"]
    container = made["containerDefinitions"][0]
    assert container["essential"] is True
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    by_arn = lab.ecs.describe_task_definition(taskDefinition=made["taskDefinitionArn"])
    assert by_arn["taskDefinition"] == made
    assert lab.ecs.describe_task_definition(taskDefinition="described")["taskDefinition"] == made
    with pytest.raises(ClientError, match="Unable to describe task definition"):
        lab.ecs.describe_task_definition(taskDefinition="described:2")


def test_revisions_deregister_delete_and_list(lab):
    arns = [lab.register(family="revised") for _ in range(3)]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == ["1", "2", "3"]
    lab.ecs.deregister_task_definition(taskDefinition=arns[2])
    listed = lab.ecs.get_paginator("list_task_definitions")
    pages = listed.paginate(familyPrefix="revised", PaginationConfig={"PageSize": 1})
    assert [arn for page in pages for arn in page["taskDefinitionArns"]] == arns[:2]
    down = lab.ecs.list_task_definitions(familyPrefix="revised", sort="DESC")
    assert down["taskDefinitionArns"] == arns[1::-1]
    inactive = lab.ecs.list_task_definitions(familyPrefix="revised", status="INACTIVE")
    assert inactive["taskDefinitionArns"] == [arns[2]]
    latest = lab.ecs.describe_task_definition(taskDefinition="revised")["taskDefinition"]
    assert latest["revision"] == 2
    assert lab.register(family="revised").endswith(":4")
    answer = lab.ecs.delete_task_definitions(taskDefinitions=[arns[0], arns[2], "nothing:1"])
    assert [d["status"] for d in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert len(answer["failures"]) == 2


def test_families(lab):
    lab.register(family="fam-one")
    gone = lab.register(family="fam-two")
    lab.ecs.deregister_task_definition(taskDefinition=gone)
    listed = lambda **by: lab.ecs.list_task_definition_families(familyPrefix="fam-", **by)  # noqa: E731
    assert listed(status="ACTIVE")["families"] == ["fam-one"]
    assert listed(status="INACTIVE")["families"] == ["fam-two"]
    assert listed(status="ALL")["families"] == ["fam-one", "fam-two"]


def test_deregister_needs_a_revision_that_exists(lab):
    lab.register(family="exact")
    with pytest.raises(ClientError, match="Revision is missing"):
        lab.ecs.deregister_task_definition(taskDefinition="exact")
    with pytest.raises(ClientError, match="does not exist"):
        lab.ecs.deregister_task_definition(taskDefinition="exact:99")
