"""Operations on services. ``reconciler`` is what makes them true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import (
    capacity,
    deployments,
    errors,
    history,
    launch,
    load_balancing,
    placement,
    revisions,
    tags,
)
from localcloud.ecs.models import Item, State, now
from localcloud.ecs.pages import page

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
NOT_SUPPORTED = {
    "serviceRegistries": "service discovery",
    "volumeConfigurations": "volumes managed by a service",
    "vpcLatticeConfigurations": "VPC Lattice",
}
NEW_DEPLOYMENT = (
    "taskDefinition",
    "networkConfiguration",
    "capacityProviderStrategy",
    "loadBalancers",
)
CHANGEABLE = (
    "networkConfiguration",
    "enableExecuteCommand",
    "propagateTags",
    "placementConstraints",
    "placementStrategy",
)


def create_service(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    cluster = state.cluster(request.get("cluster"))
    name = request["serviceName"]
    if not NAME.fullmatch(name):
        raise errors.invalid_parameter(
            "The service name must be 1 to 255 letters, numbers, hyphens and underscores."
        )
    _check_supported(request)
    _check_free(state, cluster, name)
    if "taskDefinition" not in request:
        raise errors.invalid_parameter("TaskDefinition can not be blank.")
    definition = launch.active_definition(state, request["taskDefinition"])
    launch_type, strategy = capacity.of_request(state, cluster, request)
    network = request.get("networkConfiguration")
    launch.check_definition(definition, launch_type, network)
    _check_placement(launch_type, request)
    desired = _count(request.get("desiredCount", 1))
    wire = {
        "serviceArn": arns.service_arn(cluster.key, name),
        "serviceName": name,
        "clusterArn": cluster.wire["clusterArn"],
        "status": "ACTIVE",
        "desiredCount": desired,
        "runningCount": 0,
        "pendingCount": 0,
        "taskDefinition": definition.wire["taskDefinitionArn"],
        "deploymentConfiguration": _deployment_configuration(request),
        "deploymentController": {"type": "ECS"},
        "deployments": [],
        "events": [],
        "createdAt": now(),
        "createdBy": f"arn:aws:iam::{arns.ACCOUNT}:root",
        "schedulingStrategy": "REPLICA",
        "loadBalancers": load_balancing.check(request, definition),
        "serviceRegistries": [],
        "placementConstraints": request.get("placementConstraints", []),
        "placementStrategy": request.get("placementStrategy", []),
        "enableECSManagedTags": request.get("enableECSManagedTags", False),
        "enableExecuteCommand": request.get("enableExecuteCommand", False),
        "propagateTags": request.get("propagateTags", "NONE"),
    }
    wire |= load_balancing.grace_period(request, wire["loadBalancers"])
    if network:
        wire["networkConfiguration"] = network
    if strategy:
        wire["capacityProviderStrategy"] = strategy
    else:
        wire["launchType"] = launch_type
    if launch_type == "FARGATE":
        wire.update(platformVersion=launch.PLATFORM_VERSION, platformFamily="Linux")
    elif "placementStrategy" not in request:
        wire["placementStrategy"] = placement.SPREAD_BY_ZONE
    key = f"{cluster.key}/{name}"
    its_tags = tags.checked(request.get("tags"))
    item = state.add("service", key, wire, its_tags)
    deployments.begin(item)
    state.save(item)
    return {"service": described(item, ["TAGS"])}


def update_service(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    item = _find(state, request)
    if item.wire["status"] != "ACTIVE":
        raise errors.service_not_active()
    _check_supported(request)
    wire, changes = item.wire, {}
    if "taskDefinition" in request:
        definition = launch.active_definition(state, request["taskDefinition"])
        changes["taskDefinition"] = definition.wire["taskDefinitionArn"]
    changes |= {name: request[name] for name in CHANGEABLE if name in request}
    launch_type = deployments.launch_type(item)
    if request.get("capacityProviderStrategy"):
        cluster = state.cluster(item.cluster)
        wanted, strategy = capacity.of_request(state, cluster, request)
        if wanted != launch_type:
            raise errors.unsupported("moving a service between EC2 and Fargate: make a new one")
        changes["capacityProviderStrategy"] = strategy
    if "desiredCount" in request:
        changes["desiredCount"] = _count(request["desiredCount"])
    if "deploymentConfiguration" in request:
        changes["deploymentConfiguration"] = _deployment_configuration(request)
    after = {**wire, **changes}
    definition = launch.active_definition(state, after["taskDefinition"])
    launch.check_definition(definition, launch_type, after.get("networkConfiguration"))
    _check_placement(launch_type, request)
    if "loadBalancers" in request:
        changes["loadBalancers"] = load_balancing.check(request, definition)
    balancers = changes.get("loadBalancers", wire["loadBalancers"])
    changes |= load_balancing.grace_period(request, balancers)
    if "capacityProviderStrategy" in changes:
        wire.pop("launchType", None)
    replaced = any(after.get(name) != wire.get(name) for name in NEW_DEPLOYMENT)
    wire.update(changes)
    if replaced or request.get("forceNewDeployment"):
        deployments.begin(item)
    else:
        deployments.resize(item)
    state.save(item)
    return {"service": described(item, ["TAGS"])}


def describe_services(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    cluster = state.cluster(request.get("cluster"))
    if not 1 <= len(request["services"]) <= 10:
        raise errors.invalid_parameter("Between 1 and 10 services must be specified.")
    found, failures = [], []
    for reference in request["services"]:
        item = state.service(cluster, reference)
        if item:
            found.append(described(item, request.get("include", [])))
        else:
            arn = arns.service_arn(cluster.key, arns.last_part(reference))
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"services": found, "failures": failures}


def list_services(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    cluster = ecs.state.cluster(request.get("cluster"))
    launch_type = request.get("launchType")
    chosen = [
        s
        for s in ecs.state.all("service")
        if s.cluster == cluster.key
        and s.wire["status"] == "ACTIVE"
        and launch_type in (None, s.wire.get("launchType"))
    ]
    return page(request, chosen, "serviceArns", lambda item: item.wire["serviceArn"])


def delete_service(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    item = _find(state, request)
    if item.wire["status"] != "ACTIVE":
        raise errors.service_not_active()
    if item.wire["desiredCount"] > 0 and not request.get("force"):
        raise errors.invalid_parameter("The service cannot be stopped while it is scaled above 0.")
    item.wire.update(status="DRAINING", desiredCount=0)
    deployments.resize(item)
    state.save(item)
    return {"service": described(item, ["TAGS"])}


def list_services_by_namespace(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    """None: a service can be in a namespace only by Service Connect, which is refused."""
    return {"serviceArns": []}


def stop_service_deployment(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    """Go back to what ran before. ABORT, as on AWS, is only for other deployment strategies."""
    arn = request["serviceDeploymentArn"]
    service, record = revisions.find(ecs.state, arn)
    if record is None:
        raise errors.EcsError(
            "ServiceDeploymentNotFoundException", "The service deployment was not found."
        )
    if record["status"] != "IN_PROGRESS" or record is not history.of(service)[-1]:
        raise errors.EcsError(
            "ConflictException", "The service deployment is not in progress and cannot be stopped."
        )
    if request.get("stopType", "ROLLBACK") != "ROLLBACK":
        raise errors.invalid_parameter("A rolling deployment can only be stopped with ROLLBACK.")
    ecs.reconciler.fail(service, True, "The deployment was stopped by a user.")
    ecs.state.save(service)
    return {"serviceDeploymentArn": arn}


def described(item: Item, include: list[str]) -> dict[str, Any]:
    return {**item.wire, "tags": item.tags if "TAGS" in include else []}


def _find(state: State, request: dict[str, Any]) -> Item:
    item = state.service(state.cluster(request.get("cluster")), request["service"])
    if item is None:
        raise errors.service_not_found()
    return item


def _check_free(state: State, cluster: Item, name: str) -> None:
    existing = state.service(cluster, name)
    if existing is None or existing.wire["status"] == "INACTIVE":
        return
    if existing.wire["status"] == "DRAINING":
        raise errors.invalid_parameter("Unable to Start a service that is still Draining.")
    raise errors.invalid_parameter("Creation of service was not idempotent.")


def _check_supported(request: dict[str, Any]) -> None:
    for name, what in NOT_SUPPORTED.items():
        if request.get(name):
            raise errors.unsupported(what)
    if request.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise errors.invalid_parameter(
            "The DAEMON scheduling strategy is not supported with FARGATE launch type."
        )
    if request.get("deploymentController", {}).get("type", "ECS") != "ECS":
        raise errors.unsupported("deployment controllers other than ECS")
    if request.get("serviceConnectConfiguration", {}).get("enabled"):
        raise errors.unsupported("Service Connect")


def _check_placement(launch_type: str, request: dict[str, Any]) -> None:
    placement.check(request)
    asked = request.get("placementConstraints") or request.get("placementStrategy")
    if asked and launch_type == "FARGATE":
        raise errors.invalid_parameter(
            "Placement constraints and strategies are not supported with FARGATE launch type."
        )


def _count(desired: int) -> int:
    if desired < 0:
        raise errors.invalid_parameter("desiredCount cannot be negative.")
    return desired


def _deployment_configuration(request: dict[str, Any]) -> dict[str, Any]:
    found = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        **request.get("deploymentConfiguration", {}),
    }
    low, high = found["minimumHealthyPercent"], found["maximumPercent"]
    if low < 0 or high < 0 or (low > 100 and high < low) or (low >= 100 and high <= 100):
        raise errors.invalid_parameter(
            "minimumHealthyPercent and maximumPercent leave no room to replace a task."
        )
    return found
