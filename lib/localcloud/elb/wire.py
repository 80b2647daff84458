"""moto's elbv2 operations, with what it lacks: addresses, checks of input, and real effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import moto.elbv2.models as models
from moto.elbv2.exceptions import ELBClientError, ValidationError

from localcloud import acm
from localcloud.elb.groups import TargetGroup, describe_health
from localcloud.elb.listeners import new_address

if TYPE_CHECKING:
    from localcloud.elb import Elb

Backend = models.ELBv2Backend
EFFECTIVE = ("create_listener", "modify_listener", "delete_listener", "delete_load_balancer")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
BOUNDS = {"interval": (5, 300), "timeout": (2, 120), "threshold": (2, 10)}
MOST_DELAY = 3600
LISTENER = ("port", "protocol", "ssl_policy", "certificates")
# The order in which moto gives what ModifyTargetGroup may change.
MODIFIED = (
    "protocol",
    "port",
    "path",
    "healthcheck_interval_seconds",
    "healthcheck_timeout_seconds",
    "healthy_threshold_count",
    "unhealthy_threshold_count",
)


def install(elb: Elb) -> None:
    """Put the mended operations in place of moto's."""
    original = _originals()
    models.FakeTargetGroup = TargetGroup
    Backend.describe_target_health = describe_health
    for name in EFFECTIVE:
        setattr(Backend, name, _followed(elb, original[name]))
    listening, modifying = Backend.create_listener, Backend.modify_listener

    def create_load_balancer(self: Backend, name: str, *args: Any, **options: Any) -> Any:
        kind = options.get("loadbalancer_type") or "application"
        if kind != "application":
            raise ValidationError(f"The local cloud has no {kind} load balancers: use application")
        if any(one.name == name for one in self.load_balancers.values()):
            raise models.DuplicateLoadBalancerName()
        groups = options.get("security_groups") or (args[0] if args else [])
        for group in groups or []:
            if self.ec2_backend.get_security_group_from_id(group) is None:
                message = f"The security group '{group}' does not exist"
                raise ELBClientError("InvalidSecurityGroup", message)
        options["scheme"] = options.get("scheme") or "internet-facing"
        balancer = original["create_load_balancer"](self, name, *args, **options)
        balancer.dns_name = new_address()
        return balancer

    def create_listener(
        self: Backend, load_balancer_arn: str, protocol: str, port: Any, *args: Any, **options: Any
    ) -> Any:
        _check_protocol(protocol, options.get("certificate"))
        balancer = self.load_balancers.get(load_balancer_arn)
        if balancer and any(int(one.port) == int(port) for one in balancer.listeners.values()):
            raise models.DuplicateListenerError()
        return listening(self, load_balancer_arn, protocol, port, *args, **options)

    def modify_listener(self: Backend, arn: str, *args: Any, **options: Any) -> Any:
        given = dict(zip(LISTENER, args, strict=False)) | options
        (known,) = self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])
        certificates = given.get("certificates") or []
        certificate = certificates[0]["CertificateArn"] if certificates else known.certificate
        _check_protocol(given.get("protocol") or known.protocol, certificate)
        return modifying(self, arn, *args, **options)

    def create_target_group(self: Backend, name: str, **options: Any) -> Any:
        _check_health_settings(options)
        return original["create_target_group"](self, name, **options)

    def modify_target_group(self: Backend, arn: str, *args: Any, **options: Any) -> Any:
        _check_health_settings(dict(zip(MODIFIED, args, strict=False)))
        return original["modify_target_group"](self, arn, *args, **options)

    def modify_target_group_attributes(self: Backend, arn: str, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            if name == "deregistration_delay.timeout_seconds":
                _require("Deregistration delay", value, 0, MOST_DELAY)
            if name == "stickiness.enabled" and value == "true":
                raise ValidationError("The local cloud's load balancers have no stickiness")
        original["modify_target_group_attributes"](self, arn, attributes)

    Backend.create_load_balancer = create_load_balancer
    Backend.create_listener = create_listener
    Backend.modify_listener = modify_listener
    Backend.create_target_group = create_target_group
    Backend.modify_target_group = modify_target_group
    Backend.modify_target_group_attributes = modify_target_group_attributes


def _check_protocol(protocol: str, certificate: str | None) -> None:
    if protocol not in ("HTTP", "HTTPS"):
        raise ValidationError(f"The local cloud has no {protocol} listeners: use HTTP or HTTPS")
    if protocol == "HTTPS" and not certificate:
        raise ValidationError("A certificate must be specified for HTTPS listeners")
    if protocol == "HTTPS" and (":acm:" not in certificate or not acm.certificate(certificate)):
        raise ELBClientError("CertificateNotFound", f"Certificate '{certificate}' not found")


def _originals() -> dict[str, Callable]:
    """moto's own methods, also when ours are in their place already."""
    names = (*EFFECTIVE, "create_load_balancer", "create_target_group", "modify_target_group")
    names += ("modify_target_group_attributes",)
    if "_moto" not in Backend.__dict__:
        Backend._moto = {name: getattr(Backend, name) for name in names}
    return Backend._moto


def _followed(elb: Elb, method: Callable) -> Callable:
    def carry_out(self: Backend, *args: Any, **options: Any) -> Any:
        try:
            return method(self, *args, **options)
        finally:
            elb.sync()

    return carry_out


def _check_health_settings(options: dict[str, Any]) -> None:
    for name, what in [
        ("healthcheck_interval_seconds", "interval"),
        ("healthcheck_timeout_seconds", "timeout"),
        ("healthy_threshold_count", "threshold"),
        ("unhealthy_threshold_count", "threshold"),
    ]:
        if options.get(name) is not None:
            _require(f"Health check {what}", options[name], *BOUNDS[what])


def _require(what: str, value: Any, low: int, high: int) -> None:
    if not str(value).isdigit() or not low <= int(value) <= high:
        raise ValidationError(f"{what} '{value}' must be between '{low}' and '{high}' inclusive")
