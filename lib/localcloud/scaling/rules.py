"""The rules of ECS service auto scaling, as sums.

Sources: ECS developer guide (target tracking, step scaling), Application Auto Scaling user guide
(cool-downs, several policies), API_StepAdjustment. How target tracking sizes is not published: it
is taken as proportional, rounded up.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

HIGH_POINTS, LOW_POINTS, LOW_SHARE = 3, 15, 0.9
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def fires(
    samples: Sequence[float | None], comparison: str, threshold: float, points: int, of: int
) -> bool:
    """Whether ``points`` of the last ``of`` samples, newest last, breach; None is no breach."""
    last = list(samples)[-of:]
    breaching = sum(s is not None and COMPARE[comparison](s, threshold) for s in last)
    return len(last) == of and breaching >= points


def tracked(running: int, samples: Sequence[float | None], target: float, scale_in: bool) -> int:
    """The count that target tracking asks for: high for 3 minutes, or below 90 % of the target for
    15. With no task there is no metric, so 0 stays 0."""
    high = fires(samples, "GreaterThanThreshold", target, HIGH_POINTS, HIGH_POINTS)
    low = fires(samples, "LessThanThreshold", target * LOW_SHARE, LOW_POINTS, LOW_POINTS)
    if high or (low and scale_in):
        return math.ceil(running * samples[-1] / target)
    return running


def stepped(current: int, distance: float, policy: dict[str, Any], scale_out: bool) -> int:
    """The count that a step scaling policy asks for, ``distance`` from the alarm's threshold.

    Scaling out, a step holds its lower bound and not its upper one; scaling in, the other way
    round. A percentage is rounded towards 0, but to one task at least.
    """
    for step in policy["StepAdjustments"]:
        lower = step.get("MetricIntervalLowerBound", -math.inf)
        upper = step.get("MetricIntervalUpperBound", math.inf)
        if not (lower <= distance < upper if scale_out else lower < distance <= upper):
            continue
        change = step["ScalingAdjustment"]
        if policy["AdjustmentType"] == "ExactCapacity":
            return change
        if policy["AdjustmentType"] == "ChangeInCapacity":
            return current + change
        exact = current * change / 100
        least = max(1, policy.get("MinAdjustmentMagnitude", 0))
        size = max(int(abs(exact)), least) if exact else 0
        return current + int(math.copysign(size, exact))
    return current


def together(running: int, proposals: Sequence[int | None]) -> int:
    """Any policy scales out, all must agree to scale in; None has no data and agrees to nothing."""
    valid = [running if proposal is None else proposal for proposal in proposals]
    return max(valid, default=running)


def after_cooldown(
    current: int, wanted: int, out: float | None, shrunk: float | None, added: int
) -> int:
    """What cool-downs leave of a change. ``out`` and ``shrunk`` are what is left of the cool-down
    of the last change in each direction, None if nothing; ``added`` is what the last scale-out
    brought, which counts towards a further one."""
    if wanted > current:
        return wanted if out is None else max(current, wanted - added)
    return wanted if out is None and shrunk is None else current
