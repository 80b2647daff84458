"""The ETL as ECS tasks: register the definition, launch one task for each month, follow them."""

import contextlib
import json
import string
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from drydock.images import CONTAINERS
from drydock.lab import CLUSTER, Lab

FAMILY = "drydock-etl"
LOG_GROUP = "/drydock/etl"
STARTED_BY = "drydock-run"
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class TaskRun:
    """One stopped task as the report and the charts need it. Memory is the peak, in MiB.

    `rows` were read; of these `quarantined` were put aside.
    """

    month: str
    task_id: str
    exit_code: int | None
    reason: str
    seconds: float
    billed_seconds: float
    memory_mib: float | None
    rows: int
    quarantined: int

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0


def render_task_definition(path: Path, values: dict[str, str]) -> dict:
    """Read a task-definition.json and fill in its ${Placeholders}; KeyError names a missing one."""
    return json.loads(string.Template(path.read_text()).substitute(values))


def etl_task_definition(lab: Lab, image: str, roles: dict[str, str], secret_arn: str) -> dict:
    """Return the ETL's Fargate task definition, as `register_task_definition` takes it."""
    return render_task_definition(
        CONTAINERS / "etl" / "task-definition.json",
        {
            "Image": image,
            "ExecutionRoleArn": roles["execution"],
            "TaskRoleArn": roles["task"],
            "SecretArn": secret_arn,
            "Bucket": lab.bucket,
            "Region": lab.region,
            "Certificates": str(lab.certificates),
        },
    )


def create_log_group(lab: Lab, name: str) -> None:
    """Create a log group unless it is there."""
    logs = lab.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name)


def launch(lab: Lab, task_definition: str, *months: str, started_by: str = "lesson") -> str:
    """Start one task that transforms `months`; return its ARN. Raises RuntimeError on a failure."""
    label = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
    answer = lab.client("ecs").run_task(
        cluster=CLUSTER,
        taskDefinition=task_definition,
        launchType="FARGATE",
        networkConfiguration=lab.network(),
        startedBy=started_by,
        overrides={"containerOverrides": [{"name": "etl", "command": list(months)}]},
        tags=[{"key": "month", "value": label}],
    )
    if answer["failures"]:
        raise RuntimeError(f"ECS placed no task for {label}: {answer['failures'][0]['reason']}")
    return answer["tasks"][0]["taskArn"]


def follow(
    lab: Lab, task_arns: Iterable[str], on_change: Callable[[dict], None] = lambda task: None
) -> list[dict]:
    """Wait until every task is STOPPED; call `on_change` with a task whenever its state changes."""
    ecs = lab.client("ecs")
    waiting = list(task_arns)
    seen: dict[str, str] = {}
    stopped = []
    while waiting:
        for start in range(0, len(waiting), 100):
            batch = waiting[start : start + 100]
            answer = ecs.describe_tasks(cluster=CLUSTER, tasks=batch, include=["TAGS"])
            for task in answer["tasks"]:
                if seen.get(task["taskArn"]) != task["lastStatus"]:
                    seen[task["taskArn"]] = task["lastStatus"]
                    on_change(task)
                if task["lastStatus"] == "STOPPED":
                    stopped.append(task)
        done = {task["taskArn"] for task in stopped}
        waiting = [arn for arn in waiting if arn not in done]
        if waiting:
            time.sleep(POLL_SECONDS)
    return stopped


def stop_leftovers(lab: Lab) -> int:
    """Stop the tasks that a run which died has left; return how many there were."""
    ecs = lab.client("ecs")
    pages = ecs.get_paginator("list_tasks").paginate(cluster=CLUSTER, startedBy=STARTED_BY)
    arns = [arn for page in pages for arn in page["taskArns"]]
    stop(lab, arns, "A run that ended early left this task")
    return len(arns)


def unfinished(lab: Lab) -> set[str]:
    """Return the ARNs of the ETL's tasks that run, or wait to."""
    pages = lab.client("ecs").get_paginator("list_tasks").paginate(cluster=CLUSTER, family=FAMILY)
    return {arn for page in pages for arn in page["taskArns"]}


def stop(lab: Lab, task_arns: Iterable[str], reason: str) -> None:
    """Stop tasks and wait until they are STOPPED."""
    ecs = lab.client("ecs")
    arns = list(task_arns)
    for arn in arns:
        ecs.stop_task(cluster=CLUSTER, task=arn, reason=reason)
    follow(lab, arns)


def read_manifest(lab: Lab, month: str) -> dict | None:
    """Return what the ETL says it published for `month`, or None."""
    s3 = lab.client("s3")
    try:
        body = s3.get_object(Bucket=lab.bucket, Key=f"curated/_manifests/{month}.json")["Body"]
    except s3.exceptions.NoSuchKey:
        return None
    return json.load(body)


def read_quarantine(lab: Lab, manifest: dict) -> list[dict]:
    """Return the rows that the ETL put aside, each with object, line, reason and text."""
    if manifest["quarantine"] is None:
        return []
    body = lab.client("s3").get_object(Bucket=lab.bucket, Key=manifest["quarantine"])["Body"]
    return [json.loads(line) for line in body.read().splitlines()]


def task_logs(lab: Lab, task_id: str) -> list[str]:
    """Return the log lines of an ETL task, oldest first; none when it never wrote any."""
    logs = lab.client("logs")
    try:
        events = logs.get_log_events(
            logGroupName=LOG_GROUP, logStreamName=f"etl/etl/{task_id}", startFromHead=True
        )["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in events]


def summarise(lab: Lab, task: dict) -> TaskRun:
    """Turn a STOPPED task into a TaskRun.

    Fargate bills from the start of the image pull to the end of the task: `billed_seconds` is that
    span before rounding, `seconds` the time that the program itself ran.
    """
    container = task["containers"][0]
    months = task["overrides"]["containerOverrides"][0]["command"]
    succeeded = container.get("exitCode") == 0
    published = [read_manifest(lab, month)["rows"] for month in months] if succeeded else []
    task_id = task["taskArn"].rsplit("/", 1)[1]
    stopped = task.get("executionStoppedAt", task["stoppedAt"])
    return TaskRun(
        month=next(tag["value"] for tag in task["tags"] if tag["key"] == "month"),
        task_id=task_id,
        exit_code=container.get("exitCode"),
        reason=container.get("reason") or task.get("stoppedReason", ""),
        seconds=_seconds(stopped - task.get("startedAt", stopped)),
        billed_seconds=_seconds(stopped - task.get("pullStartedAt", stopped)),
        memory_mib=peak_memory_mib(lab, task),
        rows=sum(rows["read"] for rows in published),
        quarantined=sum(rows["quarantined"] for rows in published),
    )


def peak_memory_mib(lab: Lab, task: dict) -> float | None:
    """Peak memory of a task from CloudWatch Container Insights, in MiB; None when not recorded."""
    dimensions = {
        "ClusterName": CLUSTER,
        "TaskDefinitionFamily": task["taskDefinitionArn"].rsplit("/", 1)[1].split(":")[0],
        "TaskId": task["taskArn"].rsplit("/", 1)[1],
    }
    points = lab.client("cloudwatch").get_metric_statistics(
        Namespace="ECS/ContainerInsights",
        MetricName="MemoryUtilized",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=task["createdAt"] - timedelta(minutes=1),
        EndTime=task["stoppedAt"] + timedelta(minutes=2),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((point["Maximum"] for point in points), default=None)


def _seconds(span: timedelta) -> float:
    return max(span.total_seconds(), 0.0)
