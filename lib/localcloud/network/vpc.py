"""A VPC as moto's EC2 keeps it: subnets, routes, endpoints and security groups, for reading.

``ec2`` is moto's backend of one account and region. Network ACLs, DNS settings, peering and
IPv6 play no part.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Place:
    """Where something is: its subnets (a task has one), security groups, and addresses.

    ``public`` says that it has a public IP address. ``address`` is what it goes by on this
    machine; in the VPC it has one of its subnet's.
    """

    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    public: bool = False
    address: str | None = None


def subnet_of(ec2: Any, subnet_id: str) -> Any | None:
    for by_id in list(ec2.subnets.values()):
        if subnet_id in by_id:
            return by_id[subnet_id]
    return None


def vpc_of(ec2: Any, place: Place) -> str | None:
    """The id of the VPC that the place is in; None if its subnet is gone."""
    subnet = subnet_of(ec2, place.subnets[0]) if place.subnets else None
    return subnet.vpc_id if subnet else None


def default_group(ec2: Any, vpc_id: str) -> str | None:
    groups = list(ec2.groups.get(vpc_id, {}).values())
    return next((group.id for group in groups if group.name == "default"), None)


def route_table(ec2: Any, subnet_id: str) -> Any | None:
    """The table that the subnet is associated with, or the main one of its VPC."""
    subnet = subnet_of(ec2, subnet_id)
    tables = list(ec2.route_tables.values()) if subnet else []
    for table in tables:
        if subnet_id in table._associations.values():
            return table
    mains = (t for t in tables if t.vpc_id == subnet.vpc_id and t.main_association_id)
    return next(mains, None)


def way_out(ec2: Any, subnet_id: str) -> str:
    """What the default route of the subnet leads to: "internet gateway", "nat gateway" or ""."""
    table = route_table(ec2, subnet_id)
    for route in table.routes if table else []:
        if route.destination_cidr_block != ANYWHERE:
            continue
        if getattr(route.gateway, "id", "").startswith("igw-"):
            attached = getattr(route.gateway.vpc, "id", None) == table.vpc_id
            return "internet gateway" if attached else ""
        if route.nat_gateway:
            return "nat gateway" if _nat_works(ec2, route.nat_gateway) else ""
        if route.instance:
            return "nat gateway" if route.instance.state == "running" else ""
    return ""


def _nat_works(ec2: Any, gateway: Any) -> bool:
    """A public NAT gateway works only where it stands in a subnet with an internet gateway."""
    here = gateway.id in ec2.nat_gateways and gateway.state == "available"
    private = gateway.connectivity_type == "private"
    return here and not private and way_out(ec2, gateway.subnet_id) == "internet gateway"


def endpoints(ec2: Any, vpc_id: str | None, service: str) -> Iterator[Any]:
    """The VPC's available endpoints of an AWS service, by its short name such as ``ecr.api``."""
    for endpoint in list(ec2.vpc_end_points.values()):
        named = endpoint.service_name.split(".", 3)[-1] == service
        if named and endpoint.vpc_id == vpc_id and endpoint.state == "available":
            yield endpoint


def rules(ec2: Any, groups: Iterable[str], egress: bool) -> Iterator[Any]:
    for group_id in groups:
        group = ec2.get_security_group_from_id(group_id)
        if group:
            yield from list(group.egress_rules if egress else group.ingress_rules)


def covers_port(rule: Any, port: int) -> bool:
    """Whether a rule is about this TCP port."""
    if rule.ip_protocol == "-1":
        return True
    return rule.ip_protocol == "tcp" and rule.from_port <= port <= rule.to_port


def covers_place(ec2: Any, rule: Any, place: Place) -> bool:
    """Whether a rule names the place: one of its groups, its address, or all of its subnets."""
    if rule.source_group:
        return rule.source_group.get("GroupId") in place.groups
    if not rule.cidr_ipv4:
        return False
    network = ipaddress.ip_network(rule.cidr_ipv4, strict=False)
    if place.address and ipaddress.ip_address(place.address) in network:
        return True
    found = [subnet_of(ec2, subnet) for subnet in place.subnets]
    return bool(found) and all(
        subnet and ipaddress.ip_network(subnet.cidr_block).subnet_of(network) for subnet in found
    )
