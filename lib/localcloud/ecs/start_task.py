"""StartTask: tasks on container instances that the caller chooses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import errors, launch, starting, tags, tasks
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

MOST_INSTANCES = 10


def start_task(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    """One task on each instance, or the reason why not."""
    state = ecs.state
    cluster = state.cluster(request.get("cluster"))
    wanted = request["containerInstances"]
    if not 1 <= len(wanted) <= MOST_INSTANCES:
        raise errors.invalid_parameter(
            f"Between 1 and {MOST_INSTANCES} container instances must be specified."
        )
    definition = launch.active_definition(state, request["taskDefinition"])
    network = request.get("networkConfiguration")
    launch.check_definition(definition, "EC2", network)
    overrides = request.get("overrides", {})
    launch.check_overrides(definition, "EC2", overrides)
    inherited = definition.tags if request.get("propagateTags") == "TASK_DEFINITION" else []
    done, failures = [], []
    for reference in wanted:
        instance = state.get("instance", arns.last_part(reference))
        reason = _unfit(cluster, instance)
        if reason:
            arn = arns.instance_arn(cluster.key, arns.last_part(reference))
            failures.append({"arn": arn, "reason": reason})
            continue
        here = f"ec2InstanceId == {instance.wire['ec2InstanceId']}"
        order = launch.Launch(
            cluster=cluster,
            definition=definition,
            group=request.get("group", f"family:{definition.wire['family']}"),
            network=network,
            overrides=overrides,
            tags=tags.merged(inherited, tags.checked(request.get("tags"))),
            started_by=request.get("startedBy"),
            launch_type="EC2",
            constraints=[{"type": "memberOf", "expression": here}],
            strategies=[{"type": "random"}],
            execute_command=request.get("enableExecuteCommand", False),
        )
        started = starting.start(state, order, 1, Counter())
        if started.error and not done:
            raise started.error
        if not started.tasks:
            arn = instance.wire["containerInstanceArn"]
            failures.append({"arn": arn, **_why_not(started, instance)})
        for task in started.tasks:
            ecs.scheduler.submit(task)
            done.append(tasks.described(task, ["TAGS"]))
    return {"tasks": done, "failures": failures}


def _why_not(started: starting.Started, instance: Item) -> dict[str, str]:
    if started.error:
        return {"reason": started.error.code, "detail": started.error.message}
    arn = instance.wire["containerInstanceArn"]
    reasons = [one["reason"] for one in started.unplaced.failures if one["arn"] == arn]
    return {"reason": reasons[0] if reasons else instance.wire["status"]}


def execute_command(ecs: Ecs, request: dict[str, Any]) -> dict[str, Any]:
    """Always an error: the one that AWS would give, or that there is no Session Manager here."""
    cluster = ecs.state.cluster(request.get("cluster"))
    task = ecs.state.get("task", arns.last_part(request["task"]))
    if task is None or task.cluster != cluster.key or task.wire["lastStatus"] == "STOPPED":
        raise errors.invalid_parameter("The referenced task was not found.")
    names = [container["name"] for container in task.wire["containers"]]
    if request.get("container", names[0]) not in names:
        raise errors.invalid_parameter(
            f"The container {request['container']} was not found in the task."
        )
    if not task.wire["enableExecuteCommand"]:
        raise errors.invalid_parameter(
            "The execute command failed because execute command was not enabled when the task was "
            "run or the execute command agent isn't running. Wait and try again or run a new task "
            "with execute command enabled and try again."
        )
    raise errors.unsupported(
        "ECS Exec, which needs Session Manager: read the container's log instead"
    )


def _unfit(cluster: Item, instance: Item | None) -> str | None:
    if instance is None or instance.cluster != cluster.key:
        return "MISSING"
    if instance.wire["status"] == "INACTIVE":
        return "INACTIVE"
    return None if instance.wire["agentConnected"] else "AGENT"
