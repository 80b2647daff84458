"""What labs need of a VPC: a private one, security groups, and their removal."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from drydock.pipeline.lookup_database import INSTANCE

if TYPE_CHECKING:
    from drydock.study.repair.case import Case

RANGE, PRIVATE_RANGE = "10.77.0.0/16", "10.77.1.0/24"
WAIT_SECONDS = 30


def private_vpc(case: Case) -> None:
    """A VPC with one subnet and a route table that leads nowhere, all named after the lab."""
    ec2 = case.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=RANGE, TagSpecifications=_name("vpc", case))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock=PRIVATE_RANGE, TagSpecifications=_name("subnet", case)
    )["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=_name("route-table", case))
    ec2.associate_route_table(RouteTableId=table["RouteTable"]["RouteTableId"], SubnetId=subnet)


def vpc_of(case: Case) -> str | None:
    """The id of the lab's VPC, if it has one."""
    found = case.client("ec2").describe_vpcs(Filters=_named(case))["Vpcs"]
    return found[0]["VpcId"] if found else None


def subnet_of(case: Case) -> str:
    return case.client("ec2").describe_subnets(Filters=_named(case))["Subnets"][0]["SubnetId"]


def route_table_of(case: Case) -> str:
    found = case.client("ec2").describe_route_tables(Filters=_named(case))["RouteTables"]
    return found[0]["RouteTableId"]


def group(case: Case, name: str, vpc: str, description: str) -> str:
    """A security group without ingress rules; its id."""
    answer = case.client("ec2").create_security_group(
        GroupName=name, Description=description, VpcId=vpc
    )
    return answer["GroupId"]


def group_named(case: Case, name: str) -> dict | None:
    filters = [{"Name": "group-name", "Values": [name]}]
    found = case.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return found[0] if found else None


def database_groups(case: Case) -> list[str]:
    """The security groups of the pipeline's database."""
    found = case.client("rds").describe_db_instances(DBInstanceIdentifier=INSTANCE)
    groups = found["DBInstances"][0]["VpcSecurityGroups"]
    return [group["VpcSecurityGroupId"] for group in groups]


def set_database_groups(case: Case, groups: Iterable[str]) -> None:
    """Give the pipeline's database these security groups, and wait until it has them."""
    rds, wanted = case.client("rds"), sorted(groups)
    rds.modify_db_instance(
        DBInstanceIdentifier=INSTANCE, VpcSecurityGroupIds=wanted, ApplyImmediately=True
    )
    deadline = time.monotonic() + WAIT_SECONDS
    while sorted(database_groups(case)) != wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{INSTANCE} does not take its security groups")
        time.sleep(0.1)


def clean(case: Case, *groups: str) -> None:
    """Remove the security groups of these names, and the lab's VPC with all that is in it."""
    ec2 = case.client("ec2")
    found = [one for one in (group_named(case, name) for name in groups) if one]
    gone = {one["GroupId"] for one in found}
    with suppress(ClientError):  # no such database
        used = database_groups(case)
        if gone & set(used):
            set_database_groups(case, set(used) - gone)
    for one in found:  # groups may name each other in their rules
        if one["IpPermissions"]:
            ec2.revoke_security_group_ingress(
                GroupId=one["GroupId"], IpPermissions=one["IpPermissions"]
            )
    for one in found:
        ec2.delete_security_group(GroupId=one["GroupId"])
    if vpc := vpc_of(case):
        _remove_vpc(ec2, vpc)


def _remove_vpc(ec2, vpc: str) -> None:
    inside = [{"Name": "vpc-id", "Values": [vpc]}]
    endpoints = ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]
    if endpoints:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[e["VpcEndpointId"] for e in endpoints])
    for gateway in ec2.describe_nat_gateways(Filter=inside)["NatGateways"]:
        ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    for table in ec2.describe_route_tables(Filters=inside)["RouteTables"]:
        for association in table["Associations"]:
            if not association.get("Main"):
                ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    for subnet in ec2.describe_subnets(Filters=inside)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for table in ec2.describe_route_tables(Filters=inside)["RouteTables"]:
        if not any(association.get("Main") for association in table["Associations"]):
            ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    for one in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]:
        if one["GroupName"] != "default":
            ec2.delete_security_group(GroupId=one["GroupId"])
    ec2.delete_vpc(VpcId=vpc)


def _name(kind: str, case: Case) -> list[dict]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": case.prefix}]}]


def _named(case: Case) -> list[dict]:
    return [{"Name": "tag:Name", "Values": [case.prefix]}]
