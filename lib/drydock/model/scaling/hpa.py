"""The Kubernetes Horizontal Pod Autoscaler: how many replicas one metric asks for.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/replica_calculator.go, and the page
"Horizontal Pod Autoscaling" of kubernetes.io. Floats, because the controller computes in them: the
tolerance decides differently in exact arithmetic. CPU and memory are in thousandths, as "250m" is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PHASES = ("Pending", "Running", "Failed")


@dataclass(frozen=True)
class Pod:
    """A pod as the autoscaler sees it. Times are in seconds.

    `usage` is the metric (None: missing) and `request` the resource request, both in thousandths.
    `age` is the time since the start, `ready_changed` the time from the start to the last change of
    readiness, `metric_age` the age of the sample, `metric_window` the time it averages.
    """

    usage: int | None
    request: int | None = None
    ready: bool = True
    phase: str = "Running"
    deleted: bool = False
    age: float = 86400
    ready_changed: float = 0
    metric_age: float = 0
    metric_window: float = 30

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise ValueError(
                f"phase {self.phase!r} is unknown: type 'Pending', 'Running', 'Failed'"
            )


@dataclass(frozen=True)
class Tolerance:
    """How far the ratio may be from 1 without a change, downwards and upwards."""

    down: float = 0.1
    up: float = 0.1

    def covers(self, ratio: float) -> bool:
        return 1 - self.down <= ratio <= 1 + self.up


@dataclass(frozen=True)
class Controller:
    """Settings of the controller: flags of kube-controller-manager, with their defaults."""

    tolerance: Tolerance = field(default_factory=Tolerance)
    cpu_initialization: float = 300
    initial_readiness_delay: float = 30


DEFAULT = Controller()


def resource_replicas(
    pods: Sequence[Pod],
    current: int,
    target_utilization: int,
    *,
    resource: str = "cpu",
    controller: Controller = DEFAULT,
) -> int:
    """Return the replicas for a target average utilisation, in percent of the requests.

    Utilisation is a whole number of percent. Pods being deleted and failed ones do not count.
    Pending pods, and for CPU also unready ones, are set aside, and those without a sample too; if
    that matters the answer is computed again with cautious values in their place.
    """
    counted = [pod for pod in pods if not pod.deleted and pod.phase != "Failed"]
    if any(pod.request is None for pod in counted):
        raise ValueError(f"missing request for {resource}: give each pod a request")
    _check(counted, target_utilization)

    def ratio(samples: Sequence[tuple[Pod, int]]) -> float:
        requested = sum(pod.request for pod, _ in samples)
        if not requested:
            raise ValueError("the requests of the pods add up to 0")
        return sum(used for _, used in samples) * 100 // requested / target_utilization

    def missing(pod: Pod, ratio: float) -> int | None:
        if ratio == 1:
            return None
        return pod.request * max(100, target_utilization) // 100 if ratio < 1 else 0

    return _replicas(counted, current, ratio, missing, resource == "cpu", controller)


def pod_metric_replicas(
    pods: Sequence[Pod],
    current: int,
    target_average: int,
    *,
    resource: str = "",
    controller: Controller = DEFAULT,
) -> int:
    """Return the replicas for a target average value per pod, both in thousandths.

    This is a Pods metric, or with `resource` "cpu" a resource metric of type AverageValue.
    """
    counted = [pod for pod in pods if not pod.deleted and pod.phase != "Failed"]
    _check(counted, target_average)

    def ratio(samples: Sequence[tuple[Pod, int]]) -> float:
        return sum(used for _, used in samples) // len(samples) / target_average

    # The controller takes 0 here at a ratio of exactly 1 too, where utilisation leaves it out.
    def missing(pod: Pod, ratio: float) -> int:
        return target_average if ratio < 1 else 0

    return _replicas(counted, current, ratio, missing, resource == "cpu", controller)


def object_replicas(
    current: int, value: float, target: float, *, ready: int, tolerance: Tolerance | None = None
) -> int:
    """Return the replicas for an Object or External metric with a target value.

    `ready` is the number of ready pods. From 0 replicas there is no tolerance: the ratio counts.
    """
    ratio = value / _positive(target)
    if current == 0:
        return math.ceil(ratio)
    return current if (tolerance or Tolerance()).covers(ratio) else math.ceil(ratio * ready)


def object_average_replicas(
    current: int, value: float, target_average: float, *, tolerance: Tolerance | None = None
) -> int:
    """Return the replicas for an Object or External metric with a target average per pod."""
    per_pod = _positive(target_average)
    if current and (tolerance or Tolerance()).covers(value / (per_pod * current)):
        return current
    return math.ceil(value / per_pod)


def several(current: int, proposals: Sequence[int | None]) -> int:
    """Return what several metrics ask for together: the largest; None is a metric that failed.

    If one failed, the others may scale up but not down. ValueError if all failed.
    """
    valid = [proposal for proposal in proposals if proposal is not None]
    if not valid:
        raise ValueError("no metric gave an answer: the autoscaler does nothing")
    largest = max(valid)
    return current if len(valid) < len(proposals) and largest < current else largest


def _replicas(
    pods: Sequence[Pod],
    current: int,
    ratio_of: Callable[[Sequence[tuple[Pod, int]]], float],
    stand_in: Callable[[Pod, float], int | None],
    cpu: bool,
    controller: Controller,
) -> int:
    aside = [pod for pod in pods if _set_aside(pod, cpu, controller)]
    others = [pod for pod in pods if not _set_aside(pod, cpu, controller)]
    missing = [pod for pod in others if pod.usage is None]
    samples = [(pod, pod.usage) for pod in others if pod.usage is not None]
    if not samples:
        raise ValueError("no metrics for any ready pod: the autoscaler does nothing")
    within = controller.tolerance.covers
    ratio = ratio_of(samples)
    rebalance = bool(aside) and ratio > 1
    if not rebalance and not missing:
        return current if within(ratio) else math.ceil(ratio * len(samples))
    values = ((pod, stand_in(pod, ratio)) for pod in missing)
    samples += [(pod, value) for pod, value in values if value is not None]
    if rebalance:
        samples += [(pod, 0) for pod in aside]
    cautious = ratio_of(samples)
    if within(cautious) or (ratio < 1 < cautious) or (cautious < 1 < ratio):
        return current
    wanted = math.ceil(cautious * len(samples))
    turned = (cautious < 1 and wanted > current) or (cautious > 1 and wanted < current)
    return current if turned else wanted


def _set_aside(pod: Pod, cpu: bool, controller: Controller) -> bool:
    """Whether the pod is left out at first: pending, or too young for its CPU to mean anything."""
    if pod.phase == "Pending":
        return True
    if pod.usage is None or not cpu:
        return False
    if pod.age < controller.cpu_initialization:
        fresh = pod.age - pod.metric_age >= pod.ready_changed + pod.metric_window
        return not pod.ready or not fresh
    return not pod.ready and pod.ready_changed < controller.initial_readiness_delay


def _check(pods: Sequence[Pod], target: int) -> None:
    if not pods:
        raise ValueError("no pods: the autoscaler does nothing")
    _positive(target)


def _positive(target: float) -> float:
    if not target > 0:
        raise ValueError(f"target is {target}: type a number above 0")
    return target
