"""Amazon ECS service auto scaling: target tracking, step scaling, cooldowns, circuit breaker.

Sources: the ECS developer guide, the Application Auto Scaling guide, and the API pages
StepAdjustment and ThresholdConfiguration. AWS does not publish the sum behind target tracking: it
is taken as proportional, rounded up in both directions, as the guide says it rounds with care.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

ADJUSTMENTS = ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm: all of the last `points` samples, a minute each, beyond `threshold`."""

    threshold: float
    points: int
    above: bool

    def fires(self, samples: Sequence[float | None]) -> bool:
        """Whether it fires on `samples`, newest last; a missing one (None) is no breach."""
        last = list(samples)[-self.points :]
        return len(last) == self.points and all(
            sample is not None
            and (sample > self.threshold if self.above else sample < self.threshold)
            for sample in last
        )


def target_tracking_alarms(target: float) -> tuple[Alarm, Alarm]:
    """Return the alarms that target tracking makes for an ECS service: high, then low.

    Low is 90 % of the target here; for EC2 Auto Scaling groups it is nearer to 70 %.
    """
    return Alarm(_positive(target), 3, True), Alarm(target * 0.9, 15, False)


def target_tracking(
    running: int,
    samples: Sequence[float | None],
    target: float,
    *,
    minimum: int = 1,
    maximum: int = 10,
    scale_in: bool = True,
) -> int:
    """Return the desired count that one policy asks for, given its metric by the minute.

    It counts running tasks. `scale_in` is off during deployments, or where it is disabled. With no
    task there is no CPU or ALB metric, so 0 stays 0.
    """
    high, low = target_tracking_alarms(target)
    wanted = running
    if high.fires(samples) or (scale_in and low.fires(samples)):
        wanted = math.ceil(running * samples[-1] / target)
    return min(max(wanted, minimum), maximum) if running else running


def several(running: int, proposals: Sequence[int | None]) -> int:
    """Return what several policies come to: any may scale out, all must agree to scale in.

    None is a policy without data: it asks for nothing, and it does not agree to scaling in.
    """
    valid = [proposal for proposal in proposals if proposal is not None]
    if len(valid) < len(proposals) or not valid:
        valid.append(running)
    return max(valid)


@dataclass(frozen=True)
class Step:
    """A step adjustment: bounds are relative to the threshold, None is no bound."""

    lower: float | None
    upper: float | None
    change: float


def step_scaling(
    current: int,
    metric: float,
    threshold: float,
    steps: Sequence[Step],
    *,
    scale_out: bool = True,
    adjustment: str = "ChangeInCapacity",
    least_change: int = 0,
    minimum: int = 1,
    maximum: int = 10,
) -> int:
    """Return the desired count by step scaling; outside every step it stays as it is.

    Scaling out, a step holds its lower bound and not its upper one; scaling in, the other way
    round. A percentage is rounded towards 0, but to at least one task and `least_change`.
    """
    if adjustment not in ADJUSTMENTS:
        raise ValueError(f"adjustment {adjustment!r}: type one of {', '.join(ADJUSTMENTS)}")
    _check_steps(steps)
    distance = metric - threshold
    found = next((step for step in steps if _holds(step, distance, scale_out)), None)
    if found is None:
        return current
    if adjustment == "ExactCapacity":
        wanted = int(found.change)
    elif adjustment == "ChangeInCapacity":
        wanted = current + int(found.change)
    else:
        exact = current * found.change / 100
        size = max(int(abs(exact)), 1, least_change) if exact else 0
        wanted = current + int(math.copysign(size, exact))
    return min(max(wanted, minimum), maximum)


def after_cooldown(
    current: int,
    wanted: int,
    *,
    since_out: float | None = None,
    since_in: float | None = None,
    added: int = 0,
    cooldown: float = 300,
) -> int:
    """Return what cooldowns leave of a change from `current` to `wanted`.

    `since_out` and `since_in` are the seconds since the last scaling in each direction, `added`
    what the last scale-out brought. Within its cooldown a further scale-out counts that part; a
    scale-in waits for both cooldowns; a scale-out does not wait for a scale-in.
    """
    out = since_out is not None and since_out < cooldown
    shrunk = since_in is not None and since_in < cooldown
    if wanted > current:
        return max(current, wanted - added) if out else wanted
    return current if wanted < current and (out or shrunk) else wanted


def circuit_breaker_threshold(
    desired: int, *, kind: str = "BOUNDED_PERCENT", value: float = 50
) -> int:
    """Return how many failed tasks make the deployment circuit breaker act.

    "BOUNDED_PERCENT" of the desired count lies between 3 and 200; "UNBOUNDED_PERCENT" does not;
    "COUNT" is the number itself.
    """
    share = math.ceil(desired * value / 100)
    if kind == "BOUNDED_PERCENT":
        return min(max(share, 3), 200)
    if kind == "UNBOUNDED_PERCENT":
        return share
    if kind == "COUNT":
        return int(value)
    raise ValueError(f"kind {kind!r}: type 'BOUNDED_PERCENT', 'UNBOUNDED_PERCENT' or 'COUNT'")


def _check_steps(steps: Sequence[Step]) -> None:
    edges = sorted(
        (
            -math.inf if step.lower is None else step.lower,
            math.inf if step.upper is None else step.upper,
        )
        for step in steps
    )
    if not edges or any(lower >= upper for lower, upper in edges):
        raise ValueError("steps: each needs a lower bound below its upper bound")
    if any(before[1] != after[0] for before, after in itertools.pairwise(edges)):
        raise ValueError("steps: they must neither overlap nor leave a gap")


def _holds(step: Step, distance: float, scale_out: bool) -> bool:
    lower = -math.inf if step.lower is None else step.lower
    upper = math.inf if step.upper is None else step.upper
    return lower <= distance < upper if scale_out else lower < distance <= upper


def _positive(target: float) -> float:
    if not target > 0:
        raise ValueError(f"target is {target}: type a number above 0")
    return target
