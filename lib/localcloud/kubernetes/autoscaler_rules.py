"""The arithmetic of the Horizontal Pod Autoscaler, as plain functions.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler (replica_calculator.go, horizontal.go).
Floats, because the controller computes in them. Times are in Kubernetes' seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 0.1
CPU_INITIALIZATION, INITIAL_READINESS = 300.0, 30.0
FIELDS = {"scaleUp": 0, "scaleDown": 300}
UP_POLICIES = ({"type": "Pods", "value": 4, "periodSeconds": 15},)
UP_POLICIES += ({"type": "Percent", "value": 100, "periodSeconds": 15},)
DOWN_POLICIES = ({"type": "Percent", "value": 100, "periodSeconds": 15},)


@dataclass(frozen=True)
class Sample:
    """A pod: ``used`` (None: no metric) and ``requested`` in the metric's smallest unit.

    ``age`` is the time since it started, ``turned`` the time from then to its last change of
    readiness, ``window`` and ``old`` the span and the age of the metric.
    """

    used: int | None
    requested: int = 0
    ready: bool = True
    pending: bool = False
    age: float = 1e6
    turned: float = 0.0
    window: float = 30.0
    old: float = 0.0


class NoAnswer(ValueError):
    """The metric tells nothing; the message is the controller's."""


def is_within(ratio: float) -> bool:
    return 1.0 - TOLERANCE <= ratio <= 1.0 + TOLERANCE


def wanted(
    samples: list[Sample], current: int, target: int, utilization: bool, cpu: bool
) -> tuple[int, int]:
    """Replicas for a target, and the utilisation in per cent, or the average, that was measured.

    ``target`` is a percentage of the requests, or an amount for each pod. Raises NoAnswer.
    """
    if not samples:
        raise NoAnswer("no pods returned by selector while calculating replica count")
    aside = [one for one in samples if _is_aside(one, cpu)]
    others = [one for one in samples if not _is_aside(one, cpu)]
    missing = [one for one in others if one.used is None]
    pairs = [(one.used, one.requested) for one in others if one.used is not None]
    if not pairs:
        raise NoAnswer("did not receive metrics for targeted pods (pods might be unready)")
    ratio, measured = _ratio(pairs, target, utilization)
    unready_counts = bool(aside) and ratio > 1
    if not unready_counts and not missing:
        return (current if is_within(ratio) else math.ceil(ratio * len(pairs))), measured
    pairs += _cautious(missing, ratio, target, utilization)
    pairs += [(0, one.requested) for one in aside] if unready_counts else []
    again, _ = _ratio(pairs, target, utilization)
    turned = (ratio < 1 < again) or (again < 1 < ratio)
    if is_within(again) or turned:
        return current, measured
    replicas = math.ceil(again * len(pairs))
    if (again < 1 and replicas > current) or (again > 1 and replicas < current):
        return current, measured
    return replicas, measured


def _is_aside(one: Sample, cpu: bool) -> bool:
    """Pending, or too young for its CPU to mean anything."""
    if one.pending:
        return True
    if one.used is None or not cpu:
        return False
    if one.age < CPU_INITIALIZATION:
        return not one.ready or one.age - one.old < one.turned + one.window
    return not one.ready and one.turned < INITIAL_READINESS


def _ratio(pairs: list[tuple[int, int]], target: int, utilization: bool) -> tuple[float, int]:
    used = sum(one for one, _ in pairs)
    if not utilization:
        average = used // len(pairs)
        return average / target, average
    requested = sum(one for _, one in pairs)
    if not requested:
        raise NoAnswer("the requests of the pods add up to 0")
    percent = used * 100 // requested
    return percent / target, percent


def _cautious(
    missing: Iterable[Sample], ratio: float, target: int, utilization: bool
) -> list[tuple[int, int]]:
    """What pods without a metric count as: all of their share when it goes down, nothing up."""
    if ratio < 1:
        if not utilization:
            return [(target, 0) for _ in missing]
        share = max(100, target)
        return [(one.requested * share // 100, one.requested) for one in missing]
    if ratio > 1 or not utilization:
        return [(0, one.requested) for one in missing]
    return []


@dataclass
class Memory:
    """Recommendations and changes of one autoscaler, each with its time."""

    recommended: list[tuple[float, int]] = field(default_factory=list)
    changed: list[tuple[float, int]] = field(default_factory=list)


def decide(
    current: int, desired: int, now: float, spec: dict[str, Any], memory: Memory
) -> tuple[int, str]:
    """What to scale to now, and what limits it: a reason of the condition ScalingLimited."""
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    if current > most or current < least:
        number = most if current > most else least
        _remember(memory, now, None, number - current)
        return number, "TooManyReplicas" if current > most else "TooFewReplicas"
    behavior = spec.get("behavior") or {}
    up = {"policies": UP_POLICIES, **behavior.get("scaleUp", {})}
    down = {"policies": DOWN_POLICIES, **behavior.get("scaleDown", {})}
    stable = _stable(current, desired, now, up, down, memory)
    number, why = _within(current, stable, now, (least, most), (up, down), memory)
    _remember(memory, now, desired, number - current)
    return number, why


def _stable(current: int, desired: int, now: float, up: dict, down: dict, memory: Memory) -> int:
    """The least upwards and the most downwards of what was recommended within the windows."""
    lowest = highest = desired
    for when, replicas in memory.recommended:
        if when > now - up.get("stabilizationWindowSeconds", FIELDS["scaleUp"]):
            lowest = min(lowest, replicas)
        if when > now - down.get("stabilizationWindowSeconds", FIELDS["scaleDown"]):
            highest = max(highest, replicas)
    return min(max(current, lowest), highest)


def _within(
    current: int,
    desired: int,
    now: float,
    bounds: tuple[int, int],
    rules: tuple[dict, dict],
    memory: Memory,
) -> tuple[int, str]:
    least, most = bounds
    if desired > current:
        reach = max(current, _reach(current, now, rules[0], memory, +1))
        number = min(desired, reach, most)
        if number < desired:
            return number, "TooManyReplicas" if most <= reach else "ScaleUpLimit"
        return number, "DesiredWithinRange"
    if desired < current:
        reach = min(current, _reach(current, now, rules[1], memory, -1))
        number = max(desired, reach, least)
        if number > desired:
            return number, "TooFewReplicas" if least >= reach else "ScaleDownLimit"
        return number, "DesiredWithinRange"
    return desired, "DesiredWithinRange"


def _reach(current: int, now: float, rule: dict, memory: Memory, sign: int) -> int:
    """How far the policies let it go now."""
    select, policies = rule.get("selectPolicy", "Max"), rule["policies"]
    if select == "Disabled" or not policies:
        return current
    found = []
    for policy in policies:
        recent = [c for when, c in memory.changed if when > now - policy["periodSeconds"]]
        start = current - sum(recent)
        if policy["type"] == "Pods":
            found.append(start + sign * policy["value"])
        else:
            number = start * (1 + sign * policy["value"] / 100)
            found.append(math.ceil(number) if sign > 0 else int(number))
    farthest = max if (select == "Max") == (sign > 0) else min
    return farthest(found)


def _remember(memory: Memory, now: float, desired: int | None, change: int) -> None:
    memory.recommended = [row for row in memory.recommended if row[0] > now - 3600]
    memory.changed = [row for row in memory.changed if row[0] > now - 1800]
    if desired is not None:
        memory.recommended.append((now, desired))
    if change:
        memory.changed.append((now, change))
