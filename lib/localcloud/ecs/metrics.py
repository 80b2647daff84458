"""What a task used, where AWS users look for it: Container Insights in CloudWatch.

Namespace ECS/ContainerInsights, dimensions ClusterName, TaskDefinitionFamily and TaskId, one data
point when the task ends: MemoryUtilized is its peak in MiB, CpuUtilized the CPU units (1024 are
one vCPU) that it used on average while it ran. CPU seconds are therefore CpuUtilized / 1024 times
the seconds from startedAt to executionStoppedAt.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from localcloud import arns
from localcloud.ecs.models import Item
from localcloud.role_clients import Clients
from localcloud.runtimes.base import Usage

NAMESPACE = "ECS/ContainerInsights"


def publish(clients: Clients, task: Item, usage: Usage) -> None:
    seconds = max(0.001, task.wire["executionStoppedAt"] - task.wire["startedAt"])
    family = arns.last_part(task.wire["taskDefinitionArn"]).rsplit(":", 1)[0]
    names = {"ClusterName": task.cluster, "TaskDefinitionFamily": family, "TaskId": task.key}
    shared = {
        "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
        "Timestamp": datetime.fromtimestamp(task.wire["executionStoppedAt"], UTC),
    }
    values = [
        ("MemoryUtilized", usage.memory_peak_bytes / 2**20, "Megabytes"),
        ("CpuUtilized", usage.cpu_seconds / seconds * 1024, "None"),
    ]
    data = [{"MetricName": n, "Value": v, "Unit": u, **shared} for n, v, u in values]
    try:
        clients.get("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (ClientError, BotoCoreError) as error:
        print(f"Usage of task {task.key} was not recorded: {error}", file=sys.stderr)
