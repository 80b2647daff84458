"""Tasks in subnets from which something cannot be reached."""

import itertools
import time

import pytest
from botocore.exceptions import ClientError

from localcloud.ecs import paths
from localcloud.network import calls

REGION = "us-east-1"
S3 = (
    "import boto3, botocore.config\n"
    "quick = botocore.config.Config(retries={'total_max_attempts': 1}, proxies={})\n"
    "s3 = boto3.client('s3', config=quick)\n"
    "try:\n"
    "  print(sorted(s3.list_buckets()['Buckets'], key=str)[:0])\n"
    "except Exception as error:\n"
    "  print(type(error).__name__)\n"
)
blocks = (f"10.{number}.0.0/16" for number in itertools.count(20))


class Private:
    """A VPC without any way out, and what opens one."""

    def __init__(self, lab):
        self.lab, self.ec2 = lab, lab.client("ec2")
        block = next(blocks)
        self.vpc = self.ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=block.replace("/16", "/24"))[
            "Subnet"
        ]["SubnetId"]
        mine = [{"Name": "vpc-id", "Values": [self.vpc]}]
        self.table = self.ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]

    def open(self, *services):
        for service in services:
            kind = {"VpcEndpointType": "Interface", "SubnetIds": [self.subnet]}
            if service == "s3":
                kind = {"VpcEndpointType": "Gateway", "RouteTableIds": [self.table]}
            name = f"com.amazonaws.{REGION}.{service}"
            self.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=name, **kind)

    def result(self, code="pass", **changes):
        definition = self.lab.register(code, family="private", **changes)
        answer = self.lab.ecs.run_task(
            cluster="test",
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [self.subnet]}},
        )
        return self.lab.wait(answer["tasks"][0]["taskArn"])


@pytest.fixture
def private(lab, monkeypatch):
    monkeypatch.setattr(paths, "GIVE_UP_SECONDS", 0.1)
    return Private(lab)


def why(task):
    assert task["stopCode"] == "TaskFailedToStart"
    return task["stoppedReason"]


def test_endpoint_after_endpoint(private):
    """What AWS says, step by step, until the last endpoint is there."""
    reason = why(private.result())
    assert reason.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 "
        'time(s): RequestError: send request failed caused by: Post "https://api.ecr.us-east-1'
    )
    assert reason.endswith("i/o timeout. Please check your task network configuration.")
    private.open("ecr.api")
    reason = why(private.result())
    assert reason.startswith("CannotPullContainerError: pull image manifest has been retried 5")
    assert "/v2/test/app/manifests/1" in reason
    private.open("ecr.dkr")
    reason = why(private.result())
    assert "httpReadSeeker: failed open" in reason
    assert "starport-layer-bucket.s3.us-east-1.amazonaws.com" in reason
    private.open("s3")
    reason = why(private.result())
    assert reason.startswith("ResourceInitializationError: failed to validate logger args")
    assert "logs.us-east-1.amazonaws.com" in reason
    private.open("logs")
    task = private.result("print('here')")
    assert task["containers"][0]["exitCode"] == 0
    assert private.lab.lines(task) == ["here"]


@pytest.mark.parametrize(
    ("service", "source", "words"),
    [
        ("secretsmanager", "arn:aws:secretsmanager:us-east-1:123456789012:secret:x", "from asm"),
        ("ssm", "a-parameter", "unable to retrieve secrets from ssm"),
    ],
)
def test_a_secret_that_cannot_be_reached(private, service, source, words):
    secret = {"secrets": [{"name": "S", "valueFrom": source}]}
    reason = why(private.result(container=secret))
    assert words in reason
    assert "context deadline exceeded" in reason
    private.open(service)
    assert "context deadline exceeded" not in why(private.result(container=secret))


def test_an_image_from_elsewhere_takes_the_internet(private):
    reason = why(private.result(container={"image": "public.ecr.aws/docker/library/python:3.12"}))
    assert "https://public.ecr.aws/v2/docker/library/python/manifests/3.12" in reason
    assert reason.endswith("i/o timeout")


ELSEWHERE = S3.replace("'s3', ", "'s3', region_name='eu-west-1', ")


def test_another_region_is_reached_by_the_internet_alone(lab, private, monkeypatch):
    """An endpoint of the VPC leads to its own region's services, and no VPC is looked for there."""
    monkeypatch.setattr(calls, "UNANSWERED_SECONDS", 0.1)
    role = {"taskRoleArn": lab.make_role("buckets", ["s3:*"])}
    private.open("ecr.api", "ecr.dkr", "logs", "s3")
    assert lab.lines(private.result(S3, **role)) == ["[]"]
    refused = lab.lines(private.result(ELSEWHERE, **role))[0]
    assert refused in ("ConnectionClosedError", "EndpointConnectionError")
    public = lab.register(ELSEWHERE, family="elsewhere", **role)
    assert lab.lines(lab.wait(lab.run(public)[0])) == ["[]"]


def test_a_call_without_a_path_gets_no_answer(private):
    lab = private.lab
    role = lab.make_role("reader", ["s3:*"])
    private.open("ecr.api", "ecr.dkr", "s3", "logs")
    opened = private.result(S3, taskRoleArn=role)
    assert lab.lines(opened) == ["[]"]
    endpoints = lab.client("ec2").describe_vpc_endpoints(
        Filters=[{"Name": "vpc-id", "Values": [private.vpc]}]
    )["VpcEndpoints"]
    code = "import time; time.sleep(2)\n" + S3
    definition = lab.register(code, family="private", taskRoleArn=role)
    answer = lab.ecs.run_task(
        cluster="test",
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [private.subnet]}},
    )
    arn = answer["tasks"][0]["taskArn"]
    lab.wait(arn, "RUNNING")
    s3 = next(e["VpcEndpointId"] for e in endpoints if e["ServiceName"].endswith(".s3"))
    lab.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[s3])
    began = time.monotonic()
    task = lab.wait(arn)
    assert lab.lines(task)[0] in ("ConnectionClosedError", "EndpointConnectionError")
    assert time.monotonic() - began > 1.5


BAD = [
    ({"subnets": ["subnet-0"]}, "The subnet ID 'subnet-0' does not exist"),
    ({"securityGroups": ["sg-0"]}, "The security group 'sg-0' does not exist"),
    ({"subnets": []}, "subnets can not be empty."),
]


@pytest.mark.parametrize(("change", "words"), BAD)
@pytest.mark.parametrize("call", ["run_task", "create_service"])
def test_a_network_that_is_not_there(private, call, change, words):
    lab = private.lab
    wanted = {"subnets": [private.subnet], **change}
    request = {"serviceName": "nowhere"} if call == "create_service" else {}
    with pytest.raises(ClientError, match=words):
        getattr(lab.ecs, call)(
            cluster="test",
            taskDefinition=lab.register(family="private"),
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": wanted},
            **request,
        )


def test_groups_and_subnets_of_two_vpcs(private):
    lab, other = private.lab, Private(private.lab)
    mine = [{"Name": "vpc-id", "Values": [other.vpc]}]
    group = other.ec2.describe_security_groups(Filters=mine)["SecurityGroups"][0]["GroupId"]
    for wanted, words in (
        ({"subnets": [private.subnet, other.subnet]}, "must belong to the same VPC"),
        ({"subnets": [private.subnet], "securityGroups": [group]}, "same VPC as the input subnets"),
    ):
        with pytest.raises(ClientError, match=words):
            lab.ecs.run_task(
                cluster="test",
                taskDefinition=lab.register(family="private"),
                launchType="FARGATE",
                networkConfiguration={"awsvpcConfiguration": wanted},
            )


def test_on_ec2_the_machine_pulls_and_the_interface_has_no_public_address(lab, fleet):
    """The agent uses the instance's network; the containers' own interface is a private one."""
    lab.client("ec2").run_instances(
        ImageId="ami-12c6146b",
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        UserData=f"#!/bin/bash\necho ECS_CLUSTER={fleet.name} >> /etc/ecs/ecs.config\n",
    )
    waited = lambda: fleet.ecs.list_container_instances(cluster=fleet.name)  # noqa: E731
    deadline = time.monotonic() + 10
    while not waited()["containerInstanceArns"] and time.monotonic() < deadline:
        time.sleep(0.1)
    role = lab.make_role("reader", ["s3:*"])
    request = lab.definition(S3, family="on-machine", taskRoleArn=role)
    request["requiresCompatibilities"] = ["EC2"]
    lab.ecs.register_task_definition(**request)
    subnets = lab.network["awsvpcConfiguration"]["subnets"]
    answer = fleet.run(
        "on-machine", networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}}
    )
    arn = answer["tasks"][0]["taskArn"]
    fleet.ecs.get_waiter("tasks_stopped").wait(
        cluster=fleet.name, tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    task = fleet.ecs.describe_tasks(cluster=fleet.name, tasks=[arn])["tasks"][0]
    assert lab.lines(task) == ["ConnectionClosedError"]
