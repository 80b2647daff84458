"""The loop that scales ECS services.

FASTER is how much shorter time is here than on AWS: a minute of a metric lasts 2 s, so that an
alarm which AWS raises after 3 minutes comes after 6 s, one of 15 minutes after 30 s, and the
default cool-down of 300 s is over in 10 s. Nothing else differs.
"""

from __future__ import annotations

import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends

from localcloud import arns
from localcloud.ecs import deployments, services
from localcloud.ecs.models import Item
from localcloud.scaling import activities, api, rules
from localcloud.scaling.figures import NAMESPACE, Figures, Samples

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

FASTER = 30
MINUTE = 60 / FASTER
DEFAULT_COOLDOWN = 300


@dataclass
class Wish:
    """A count that a policy asks for, why, and its cool-down in seconds of AWS."""

    count: int | None
    cause: str
    cooldown: float
    step: bool = False


@dataclass
class Memory:
    """Of one target: when its cool-downs end, and what was last added."""

    out_until: float = 0.0
    in_until: float = 0.0
    added: int = 0


class Scaler:
    def __init__(self, ecs: Ecs):
        self._ecs = ecs
        self._figures = Figures(ecs)
        self._memories: dict[str, Memory] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="scaling", daemon=True)

    def register(self) -> None:
        api.install(self._ecs)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        while not self._stopping.wait(MINUTE):
            try:
                self._look()
            except Exception:
                traceback.print_exc()

    def _look(self) -> None:
        kept = api.backend()
        if not kept:
            return
        targets = kept.describe_scalable_targets(activities.NAMESPACE, None, None)
        watched = []
        for target in targets:
            service = self._ecs.state.get("service", target.resource_id.partition("/")[2])
            if service is not None and service.wire["status"] == "ACTIVE":
                watched.append((target, service))
        if watched:
            self._figures.measure([service for _, service in watched], time.monotonic())
        counts = {
            target.resource_id: (service.wire["desiredCount"], service.wire["runningCount"])
            for target, service in watched
        }
        activities.conclude(kept, counts)
        for gone in self._memories.keys() - counts.keys():
            del self._memories[gone]
        for target, service in watched:
            try:
                self._tend(kept, target, service)
            except Exception:  # the others are looked at all the same
                traceback.print_exc()

    def _tend(self, kept: Any, target: Any, service: Item) -> None:
        memory = self._memories.setdefault(target.resource_id, Memory())
        desired = service.wire["desiredCount"]
        if desired < target.min_capacity:
            self._set(kept, service, target, memory, desired, Wish(target.min_capacity, LOW, 0))
            return
        policies = [p for p in kept.policies.values() if p.resource_id == target.resource_id]
        samples = self._figures.of(service)
        wishes = [wish for p in policies for wish in self._wishes(p, service, samples)]
        wish = _decide(desired, wishes)
        if wish is not None and not _suspended(target, wish.count > desired):
            wish.count = min(max(wish.count, target.min_capacity), target.max_capacity)
            self._set(kept, service, target, memory, desired, wish)

    def _wishes(self, policy: Any, service: Item, samples: Samples) -> list[Wish]:
        """What one policy asks for; it also moves the policy's alarms."""
        running, desired = service.wire["runningCount"], service.wire["desiredCount"]
        settled = running == desired and not _deploying(service)
        tracking = policy.target_tracking_scaling_policy_configuration
        if tracking:
            metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
            last = samples[api.METRICS[metric]]
            state = [_watch(alarm, last) for alarm in policy.alarms]
            scale_in = settled and not tracking.get("DisableScaleIn")
            count = rules.tracked(running, last, tracking["TargetValue"], scale_in)
            count = desired if count == running else count
            if not scale_in or state[0] == "ALARM":
                count = max(count, desired)
            name = policy.alarms[0 if count > desired else 1].name
            direction = "ScaleOutCooldown" if count > desired else "ScaleInCooldown"
            cooldown = tracking.get(direction, DEFAULT_COOLDOWN)
            no_data = last[-1] is None
            return [Wish(None if no_data else count, _cause(name, policy), cooldown)]
        return self._step_wishes(policy, desired, settled, samples)

    def _step_wishes(
        self, policy: Any, desired: int, settled: bool, samples: Samples
    ) -> list[Wish]:
        body, found = policy.step_scaling_policy_configuration, []
        for alarm in _alarms_of(policy):
            own = alarm.namespace == NAMESPACE and alarm.metric_name in samples
            last = samples[alarm.metric_name] if own else None
            state = _watch(alarm, last) if own else alarm.state_value
            if state != "ALARM" or not alarm.actions_enabled:
                continue
            # Of an alarm that is not ours to watch only the state is known.
            distance = last[-1] - alarm.threshold if own and last[-1] is not None else 0.0
            out = alarm.comparison_operator.startswith("Greater")
            count = rules.stepped(desired, distance, body, out)
            if count > desired or settled:
                cooldown = body.get("Cooldown", DEFAULT_COOLDOWN)
                found.append(Wish(count, _cause(alarm.name, policy), cooldown, step=True))
        return found

    def _set(
        self, kept: Any, service: Item, target: Any, memory: Memory, desired: int, wish: Wish
    ) -> None:
        now = time.monotonic()
        out, shrunk = (
            left if (left := until - now) > 0 else None
            for until in (memory.out_until, memory.in_until)
        )
        count = rules.after_cooldown(desired, wish.count, out, shrunk, memory.added)
        if count == desired:
            return
        activity = activities.begin(kept, target.resource_id, count, wish.cause)
        request = {"cluster": service.cluster, "service": service.wire["serviceName"]}
        try:
            with self._ecs.state.lock:
                services.update_service(self._ecs, {**request, "desiredCount": count})
                deployments.event(
                    service, f"has set the desired count to {count} (Application Auto Scaling)."
                )
        except Exception as error:
            activities.end(activity, "Failed", str(error))
            return
        until = now + wish.cooldown / FASTER
        if count > desired:
            memory.out_until, memory.added, memory.in_until = until, count - desired, 0.0
        else:
            memory.in_until = until


LOW = "minimum capacity was set above the desired count"


def _decide(desired: int, wishes: list[Wish]) -> Wish | None:
    """The wish that is carried out, if one is."""
    tracking = [wish.count for wish in wishes if not wish.step]
    steps = [wish.count for wish in wishes if wish.step]
    count = rules.together(desired, tracking) if tracking else desired
    count = max([count, *steps]) if max([count, *steps]) > desired else min([count, *steps])
    return next((wish for wish in wishes if wish.count == count != desired), None)


def _watch(alarm: Any, samples: Any) -> str:
    """Have the alarm's state follow the samples; returns it."""
    of = alarm.evaluation_periods * max(1, int(alarm.period // 60))
    points = int(alarm.datapoints_to_alarm or alarm.evaluation_periods) * of
    points //= alarm.evaluation_periods
    if not samples or samples[-1] is None:
        state = "INSUFFICIENT_DATA"
    elif rules.fires(samples, alarm.comparison_operator, alarm.threshold, points, of):
        state = "ALARM"
    else:
        state = "OK"
    if state != alarm.state_value:
        last = f"{samples[-1]:.1f}" if samples and samples[-1] is not None else "missing"
        alarm.update_state(f"Threshold {alarm.threshold:g}; last datapoint: {last}", "{}", state)
    return state


def _alarms_of(policy: Any) -> list[Any]:
    """The alarms that the learner has pointed at a step scaling policy."""
    backend = cloudwatch_backends[arns.ACCOUNT][arns.REGION]
    return [a for a in list(backend.alarms.values()) if policy.policy_arn in a.alarm_actions]


def _cause(alarm: str, policy: Any) -> str:
    return f"monitor alarm {alarm} in state ALARM triggered policy {policy.policy_name}"


def _deploying(service: Item) -> bool:
    return any(d["rolloutState"] == "IN_PROGRESS" for d in service.wire["deployments"])


def _suspended(target: Any, out: bool) -> bool:
    name = "DynamicScalingOutSuspended" if out else "DynamicScalingInSuspended"
    return bool((target.suspended_state or {}).get(name))
