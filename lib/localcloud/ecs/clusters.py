"""Operations on clusters."""

from __future__ import annotations

import re
from typing import Any

from localcloud import arns
from localcloud.ecs import capacity, errors, instances, tags
from localcloud.ecs.models import Item, State
from localcloud.ecs.pages import page

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def create_cluster(state: State, request: dict[str, Any]) -> dict[str, Any]:
    name = request.get("clusterName", "default")
    if not NAME.fullmatch(name):
        raise errors.invalid_parameter(
            "Cluster name must be between 1 and 255 letters, numbers, hyphens and underscores."
        )
    existing = state.get("cluster", name)
    if existing and existing.wire["status"] == "ACTIVE":
        return {"cluster": described(state, existing, ["TAGS"])}
    strategy = request.get("defaultCapacityProviderStrategy", [])
    capacity.check_association(state, request.get("capacityProviders", []), strategy)
    wire = {
        "clusterArn": arns.cluster_arn(name),
        "clusterName": name,
        "status": "ACTIVE",
        "statistics": [],
        "settings": request.get("settings", [{"name": "containerInsights", "value": "disabled"}]),
        "capacityProviders": request.get("capacityProviders", []),
        "defaultCapacityProviderStrategy": strategy,
    }
    if "configuration" in request:
        wire["configuration"] = request["configuration"]
    cluster = state.add("cluster", name, wire, tags.checked(request.get("tags")))
    return {"cluster": described(state, cluster, ["TAGS"])}


def describe_clusters(state: State, request: dict[str, Any]) -> dict[str, Any]:
    found, failures = [], []
    for reference in request.get("clusters") or ["default"]:
        name = arns.last_part(reference)
        cluster = state.get("cluster", name)
        if cluster:
            found.append(described(state, cluster, request.get("include", [])))
        else:
            failures.append({"arn": arns.cluster_arn(name), "reason": "MISSING"})
    return {"clusters": found, "failures": failures}


def list_clusters(state: State, request: dict[str, Any]) -> dict[str, Any]:
    active = [c for c in state.all("cluster") if c.wire["status"] == "ACTIVE"]
    return page(request, active, "clusterArns", lambda cluster: cluster.wire["clusterArn"])


def delete_cluster(state: State, request: dict[str, Any]) -> dict[str, Any]:
    cluster = state.cluster(request["cluster"])
    services = [s for s in state.all("service") if s.cluster == cluster.key]
    if any(service.wire["status"] != "INACTIVE" for service in services):
        raise errors.EcsError(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        )
    if instances.of_cluster(state, cluster.key):
        raise errors.EcsError(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        )
    if any(task.wire["lastStatus"] != "STOPPED" for task in state.tasks(cluster.key)):
        raise errors.EcsError(
            "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
        )
    cluster.wire["status"] = "INACTIVE"
    state.save(cluster)
    return {"cluster": described(state, cluster, [])}


def put_cluster_capacity_providers(state: State, request: dict[str, Any]) -> dict[str, Any]:
    """Replace the cluster's capacity providers and its default strategy."""
    cluster = state.cluster(request["cluster"])
    providers = [arns.last_part(name) for name in request["capacityProviders"]]
    strategy = request["defaultCapacityProviderStrategy"]
    capacity.check_association(state, providers, strategy)
    used = {
        task.wire.get("capacityProviderName")
        for task in state.tasks(cluster.key)
        if task.wire["lastStatus"] != "STOPPED"
    }
    if used & (set(cluster.wire["capacityProviders"]) - set(providers)):
        raise errors.EcsError(
            "ResourceInUseException",
            "The specified capacity provider is in use and cannot be removed.",
        )
    cluster.wire.update(capacityProviders=providers, defaultCapacityProviderStrategy=strategy)
    state.save(cluster)
    return {"cluster": described(state, cluster, ["TAGS"])}


def update_cluster(state: State, request: dict[str, Any]) -> dict[str, Any]:
    cluster = state.cluster(request["cluster"])
    if request.get("serviceConnectDefaults", {}).get("namespace"):
        raise errors.unsupported("Service Connect")
    if "settings" in request:
        _check_settings(request["settings"])
    cluster.wire.update({n: request[n] for n in ("settings", "configuration") if n in request})
    state.save(cluster)
    return {"cluster": described(state, cluster, ["TAGS"])}


def update_cluster_settings(state: State, request: dict[str, Any]) -> dict[str, Any]:
    return update_cluster(state, request)


def _check_settings(settings: list[dict[str, str]]) -> None:
    for setting in settings:
        if setting.get("value") not in ("enabled", "disabled", "enhanced"):
            raise errors.invalid_parameter(
                f"The cluster setting {setting.get('name')} is enabled, disabled or enhanced."
            )


def described(state: State, cluster: Item, include: list[str]) -> dict[str, Any]:
    """A cluster as the API shows it, with its counts of this moment."""
    statuses = [task.wire["lastStatus"] for task in state.tasks(cluster.key)]
    services = [s for s in state.all("service") if s.cluster == cluster.key]
    return {
        **cluster.wire,
        "registeredContainerInstancesCount": len(instances.of_cluster(state, cluster.key)),
        "runningTasksCount": statuses.count("RUNNING"),
        "pendingTasksCount": statuses.count("PROVISIONING") + statuses.count("PENDING"),
        "activeServicesCount": sum(s.wire["status"] == "ACTIVE" for s in services),
        "tags": cluster.tags if "TAGS" in include else [],
    }
