"""May this place in a VPC reach an AWS service, the internet, or a port of another place?

Each function is pure: it reads moto's EC2 state (``ec2``, see ``vpc``), changes nothing, and
answers a Verdict that is true or false and says why, in one line. Where a task has a network of
its own, a door out of it asks here before it lets a connection through.

- ``to_service(ec2, place, "ecr.api")``: an AWS service by the last part of its endpoint's name.
- ``to_internet(ec2, place, 443)``: any public address.
- ``to_place(ec2, place, other, 5432)``: a TCP port of a task or a database in the same VPC.

Security groups are stateful, so only the way there is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localcloud.network import vpc
from localcloud.network.vpc import Place

HTTPS = 443
GATEWAY_SERVICES = ("s3", "dynamodb")


@dataclass(frozen=True)
class Verdict:
    reachable: bool
    why: str

    def __bool__(self) -> bool:
        return self.reachable


def to_service(ec2: Any, place: Place, service: str) -> Verdict:
    """An interface endpoint answers for the service's name in its whole VPC, also where it lets
    nobody in; a gateway endpoint serves the subnets of its route tables; else the internet is the
    way."""
    gateway = None
    for endpoint in vpc.endpoints(ec2, vpc.vpc_of(ec2, place), service):
        if (endpoint.vpc_endpoint_type or "").lower() == "interface":
            if endpoint.private_dns_enabled is not False:
                return _by_interface(ec2, place, endpoint)
        elif _serves(ec2, endpoint, place):
            gateway = endpoint
    if gateway:
        return _by_gateway(ec2, place, gateway)
    found = to_internet(ec2, place, HTTPS)
    missing = "" if found else f", and its VPC has no endpoint of {service}"
    return Verdict(found.reachable, found.why + missing)


def to_internet(ec2: Any, place: Place, port: int) -> Verdict:
    """Out of a public subnet only with a public IP address, out of a private one by NAT."""
    subnet = place.subnets[0] if place.subnets else ""
    out = vpc.way_out(ec2, subnet)
    if not out:
        return Verdict(False, f"subnet {subnet} has no route to the internet")
    if out == "internet gateway" and not place.public:
        return Verdict(False, f"subnet {subnet} is public, but there is no public IP address")
    if not _leaves_for(ec2, place, port, {vpc.ANYWHERE}):
        return Verdict(False, f"no egress rule of {_names(place)} lets port {port} out")
    return Verdict(True, f"by the {out} of subnet {subnet}")


def to_place(ec2: Any, place: Place, other: Place, *ports: int) -> Verdict:
    """One of ``ports`` is enough: they are several names of the same door."""
    home, there = vpc.vpc_of(ec2, place), vpc.vpc_of(ec2, other)
    if home != there or home is None:
        return Verdict(False, f"{home} and {there} are not one VPC")
    for egress, source, target in ((True, place, other), (False, other, place)):
        allowed = any(
            vpc.covers_port(rule, port) and vpc.covers_place(ec2, rule, target)
            for rule in vpc.rules(ec2, source.groups, egress)
            for port in ports
        )
        if not allowed:
            way = "egress" if egress else "ingress"
            shown = " or ".join(map(str, ports))
            return Verdict(False, f"no {way} rule of {_names(source)} allows port {shown}")
    return Verdict(True, f"within {home}")


def _by_interface(ec2: Any, place: Place, endpoint: Any) -> Verdict:
    home = endpoint.vpc_id
    groups = endpoint.security_group_ids or [vpc.default_group(ec2, home)]
    door = Place(tuple(endpoint.subnet_ids or ()), tuple(groups))
    found = to_place(ec2, place, door, HTTPS) if door.subnets else Verdict(False, "no subnet")
    return Verdict(found.reachable, f"endpoint {endpoint.id}: {found.why}")


def _by_gateway(ec2: Any, place: Place, endpoint: Any) -> Verdict:
    targets = {vpc.ANYWHERE, endpoint.destination_prefix_list_id}
    if _leaves_for(ec2, place, HTTPS, targets):
        return Verdict(True, f"endpoint {endpoint.id}")
    return Verdict(False, f"no egress rule of {_names(place)} lets port {HTTPS} out")


def _serves(ec2: Any, endpoint: Any, place: Place) -> bool:
    table = vpc.route_table(ec2, place.subnets[0])
    return table is not None and table.id in (endpoint.route_table_ids or [])


def _leaves_for(ec2: Any, place: Place, port: int, targets: set[str | None]) -> bool:
    return any(
        vpc.covers_port(rule, port) and {rule.cidr_ipv4, rule.prefix_list_id} & (targets - {None})
        for rule in vpc.rules(ec2, place.groups, egress=True)
    )


def _names(place: Place) -> str:
    return ", ".join(place.groups) or "no security group"
