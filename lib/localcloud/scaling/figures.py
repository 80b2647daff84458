"""What a service's tasks use: AWS/ECS CPUUtilization and MemoryUtilization, in per cent of what
they reserve, measured once in each of our minutes and told to CloudWatch."""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudwatch.models import cloudwatch_backends

from localcloud import arns
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

NAMESPACE = "AWS/ECS"
CPU, MEMORY = "CPUUtilization", "MemoryUtilization"
KEPT_SAMPLES = 60
KEPT_POINTS = 5_000  # of AWS/ECS in CloudWatch, over all services
Samples = dict[str, deque[float | None]]


class Figures:
    """Samples by service and metric, newest last; None where nothing ran long enough."""

    def __init__(self, ecs: Ecs):
        self._ecs = ecs
        self._spent: dict[str, tuple[float, float]] = {}
        self._samples: dict[str, Samples] = defaultdict(
            lambda: {name: deque(maxlen=KEPT_SAMPLES) for name in (CPU, MEMORY)}
        )

    def of(self, service: Item) -> Samples:
        return self._samples[service.key]

    def measure(self, services: list[Item], moment: float) -> None:
        """Take one sample of each service. ``moment`` is a time in seconds that only grows."""
        usages = self._ecs.scheduler.usages()
        before, self._spent = self._spent, {k: (moment, u.cpu_seconds) for k, u in usages.items()}
        for gone in set(self._samples) - {service.key for service in services}:
            del self._samples[gone]
        for service in services:
            tasks = self._ecs.state.tasks(service.cluster, service.wire["serviceName"])
            seconds = spent = reserved = used = 0.0
            for task in tasks:
                if task.key not in usages or task.wire["lastStatus"] != "RUNNING":
                    continue
                usage = usages[task.key]
                vcpu, memory_mib = task.private["limits"]
                used += usage.memory_bytes / 2**20
                reserved += memory_mib
                if task.key in before:
                    began, earlier = before[task.key]
                    seconds += (moment - began) * vcpu
                    spent += usage.cpu_seconds - earlier
            samples = self._samples[service.key]
            samples[CPU].append(100 * spent / seconds if seconds else None)
            samples[MEMORY].append(100 * used / reserved if reserved else None)
            self._publish(service)

    def _publish(self, service: Item) -> None:
        names = {"ClusterName": service.cluster, "ServiceName": service.wire["serviceName"]}
        dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Value": last[-1], "Unit": "Percent"}
            for name, last in self._samples[service.key].items()
            if last[-1] is not None
        ]
        if not data:
            return
        try:
            client = self._ecs.clients.get("cloudwatch")
            client.put_metric_data(Namespace=NAMESPACE, MetricData=data)
        except (ClientError, BotoCoreError) as error:
            print(f"Figures of service {service.key} were not recorded: {error}", file=sys.stderr)
        _forget_the_oldest()


def _forget_the_oldest() -> None:
    """CloudWatch keeps points for months; moto would keep these for ever, in memory."""
    kept = cloudwatch_backends[arns.ACCOUNT][arns.REGION].metric_data
    ours = [point for point in kept if point.namespace == NAMESPACE]
    for point in ours[:-KEPT_POINTS]:
        kept.remove(point)
