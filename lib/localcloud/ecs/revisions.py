"""Operations on service deployments and service revisions, as newer clients use them."""

from __future__ import annotations

from typing import Any

from localcloud import arns
from localcloud.ecs import deployments, errors, history
from localcloud.ecs.models import Item, State
from localcloud.ecs.pages import page_of

MOST = 20


def list_service_deployments(state: State, request: dict[str, Any]) -> dict[str, Any]:
    service = _service(state, request.get("cluster"), request["service"])
    wanted, period = request.get("status"), request.get("createdAt", {})
    found = [
        _brief(service, record)
        for record in reversed(history.of(service))
        if (not wanted or record["status"] in wanted)
        and _seconds(period.get("after"), 0) <= record["createdAt"]
        and record["createdAt"] <= _seconds(period.get("before"), float("inf"))
    ]
    return page_of(request, found, "serviceDeployments", MOST)


def describe_service_deployments(state: State, request: dict[str, Any]) -> dict[str, Any]:
    found, failures = [], []
    for arn in _some(request["serviceDeploymentArns"]):
        service, record = find(state, arn)
        if record is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(_full(service, record))
    return {"serviceDeployments": found, "failures": failures}


def describe_service_revisions(state: State, request: dict[str, Any]) -> dict[str, Any]:
    found, failures = [], []
    for arn in _some(request["serviceRevisionArns"]):
        service, key = _owner(state, arn, "service-revision")
        known = [r for r in _revisions(service) if r["id"] == key] if service else []
        found += [_revision(state, service, revision) for revision in known[:1]]
        if not known:
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"serviceRevisions": found, "failures": failures}


def find(state: State, arn: str) -> tuple[Item | None, dict[str, Any] | None]:
    """The service of a service deployment's ARN, and the deployment's record."""
    service, key = _owner(state, arn, "service-deployment")
    records = [record for record in history.of(service) if record["id"] == key] if service else []
    return service, records[0] if records else None


def _service(state: State, cluster: str | None, reference: str) -> Item:
    service = state.service(state.cluster(cluster), reference)
    if service is None:
        raise errors.service_not_found()
    return service


def _some(wanted: list[str]) -> list[str]:
    if not 1 <= len(wanted) <= MOST:
        raise errors.invalid_parameter(f"Between 1 and {MOST} ARNs must be specified.")
    return wanted


def _owner(state: State, arn: str, kind: str) -> tuple[Item | None, str]:
    """The service that an ARN belongs to, and the last part of the ARN."""
    resource, _, path = arn.removeprefix(f"{arns.PREFIX}:").partition("/")
    parts = path.split("/")
    if resource != kind or len(parts) != 3:
        raise errors.invalid_parameter(f"Invalid identifier: {arn} is not a {kind} ARN.")
    return state.get("service", f"{parts[0]}/{parts[1]}"), parts[2]


def _arn(kind: str, service: Item, key: str) -> str:
    return f"{arns.PREFIX}:{kind}/{service.key}/{key}"


def _revisions(service: Item) -> list[dict[str, Any]]:
    records = history.of(service)
    sources = [record["source"] for record in records if record["source"]]
    return [*(record["revision"] for record in records), *sources, *_ways_back(records)]


def _ways_back(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record["back"] for record in records if "back" in record]


def _brief(service: Item, record: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "serviceDeploymentArn": _arn("service-deployment", service, record["id"]),
        "serviceArn": service.wire["serviceArn"],
        "clusterArn": service.wire["clusterArn"],
        "startedAt": record["createdAt"],
        "createdAt": record["createdAt"],
        "targetServiceRevisionArn": _arn("service-revision", service, record["revision"]["id"]),
        "status": record["status"],
        "statusReason": record["statusReason"],
    }
    if "finishedAt" in record:
        shown["finishedAt"] = record["finishedAt"]
    return shown


def _full(service: Item, record: dict[str, Any]) -> dict[str, Any]:
    brief = _brief(service, record)
    target = brief.pop("targetServiceRevisionArn")
    live = [d for d in service.wire["deployments"] if d["id"] == record["deployment"]]
    breaker = service.wire["deploymentConfiguration"].get("deploymentCircuitBreaker", {})
    configuration = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        **service.wire["deploymentConfiguration"],
    }
    shown = {
        **brief,
        "updatedAt": record.get("finishedAt", record["createdAt"]),
        "sourceServiceRevisions": [],
        "targetServiceRevision": {"arn": target, **_counts(live)},
        "deploymentConfiguration": configuration,
        "deploymentCircuitBreaker": {
            "status": _breaker(record, breaker),
            "failureCount": live[0]["failedTasks"] if live else 0,
            "threshold": deployments.threshold(service),
        },
        "alarms": {"status": "DISABLED"},
    }
    if record["source"]:
        source = _arn("service-revision", service, record["source"]["id"])
        others = [d for d in service.wire["deployments"] if d not in live]
        shown["sourceServiceRevisions"] = [{"arn": source, **_counts(others)}]
    if "back" in record:
        shown["rollback"] = {
            "reason": record["statusReason"],
            "startedAt": record["rollbackStartedAt"],
            "serviceRevisionArn": _arn("service-revision", service, record["back"]["id"]),
        }
    return shown


def _breaker(record: dict[str, Any], breaker: dict[str, Any]) -> str:
    if not breaker.get("enable"):
        return "DISABLED"
    if record["status"] == "IN_PROGRESS":
        return "MONITORING"
    return "MONITORING_COMPLETE" if record["status"] == "SUCCESSFUL" else "TRIGGERED"


def _counts(records: list[dict[str, Any]]) -> dict[str, int]:
    names = {
        "requestedTaskCount": "desiredCount",
        "runningTaskCount": "runningCount",
        "pendingTaskCount": "pendingCount",
    }
    return {name: sum(record[own] for record in records) for name, own in names.items()}


def _revision(state: State, service: Item, revision: dict[str, Any]) -> dict[str, Any]:
    definition = state.definition(revision["wire"]["taskDefinition"])
    containers = definition.wire["containerDefinitions"] if definition else []
    images = [{"containerName": c["name"], "image": c["image"]} for c in containers]
    return {
        "serviceRevisionArn": _arn("service-revision", service, revision["id"]),
        "serviceArn": service.wire["serviceArn"],
        "clusterArn": service.wire["clusterArn"],
        **revision["wire"],
        "loadBalancers": [],
        "serviceRegistries": [],
        "containerImages": images,
        "guardDutyEnabled": False,
        "createdAt": revision["createdAt"],
    }


def _seconds(value: Any, otherwise: float) -> float:
    return otherwise if value is None else float(value)
