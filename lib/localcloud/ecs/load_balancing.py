"""Tasks of a service as targets: registered when they run, drained before they are stopped.

A task of a service with load balancers counts as healthy only when its targets are. One whose
targets are unhealthy after the grace period is replaced.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moto.elbv2.models import elbv2_backends

from localcloud import arns
from localcloud.ecs import errors, network
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

POLL_SECONDS = 0.1
FAILED = "Task failed ELB health checks in"


def check(request: dict[str, Any], definition: Item) -> list[dict[str, Any]]:
    """The load balancers of a request, as they are described. Raises what AWS does."""
    found = []
    for wanted in request.get("loadBalancers", []):
        arn = wanted.get("targetGroupArn")
        if not arn or wanted.get("loadBalancerName"):
            raise errors.unsupported("Classic Load Balancers: give a targetGroupArn")
        group = _group(arn)
        if group is None:
            raise errors.invalid_parameter(f"The specified target group does not exist. {arn}")
        if not group.load_balancer_arns:
            raise errors.invalid_parameter(
                f"The target group with targetGroupArn {arn} does not have an associated load "
                "balancer."
            )
        mode = definition.wire.get("networkMode", "bridge")
        if mode == "awsvpc" and group.target_type != "ip":
            raise errors.invalid_parameter(
                f"The provided target group {arn} has target type {group.target_type}, which is "
                "incompatible with the awsvpc network mode specified in the task definition."
            )
        if mode != "awsvpc":
            raise errors.unsupported(f"load balancers of tasks of network mode {mode}: use awsvpc")
        _check_port(wanted, definition)
        found.append(dict(wanted))
    return found


def attach(ecs: Ecs, task: Item) -> None:
    """Register a task that has started with the target groups of its service."""
    service = _service(ecs, task)
    for balancer in service.wire["loadBalancers"] if service else []:
        group = _group(balancer["targetGroupArn"])
        if group is None:
            continue
        target = {"Id": network.address_of(task), "Port": balancer["containerPort"]}
        group.register([target])
        with ecs.state.lock:
            task.private.setdefault("targets", []).append([group.arn, *target.values()])


def states(task: Item) -> list[tuple[str, str]]:
    """Target group and state of each of the task's targets."""
    found = []
    for arn, address, port in task.private.get("targets", []):
        group = _group(arn)
        found.append((arn, group.health((address, port))[0] if group else "unused"))
    return found


def steady(task: Item) -> bool:
    return all(state in ("healthy", "unavailable") for _, state in states(task))


def trouble(service: Item, task: Item) -> str | None:
    """The target group that finds the task unhealthy, once its grace period is over."""
    grace = service.wire.get("healthCheckGracePeriodSeconds", 0)
    if time.time() - task.wire.get("startedAt", time.time()) < grace:
        return None
    return next((arn for arn, state in states(task) if state == "unhealthy"), None)


def explained(task: Item) -> str:
    """The event of a task whose target is unhealthy."""
    for arn, address, port in task.private.get("targets", []):
        group = _group(arn)
        state, _, why = group.health((address, port)) if group else ("unused", None, None)
        if state == "unhealthy":
            return f"(port {port}) is unhealthy in (target-group {arn}) due to (reason {why})"
    return f"(task {task.key}) failed ELB health checks."


def failed(task: Item) -> bool:
    return task.wire.get("stoppedReason", "").startswith(FAILED)


def grace_period(request: dict[str, Any], balancers: list[Any]) -> dict[str, int]:
    """healthCheckGracePeriodSeconds, where the request has it."""
    seconds = request.get("healthCheckGracePeriodSeconds")
    if seconds is None:
        return {}
    if not balancers:
        raise errors.invalid_parameter(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    if seconds < 0:
        raise errors.invalid_parameter("healthCheckGracePeriodSeconds cannot be negative.")
    return {"healthCheckGracePeriodSeconds": seconds}


def detach(ecs: Ecs, task: Item, wait: bool) -> None:
    """Deregister the task's targets and let them finish what they are doing."""
    leaving = []
    for arn, address, port in task.private.pop("targets", []):
        group, key = _group(arn), (address, port)
        if group is not None and key in group.targets:
            group.deregister([{"Id": address, "Port": port}])
            leaving.append((group, key))
    while wait and any(group.health(key)[0] == "draining" for group, key in leaving):
        if ecs.scheduler.closing:
            return
        time.sleep(POLL_SECONDS)


def _service(ecs: Ecs, task: Item) -> Item | None:
    kind, _, name = task.wire["group"].partition(":")
    return ecs.state.get("service", f"{task.cluster}/{name}") if kind == "service" else None


def _group(arn: str) -> Any | None:
    backend = elbv2_backends[arns.ACCOUNT].get(arns.REGION)
    return backend.target_groups.get(arn) if backend else None


def _check_port(wanted: dict[str, Any], definition: Item) -> None:
    name, port = wanted.get("containerName"), wanted.get("containerPort")
    containers = {c["name"]: c for c in definition.wire["containerDefinitions"]}
    if name not in containers:
        raise errors.invalid_parameter(
            f"The container {name} does not exist in the task definition."
        )
    mapped = [m.get("containerPort") for m in containers[name]["portMappings"]]
    if port not in mapped:
        raise errors.invalid_parameter(
            f"The container {name} did not have a container port {port} defined."
        )
