"""The HPA's brakes: stabilisation windows, policies of speed, minimum and maximum.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/horizontal.go, and the field `behavior`
of autoscaling/v2. Times are in seconds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

SELECTIONS = ("Max", "Min", "Disabled")


@dataclass(frozen=True)
class Policy:
    """At most `value` "Pods" or "Percent" of change within `period` seconds."""

    kind: str
    value: int
    period: int

    def __post_init__(self) -> None:
        if self.kind not in ("Pods", "Percent"):
            raise ValueError(f"policy {self.kind!r} is unknown: type 'Pods' or 'Percent'")
        if self.value <= 0:
            raise ValueError(f"value is {self.value}: type a number above 0")
        if not 0 < self.period <= 1800:
            raise ValueError(f"period is {self.period}: type 1 to 1800 seconds")


@dataclass(frozen=True)
class Rules:
    """One direction: how long to look back, how fast to go; `select` names the policy that wins."""

    stabilization: int
    policies: tuple[Policy, ...]
    select: str = "Max"

    def __post_init__(self) -> None:
        if self.select not in SELECTIONS:
            raise ValueError(f"select {self.select!r} is unknown: type 'Max', 'Min' or 'Disabled'")
        if not 0 <= self.stabilization <= 3600:
            raise ValueError(f"stabilization is {self.stabilization}: type 0 to 3600 seconds")


@dataclass(frozen=True)
class Behavior:
    """Limits and rules of an autoscaler, with the defaults of Kubernetes."""

    minimum: int = 1
    maximum: int = 10
    up: Rules = Rules(0, (Policy("Pods", 4, 15), Policy("Percent", 100, 15)))
    down: Rules = Rules(300, (Policy("Percent", 100, 15),))

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum or self.maximum == 0:
            raise ValueError(
                f"minimum {self.minimum} and maximum {self.maximum}: type 0 <= minimum <= maximum"
            )


@dataclass(frozen=True)
class History:
    """What was recommended when (time, replicas), and what was done when (time, change)."""

    recommendations: tuple[tuple[float, int], ...] = ()
    changes: tuple[tuple[float, int], ...] = ()


def decide(
    current: int, desired: int, now: float, behavior: Behavior, history: History
) -> tuple[int, History]:
    """Return the replicas to set now, and the history to hand in next time.

    `desired` is what the metrics ask for. Outside minimum and maximum the answer is at once the
    limit, whatever the metrics say. 0 replicas mean that scaling is switched off.
    """
    if current == 0 and behavior.minimum > 0:
        return 0, history
    if current > behavior.maximum or current < behavior.minimum:
        wanted = behavior.maximum if current > behavior.maximum else behavior.minimum
        return wanted, _remember(history, behavior, now, None, wanted - current)
    stable = _stabilized(current, desired, now, behavior, history)
    wanted = _limited(current, stable, now, behavior, history)
    return wanted, _remember(history, behavior, now, desired, wanted - current)


def _stabilized(
    current: int, desired: int, now: float, behavior: Behavior, history: History
) -> int:
    """The least upwards and the most downwards of what was recommended within the windows."""
    up = down = desired
    for when, replicas in history.recommendations:
        if when > now - behavior.up.stabilization:
            up = min(up, replicas)
        if when > now - behavior.down.stabilization:
            down = max(down, replicas)
    return min(max(current, up), down)


def _limited(current: int, desired: int, now: float, behavior: Behavior, history: History) -> int:
    if desired > current:
        limit = max(current, _limit_up(current, now, behavior.up, history))
        return min(desired, limit, behavior.maximum)
    if desired < current:
        limit = min(current, _limit_down(current, now, behavior.down, history))
        return max(desired, limit, behavior.minimum)
    return desired


def _limit_up(current: int, now: float, rules: Rules, history: History) -> int:
    def reach(policy: Policy, start: int) -> int:
        if policy.kind == "Pods":
            return start + policy.value
        return math.ceil(start * (1 + policy.value / 100))

    return _limit(current, now, rules, history, reach, max if rules.select == "Max" else min)


def _limit_down(current: int, now: float, rules: Rules, history: History) -> int:
    def reach(policy: Policy, start: int) -> int:
        if policy.kind == "Pods":
            return start - policy.value
        return int(start * (1 - policy.value / 100))

    # Downwards the smallest number of replicas is the largest change.
    return _limit(current, now, rules, history, reach, min if rules.select == "Max" else max)


def _limit(
    current: int,
    now: float,
    rules: Rules,
    history: History,
    reach: Callable[[Policy, int], int],
    choose: Callable,
) -> int:
    if rules.select == "Disabled" or not rules.policies:
        return current
    return choose(
        reach(policy, current - _changed(history, now, policy.period)) for policy in rules.policies
    )


def _changed(history: History, now: float, period: int) -> int:
    return sum(change for when, change in history.changes if when > now - period)


def _remember(
    history: History, behavior: Behavior, now: float, desired: int | None, change: int
) -> History:
    window = max(behavior.up.stabilization, behavior.down.stabilization)
    policies = behavior.up.policies + behavior.down.policies
    period = max((policy.period for policy in policies), default=0)
    kept = tuple(row for row in history.recommendations if row[0] > now - window)
    done = tuple(row for row in history.changes if row[0] > now - period)
    return History(
        kept if desired is None else (*kept, (now, desired)),
        (*done, (now, change)) if change else done,
    )
