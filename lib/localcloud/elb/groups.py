"""Target groups: moto's record, with targets by address and port that drain when they leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import moto.elbv2.models as models
from moto.elbv2.exceptions import InvalidTargetError, ValidationError

from localcloud.network import vpc

Key = tuple[str, int]
"""A target's address and port."""
Health = tuple[str, str | None, str | None]
"""State, reason and description in AWS's words.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""
REGISTERING: Health = (
    "initial",
    "Elb.RegistrationInProgress",
    "Target registration is in progress",
)
CHECKING: Health = (
    "initial",
    "Elb.InitialHealthChecking",
    "Initial health checks in progress",
)
NOT_REGISTERED: Health = (
    "unused",
    "Target.NotRegistered",
    "Target is not registered to the target group",
)
NOT_IN_USE: Health = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
DRAINING: Health = (
    "draining",
    "Target.DeregistrationInProgress",
    "Target deregistration is in progress",
)
UNCHECKED: Health = ("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled")
HEALTHY: Health = ("healthy", None, None)


class TargetGroup(models.FakeTargetGroup):
    """``targets`` are those that get new requests, ``leaving`` those that finish old ones."""

    # What the checks found; set once, by whoever makes them.
    found: Callable[[TargetGroup, Key], Health] = staticmethod(lambda group, key: REGISTERING)

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        if self.target_type in ("lambda", "alb"):
            raise ValidationError(
                f"The local cloud has no target groups of type '{self.target_type}': use 'ip'"
            )
        self.leaving: dict[Key, float] = {}

    def register(self, targets: list[dict[str, Any]]) -> None:
        for key in [self._checked_key(target) for target in targets]:
            self.targets[key] = {"Id": key[0], "Port": key[1]}
            self.leaving.pop(key, None)

    def deregister(self, targets: list[dict[str, Any]]) -> None:
        keys = [self.key(target) for target in targets]
        for key in keys:
            if key not in self.targets and key not in self.leaving:
                raise InvalidTargetError()
        for key in keys:
            if self.targets.pop(key, None):
                self.leaving[key] = time.time() + self.delay

    @property
    def delay(self) -> float:
        """Seconds that a deregistered target has for requests that are under way."""
        return float(self.attributes["deregistration_delay.timeout_seconds"])

    def key(self, target: dict[str, Any]) -> Key:
        return target["Id"], int(target.get("Port") or self.port)

    def forget_drained(self) -> None:
        for key, until in list(self.leaving.items()):
            if time.time() >= until:
                self.leaving.pop(key, None)

    def health(self, key: Key) -> Health:
        if key in self.targets:
            return TargetGroup.found(self, key)
        if self.leaving.get(key, 0.0) > time.time():
            return DRAINING
        return NOT_REGISTERED

    def health_for(self, target: dict[str, Any], ec2_backend: Any) -> models.FakeHealthStatus:
        key = self.key(target)
        check = self.health_check_port
        port = str(key[1]) if check == "traffic-port" else check
        return models.FakeHealthStatus(key[0], key[1], port, *self.health(key))

    def _checked_key(self, target: dict[str, Any]) -> Key:
        address, port = self.key(target)
        if not 1 <= port <= 65535:
            raise ValidationError(f"The port '{port}' is not valid: it must be 1 to 65535")
        parts = address.split(".")
        if self.target_type == "instance":
            if self.ec2_backend.get_instance_by_id(address) is None:
                raise InvalidTargetError()
        elif len(parts) != 4 or not all(p.isdigit() and int(p) < 256 for p in parts):
            raise ValidationError(f"The IP address '{address}' is not a valid IPv4 address")
        return address, port


def describe_health(self: Any, arn: str, targets: list[dict[str, Any]]) -> list[Any]:
    """In place of moto's: those that drain are listed too."""
    group = self.target_groups.get(arn)
    if group is None:
        raise models.TargetGroupNotFoundError()
    if not targets:
        group.forget_drained()
        keys = [*group.targets, *group.leaving]
        targets = [{"Id": address, "Port": port} for address, port in keys]
    return [group.health_for(target, self.ec2_backend) for target in targets]


def balancers_of(backend: Any, group: TargetGroup) -> list[Any]:
    """The load balancers with a listener or a rule that forwards to the group."""
    found = []
    for balancer in list(backend.load_balancers.values()):
        rules = [r for one in list(balancer.listeners.values()) for r in one.rules.values()]
        if any(group.arn in forwarded(action) for rule in rules for action in rule.actions):
            found.append(balancer)
    return found


def forwarded(action: Any) -> dict[str, int]:
    """The target groups of a forward action, with their weights."""
    data = action.data
    if data.get("Type") != "forward":
        return {}
    several = data.get("ForwardConfig", {}).get("TargetGroups", [])
    if several:
        return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in several}
    return {data["TargetGroupArn"]: 1}


def place_of(balancer: Any, ec2: Any) -> vpc.Place:
    """Where the load balancer is; without a group of its own it has its VPC's default one."""
    groups = balancer.security_groups or [vpc.default_group(ec2, balancer.vpc_id)]
    public = balancer.scheme != "internal"
    subnets = tuple(subnet.id for subnet in balancer.subnets)
    return vpc.Place(subnets, tuple(groups), public, balancer.dns_name)
