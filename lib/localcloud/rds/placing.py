"""Where a DB instance is in its VPC, and whom its security groups let in."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from moto.rds.exceptions import InvalidParameterValue

from localcloud.network import defaults, reachability, vpc
from localcloud.network.vpc import Place

USUAL_PORT = 5432
RESOURCE_LETTERS = string.ascii_uppercase + "234567"
PlaceOfPeer = Callable[[int, int], Place | None]
"""From a peer's port and ours to the place of the task that holds the connection, if one does."""


def check_groups(ec2: Any, groups: list[str] | None) -> None:
    for group in groups or []:
        if ec2.get_security_group_from_id(group) is None:
            raise InvalidParameterValue(f"Invalid security group , groupId= {group}, groupName=.")


def settle(instance: Any, wanted: dict[str, Any]) -> None:
    """Note what a new instance was asked for that moto does not keep, or gets wrong."""
    instance.asked_port = wanted.get("port") or USUAL_PORT
    # moto gives all instances the same
    instance.dbi_resource_id = "db-" + "".join(secrets.choice(RESOURCE_LETTERS) for _ in range(26))
    group = getattr(instance, "db_subnet_group", None)
    if group and not wanted.get("vpc_security_group_ids"):
        instance.vpc_security_group_ids = [vpc.default_group(_ec2(instance), group.vpc_id)]


def admits(instance: Any, peer_port: int, place_of_peer: PlaceOfPeer) -> bool:
    """Whether the holder of this connection may reach the instance.

    A task may if the security groups of both allow it. Anybody else is the learner's own machine,
    which is let in as if it stood in the VPC. A rule may name the port that the instance was
    asked to have, as on AWS, or the one that it really listens on.
    """
    place = place_of_peer(peer_port, instance.port)
    if place is None:
        return True
    asked = getattr(instance, "asked_port", USUAL_PORT)
    own = _place(instance)
    return bool(reachability.to_place(_ec2(instance), place, own, instance.port, asked))


def _place(instance: Any) -> Place:
    ec2, group = _ec2(instance), getattr(instance, "db_subnet_group", None)
    subnets = [subnet.id for subnet in group._subnets] if group else []
    if not subnets:
        default = ec2.default_vpc.id
        found = (s for by_id in ec2.subnets.values() for s in by_id.values())
        subnets = [subnet.id for subnet in found if subnet.vpc_id == default]
    return Place(tuple(subnets), tuple(instance.vpc_security_group_ids))


def _ec2(instance: Any) -> Any:
    return defaults.backend(instance.account_id, instance.region)
