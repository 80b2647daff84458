"""What AWS gives every account and moto leaves out: a default VPC with a way to the internet, and
default security groups whose members reach each other.

https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule

from localcloud.network.vpc import ANYWHERE

DONE = "_default_vpc_is_complete"


def install() -> None:
    """Complete EC2 wherever it starts from now on. Calling it again changes nothing."""
    if getattr(EC2Backend, "_completes", False):
        return
    EC2Backend._completes = True
    begin, add_group = EC2Backend.__init__, EC2Backend.create_security_group

    def __init__(self: Any, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        complete(self)

    def create_security_group(self: Any, *args: Any, **options: Any) -> Any:
        group = add_group(self, *args, **options)
        if group.is_default:
            _allow_own_members(self, group)
        return group

    EC2Backend.__init__ = __init__
    EC2Backend.create_security_group = create_security_group


def backend(account: str, region: str) -> Any:
    """moto's EC2, complete even if an older server kept it without."""
    ec2 = ec2_backends[account][region]
    complete(ec2)
    return ec2


def complete(ec2: Any) -> None:
    """Once in its life: what somebody removes afterwards stays removed."""
    if getattr(ec2, DONE, False):
        return
    setattr(ec2, DONE, True)
    for groups in list(ec2.groups.values()):
        for group in groups.values():
            if group.is_default:
                _allow_own_members(ec2, group)
    default = next((v for v in ec2.vpcs.values() if v.is_default), None)
    if default is None or any(g.vpc is default for g in ec2.internet_gateways.values()):
        return
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, default.id)
    main = next(
        t for t in ec2.route_tables.values() if t.vpc_id == default.id and t.main_association_id
    )
    if not any(route.destination_cidr_block == ANYWHERE for route in main.routes):
        ec2.create_route(main.id, ANYWHERE, gateway_id=gateway.id)


def _allow_own_members(ec2: Any, group: Any) -> None:
    members = {"GroupId": group.id, "UserId": ec2.account_id, "GroupName": group.name}
    if any(rule.source_group.get("GroupId") == group.id for rule in group.ingress_rules):
        return
    rule = SecurityGroupRule(
        ec2, "-1", group.id, None, None, None, source_group=members, is_egress=False
    )
    group.add_ingress_rule(rule)
