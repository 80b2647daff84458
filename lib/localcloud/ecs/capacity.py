"""Where tasks get their capacity from: a launch type, or a strategy of capacity providers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from localcloud import arns
from localcloud.ecs import errors, tags
from localcloud.ecs.models import Item, State

FARGATE = ("FARGATE", "FARGATE_SPOT")
NOT_FOUND = "The specified capacity provider was not found."
NOT_ASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not "
    "associated with the cluster. Associate the capacity provider with the cluster and try again."
)
MOST_WEIGHT, MOST_BASE, MOST_PROVIDERS = 1000, 100_000, 20
Strategy = list[dict[str, Any]]


def of_request(state: State, cluster: Item, request: dict[str, Any]) -> tuple[str, Strategy]:
    """Launch type, and strategy (empty if a launch type was asked for)."""
    strategy = request.get("capacityProviderStrategy", [])
    if strategy and "launchType" in request:
        raise errors.invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    if "launchType" in request:
        if request["launchType"] not in ("EC2", "FARGATE"):
            raise errors.unsupported(f"launch type {request['launchType']}")
        return request["launchType"], []
    strategy = strategy or cluster.wire["defaultCapacityProviderStrategy"]
    if not strategy:
        return "EC2", []
    check_strategy(state, strategy, cluster.wire["capacityProviders"])
    return "FARGATE" if strategy[0]["capacityProvider"] in FARGATE else "EC2", strategy


def check_strategy(state: State, strategy: Strategy, associated: list[str]) -> None:
    names = [item["capacityProvider"] for item in strategy]
    for name in names:
        if name not in FARGATE and state.get("provider", name) is None:
            raise errors.invalid_parameter(NOT_FOUND)
        if name not in associated:
            raise errors.invalid_parameter(NOT_ASSOCIATED)
    if len(set(names)) < len(names) or len(names) > MOST_PROVIDERS:
        raise errors.invalid_parameter(
            f"A capacity provider strategy names up to {MOST_PROVIDERS} providers, each once."
        )
    if len({name in FARGATE for name in names}) > 1:
        raise errors.invalid_parameter(
            "The specified capacity provider strategy cannot contain both Fargate and Auto Scaling "
            "group capacity providers."
        )
    for item in strategy:
        if not 0 <= item.get("weight", 0) <= MOST_WEIGHT:
            raise errors.invalid_parameter(f"The weight must be between 0 and {MOST_WEIGHT}.")
        if not 0 <= item.get("base", 0) <= MOST_BASE:
            raise errors.invalid_parameter(f"The base must be between 0 and {MOST_BASE}.")
    if sum(item.get("base", 0) > 0 for item in strategy) > 1:
        raise errors.invalid_parameter(
            "Only one capacity provider in a strategy can have a base value defined."
        )
    if len(strategy) > 1 and not any(item.get("weight") for item in strategy):
        raise errors.invalid_parameter(
            "At least one capacity provider must have a weight greater than 0."
        )


def next_provider(strategy: Strategy, running: Counter[str]) -> str | None:
    """Whose turn it is, with ``running`` tasks on each already: base first, the rest by weight."""
    for item in strategy:
        if running[item["capacityProvider"]] < item.get("base", 0):
            return item["capacityProvider"]
    weighted = [item for item in strategy if item.get("weight")] or strategy[:1]

    def load(item: dict[str, Any]) -> float:
        beyond_base = running[item["capacityProvider"]] - item.get("base", 0)
        return (beyond_base + 1) / (item.get("weight") or 1)

    return min(weighted, key=load)["capacityProvider"] if weighted else None


def create_capacity_provider(state: State, request: dict[str, Any]) -> dict[str, Any]:
    name, group = request["name"], request.get("autoScalingGroupProvider")
    if name.lower().startswith(("aws", "ecs", "fargate")):
        raise errors.client_error(
            "The specified capacity provider name is not valid: it cannot start with aws, ecs or "
            "fargate."
        )
    if not group:
        raise errors.unsupported("capacity providers other than of an Auto Scaling group")
    _check_unmanaged(group)
    if state.get("provider", name):
        raise errors.client_error("A capacity provider with the same name already exists.")
    wire = {
        "capacityProviderArn": arns.provider_arn(name),
        "name": name,
        "status": "ACTIVE",
        "type": "EC2_AUTOSCALING",
        "autoScalingGroupProvider": {
            "managedScaling": {"status": "DISABLED"},
            "managedTerminationProtection": "DISABLED",
            **group,
        },
    }
    item = state.add("provider", name, wire, tags.checked(request.get("tags")))
    return {"capacityProvider": {**item.wire, "tags": item.tags}}


def update_capacity_provider(state: State, request: dict[str, Any]) -> dict[str, Any]:
    name = arns.last_part(request["name"])
    item = state.get("provider", name)
    if item is None:
        raise errors.client_error(NOT_FOUND)
    changes = request.get("autoScalingGroupProvider", {})
    _check_unmanaged(changes)
    item.wire["autoScalingGroupProvider"].update(changes)
    state.save(item)
    return {"capacityProvider": {**item.wire, "tags": item.tags}}


def _check_unmanaged(group: dict[str, Any]) -> None:
    if group.get("managedScaling", {}).get("status") == "ENABLED":
        raise errors.unsupported("managed scaling: change the group's desired capacity yourself")


def describe_capacity_providers(state: State, request: dict[str, Any]) -> dict[str, Any]:
    names = [arns.last_part(name) for name in request.get("capacityProviders", [])]
    own = {item.key: item for item in state.all("provider")}
    wanted = names or [*FARGATE, *own]
    shown, failures = [], []
    for name in wanted:
        if name in FARGATE:
            arn = arns.provider_arn(name)
            wire = {"capacityProviderArn": arn, "name": name, "status": "ACTIVE", "type": name}
            shown.append({**wire, "tags": []})
        elif name in own:
            with_tags = own[name].tags if "TAGS" in request.get("include", []) else []
            shown.append({**own[name].wire, "tags": with_tags})
        else:
            failures.append({"arn": arns.provider_arn(name), "reason": "MISSING"})
    return {"capacityProviders": shown, "failures": failures}


def delete_capacity_provider(state: State, request: dict[str, Any]) -> dict[str, Any]:
    name = arns.last_part(request["capacityProvider"])
    item = state.get("provider", name)
    if item is None:
        raise errors.client_error(
            f"The capacity provider '{name}' cannot be deleted." if name in FARGATE else NOT_FOUND
        )
    users = [c for c in state.all("cluster") if name in c.wire["capacityProviders"]]
    if any(cluster.wire["status"] == "ACTIVE" for cluster in users):
        raise errors.client_error(
            "The specified capacity provider is in use and cannot be removed: disassociate it from "
            f"the cluster {users[0].key} first."
        )
    state.remove(item)
    return {"capacityProvider": {**item.wire, "status": "INACTIVE"}}


def check_association(state: State, providers: list[str], strategy: Strategy) -> None:
    """Raise unless a cluster may have these providers, and this default strategy of them."""
    for name in providers:
        if name not in FARGATE and state.get("provider", name) is None:
            raise errors.invalid_parameter(NOT_FOUND)
    check_strategy(state, strategy, providers)
