"""Application Auto Scaling on the wire: moto's, with what it lacks for ECS services."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError

from localcloud import arns
from localcloud.scaling import activities, figures, rules
from localcloud.scaling.activities import DIMENSION, NAMESPACE

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

METRICS = {
    "ECSServiceAverageCPUUtilization": figures.CPU,
    "ECSServiceAverageMemoryUtilization": figures.MEMORY,
    "ECSServiceAverageCPUUtilizationHighResolution": figures.CPU,
    "ECSServiceAverageMemoryUtilizationHighResolution": figures.MEMORY,
}
Kept = ApplicationAutoscalingBackend


def install(ecs: Ecs) -> None:
    """Put the mended operations in place of moto's."""
    register, put, deregister = _originals()

    def exists(self: Kept, resource: str) -> bool:
        kind, _, key = resource.partition("/")
        service = ecs.state.get("service", key) if kind == "service" else None
        if service is None or service.wire["status"] != "ACTIVE":
            raise AWSValidationException(f"ECS service doesn't exist: {resource}")
        return True

    def register_scalable_target(self: Kept, namespace: str, r_id: str, *rest: Any, **more: Any):
        known = self.targets.get(DIMENSION, {}).get(r_id)
        low, high = more.get("min_capacity"), more.get("max_capacity")
        low = low if low is not None or known is None else known.min_capacity
        high = high if high is not None or known is None else known.max_capacity
        if low is None or high is None:
            raise AWSValidationException("Both minimum and maximum capacity are required")
        if not 0 <= low <= high:
            raise AWSValidationException(
                "Maximum capacity cannot be less than minimum capacity, and neither below 0"
            )
        return register(self, namespace, r_id, *rest, **more)

    def put_scaling_policy(self: Kept, policy_name: str, **wanted: Any):
        if wanted["service_namespace"] != NAMESPACE:
            return put(self, policy_name, **wanted)
        if wanted["resource_id"] not in self.targets.get(wanted["scalable_dimension"], {}):
            raise JsonRESTError("ObjectNotFoundException", _no_target(wanted))
        old = self.policies.get("\t".join([*_key(wanted), policy_name]))
        check(wanted["policy_type"] or (old and old.policy_type), wanted["policy_body"])
        if old:
            old.delete_alarms(self.account_id, self.region_name)
        policy = put(self, policy_name, **wanted)
        if old:
            policy.policy_arn = old.policy_arn
        _set_thresholds(policy)
        return policy

    def deregister_scalable_target(self: Kept, namespace: str, r_id: str, dimension: str) -> None:
        deregister(self, namespace, r_id, dimension)
        for key, policy in list(self.policies.items()):
            if (policy.resource_id, policy.scalable_dimension) == (r_id, dimension):
                policy.delete_alarms(self.account_id, self.region_name)
                del self.policies[key]

    Kept._ecs_service_exists_for_target = exists
    Kept.register_scalable_target = register_scalable_target
    Kept.put_scaling_policy = put_scaling_policy
    Kept.deregister_scalable_target = deregister_scalable_target
    ApplicationAutoScalingResponse.describe_scaling_activities = _describe_scaling_activities


def check(kind: str | None, body: dict[str, Any] | None) -> None:
    """Raise ValidationException for a policy that could never act."""
    if kind == "TargetTrackingScaling":
        target = (body or {}).get("TargetValue")
        if not isinstance(target, int | float) or target <= 0:
            raise AWSValidationException("TargetValue must be a number above 0")
        metric = body.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if metric not in METRICS:
            raise AWSValidationException(
                f"The local cloud does not scale a service by {metric or 'a customized metric'}: "
                f"it measures {', '.join(METRICS)}"
            )
    elif kind == "StepScaling":
        steps = (body or {}).get("StepAdjustments")
        if not steps or "AdjustmentType" not in body:
            raise AWSValidationException("AdjustmentType and StepAdjustments are required")
        edges = sorted(
            (
                step.get("MetricIntervalLowerBound", float("-inf")),
                step.get("MetricIntervalUpperBound", float("inf")),
            )
            for step in steps
        )
        gaps = any(one[1] != two[0] for one, two in itertools.pairwise(edges))
        if gaps or any(lower >= upper for lower, upper in edges):
            raise AWSValidationException(
                "The intervals of StepAdjustments must neither overlap nor leave a gap"
            )


def backend() -> Kept | None:
    """What is kept, or None if nobody has used Application Auto Scaling yet."""
    # Not "in", and not []: the one is always true, the other starts it.
    return applicationautoscaling_backends[arns.ACCOUNT].get(arns.REGION)


def _describe_scaling_activities(self: ApplicationAutoScalingResponse) -> str:
    self._validate_params()
    wanted = {
        name: self._get_param(name)
        for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
    }
    found = [
        activity
        for activity in activities.of(self.applicationautoscaling_backend)
        if all(value in (None, activity[name]) for name, value in wanted.items())
    ]
    start, size = int(self._get_param("NextToken") or 0), self._get_int_param("MaxResults") or 50
    answer: dict[str, Any] = {"ScalingActivities": found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return json.dumps(answer)


def _originals() -> tuple[Any, Any, Any]:
    """moto's own methods, also when ours are in their place already."""
    names = ("register_scalable_target", "put_scaling_policy", "deregister_scalable_target")
    if "_moto" not in Kept.__dict__:
        Kept._moto = tuple(getattr(Kept, name) for name in names)
    return Kept._moto


def _key(wanted: dict[str, Any]) -> list[str]:
    return [wanted[n] for n in ("service_namespace", "resource_id", "scalable_dimension")]


def _no_target(wanted: dict[str, Any]) -> str:
    namespace, resource, dimension = _key(wanted)
    return (
        f"No scalable target registered for service namespace: {namespace}, resource ID: "
        f"{resource}, scalable dimension: {dimension}"
    )


def _set_thresholds(policy: Any) -> None:
    """moto gives every alarm of target tracking the same one."""
    target = (policy.target_tracking_scaling_policy_configuration or {}).get("TargetValue", 0.0)
    for alarm in policy.alarms:
        low = alarm.comparison_operator == "LessThanThreshold"
        alarm.threshold = target * rules.LOW_SHARE if low else target
