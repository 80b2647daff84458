"""Operations on tasks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import capacity, errors, instances, launch, placement, starting, tags
from localcloud.ecs.models import Item, State
from localcloud.ecs.pages import page

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

MOST_TASKS = 10
LIST_FILTERS = {"containerInstance", "daemonName", "desiredStatus", "family", "launchType"}
LIST_FILTERS |= {"serviceName"}


def run_task(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    count = request.get("count", 1)
    if not 1 <= count <= MOST_TASKS:
        raise errors.invalid_parameter(f"Count must be between 1 and {MOST_TASKS}.")
    cluster = state.cluster(request.get("cluster"))
    before = _of_same_request(state, cluster, request.get("clientToken"))
    if before:
        return {"tasks": [described(task, ["TAGS"]) for task in before], "failures": []}
    definition = launch.active_definition(state, request["taskDefinition"])
    launch_type, strategy = capacity.of_request(state, cluster, request)
    network = request.get("networkConfiguration")
    launch.check_definition(definition, launch_type, network)
    _check_placement(state, cluster, launch_type, request)
    overrides = request.get("overrides", {})
    launch.check_overrides(definition, launch_type, overrides)
    family = definition.wire["family"]
    order = launch.Launch(
        cluster=cluster,
        definition=definition,
        group=request.get("group", f"family:{family}"),
        network=network,
        overrides=overrides,
        tags=_task_tags(request, definition),
        started_by=request.get("startedBy"),
        launch_type=launch_type,
        capacity_strategy=strategy,
        constraints=request.get("placementConstraints", []),
        strategies=request.get("placementStrategy") or [{"type": "random"}],
        platform_version=_platform(request.get("platformVersion", "LATEST")),
        execute_command=request.get("enableExecuteCommand", False),
        client_token=request.get("clientToken"),
    )
    started = starting.start(state, order, count, Counter())
    for task in started.tasks:
        ecs.scheduler.submit(task)
    if started.error and not started.tasks:
        raise started.error
    failures = started.unplaced.failures if started.unplaced else []
    if started.error:  # those that were started run: the caller has to hear of them
        failures = [{"reason": started.error.code, "detail": started.error.message}]
    return {"tasks": [described(task, ["TAGS"]) for task in started.tasks], "failures": failures}


def stop_task(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    cluster = state.cluster(request.get("cluster"))
    task = _find(state, cluster, request["task"])
    if task is None:
        raise errors.invalid_parameter("The referenced task was not found.")
    ecs.scheduler.stop(task, "UserInitiated", request.get("reason", "Task stopped by user"))
    return {"task": described(task, ["TAGS"])}


def describe_tasks(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    cluster = state.cluster(request.get("cluster"))
    references = request["tasks"]
    if not 1 <= len(references) <= 100:
        raise errors.invalid_parameter(
            "Tasks cannot be empty." if not references else "Tasks cannot have more than 100."
        )
    found, failures = [], []
    for reference in references:
        task = _find(state, cluster, reference)
        if task:
            found.append(described(task, request.get("include", [])))
        else:
            arn = arns.task_arn(cluster.key, arns.last_part(reference))
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"tasks": found, "failures": failures}


def list_tasks(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    state = ecs.state
    cluster = state.cluster(request.get("cluster"))
    if "startedBy" in request and LIST_FILTERS & request.keys():
        raise errors.invalid_parameter("cannot specify startedBy with other arguments")
    service = request.get("serviceName")
    if service is not None:
        item = state.service(cluster, service)
        if item is None:
            raise errors.service_not_found()
        service = item.wire["serviceName"]
    desired = request.get("desiredStatus", "RUNNING")
    if desired not in ("RUNNING", "PENDING", "STOPPED"):
        raise errors.invalid_parameter(f"Invalid desiredStatus: {desired}.")
    chosen = [
        task
        for task in state.tasks(cluster.key, service)
        if task.wire["desiredStatus"] == desired and _matches(task, request)
    ]
    return page(request, chosen, "taskArns", lambda task: task.wire["taskArn"])


def described(task: Item, include: list[str]) -> dict[str, Any]:
    return {**task.wire, "tags": task.tags if "TAGS" in include else []}


def _check_placement(
    state: State, cluster: Item, launch_type: str, request: dict[str, Any]
) -> None:
    placement.check(request)
    if launch_type == "FARGATE":
        if request.get("placementConstraints") or request.get("placementStrategy"):
            raise errors.invalid_parameter(
                "Placement constraints and strategies are not supported with FARGATE launch type."
            )
        return
    if "platformVersion" in request:
        raise errors.invalid_parameter(
            "The platform version must be null when specifying an EC2 launch type."
        )
    if not instances.of_cluster(state, cluster.key):
        raise errors.invalid_parameter(placement.NO_INSTANCES)


def _matches(task: Item, request: dict[str, Any]) -> bool:
    family = arns.last_part(task.wire["taskDefinitionArn"]).rsplit(":", 1)[0]
    if request.get("family", family) != family:
        return False
    if "startedBy" in request and request["startedBy"] != task.wire.get("startedBy"):
        return False
    if "containerInstance" in request:
        arn = task.wire.get("containerInstanceArn", "")
        if arns.last_part(request["containerInstance"]) != arns.last_part(arn):
            return False
    launch_type = request.get("launchType")
    return launch_type is None or launch_type == task.wire.get("launchType")


def _find(state: State, cluster: Item, reference: str) -> Item | None:
    task = state.get("task", arns.last_part(reference))
    return task if task and task.cluster == cluster.key else None


def _of_same_request(state: State, cluster: Item, token: str | None) -> list[Item]:
    """Tasks that an earlier call with this token started: an SDK's retry starts no second ones."""
    if not token:
        return []
    return [t for t in state.tasks(cluster.key) if t.private.get("client_token") == token]


def _task_tags(request: dict[str, Any], definition: Item) -> list[dict[str, str]]:
    inherited = definition.tags if request.get("propagateTags") == "TASK_DEFINITION" else []
    return tags.merged(inherited, tags.checked(request.get("tags")))


def _platform(version: str) -> str:
    if version not in ("LATEST", launch.PLATFORM_VERSION):
        raise errors.EcsError("PlatformUnknownException", "The specified platform does not exist.")
    return launch.PLATFORM_VERSION
