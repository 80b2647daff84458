"""What labs need of a load balancer: it, its target group and its entrance, and their removal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

from drydock.study.repair import networks

if TYPE_CHECKING:
    from drydock.study.repair.case import Case

CHECKS = {
    "HealthCheckPath": "/healthz",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
PATIENCE_SECONDS = 60.0  # longer than any limit on the way: who gives up first is not this client


def ask(url: str, method: str = "GET", **headers: str) -> httpx.Response:
    """One request, with no proxy between. Raises httpx.TransportError."""
    return httpx.request(method, url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)


def entrance(case: Case) -> str:
    """A security group, named after the lab, that lets everybody in on port 80; its id."""
    ec2 = case.client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    group = networks.group(case, case.prefix, vpc["VpcId"], "entrance of the load balancer")
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    return group


def load_balancer(case: Case, port: int, *groups: str, scheme: str = "internal") -> dict:
    """A load balancer before a target group of `port`, both named after the lab; its listener.

    It is a member of the VPC's default group, as the tasks are, and of `groups`.
    """
    elbv2, network = case.client("elbv2"), case.lab.network()["awsvpcConfiguration"]
    [subnet, *_] = case.client("ec2").describe_subnets(SubnetIds=network["subnets"])["Subnets"]
    [targets] = elbv2.create_target_group(
        Name=case.prefix,
        Protocol="HTTP",
        Port=port,
        VpcId=subnet["VpcId"],
        TargetType="ip",
        **CHECKS,
    )["TargetGroups"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=targets["TargetGroupArn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}],
    )
    [balancer] = elbv2.create_load_balancer(
        Name=case.prefix,
        Subnets=network["subnets"],
        SecurityGroups=[*network["securityGroups"], *groups],
        Scheme=scheme,
    )["LoadBalancers"]
    [listener] = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets["TargetGroupArn"]}],
    )["Listeners"]
    return listener


def target_group(case: Case) -> str:
    """ARN of the lab's target group."""
    [found] = case.client("elbv2").describe_target_groups(Names=[case.prefix])["TargetGroups"]
    return found["TargetGroupArn"]


def balancer_url(case: Case) -> str:
    """Where the lab's load balancer is asked."""
    elbv2 = case.client("elbv2")
    [balancer] = elbv2.describe_load_balancers(Names=[case.prefix])["LoadBalancers"]
    found = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return f"http://{balancer['DNSName']}:{found[0]['Port']}"


def health(case: Case) -> list[dict]:
    """The TargetHealth of each target: State, and Reason and Description where it has them."""
    found = case.client("elbv2").describe_target_health(TargetGroupArn=target_group(case))
    return [one["TargetHealth"] for one in found["TargetHealthDescriptions"]]


def clean(case: Case) -> None:
    """Remove what the functions above have made; what is not there is passed over."""
    _balancer(case)
    networks.clean(case, case.prefix)  # a group that a balancer has cannot be removed


def _balancer(case: Case) -> None:
    elbv2 = case.client("elbv2")
    with suppress(elbv2.exceptions.LoadBalancerNotFoundException):
        [found] = elbv2.describe_load_balancers(Names=[case.prefix])["LoadBalancers"]
        elbv2.delete_load_balancer(LoadBalancerArn=found["LoadBalancerArn"])
    with suppress(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.delete_target_group(TargetGroupArn=target_group(case))
