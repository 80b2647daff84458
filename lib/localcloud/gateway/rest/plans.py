"""API keys and usage plans: who may call, how fast, and how often in a day, week or month.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
Days are those of UTC. The counts are kept with the plan.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from typing import Any

from localcloud.gateway.rest.refusals import Declined
from localcloud.gateway.throttle import Throttles

_counting = threading.RLock()


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def key_and_plan(backend: Any, api: str, stage: str, value: str) -> tuple[Any, Any, dict]:
    """The enabled key with this value, its plan for the stage and the plan's entry of the stage.

    Raises Declined, INVALID_API_KEY.
    """
    key = next((one for one in list(backend.keys.values()) if one.value == value), None)
    if key is None or not key.enabled:
        raise Declined("INVALID_API_KEY", "no such API key, or it is not enabled")
    for plan in list(backend.usage_plans.values()):
        for entry in plan.api_stages:
            here = (entry.get("apiId"), entry.get("stage")) == (api, stage)
            if here and key.id in backend.usage_plan_keys.get(plan.id, {}):
                return key, plan, entry
    raise Declined("INVALID_API_KEY", f"API key {key.id} is in no usage plan of this stage")


def admit(
    throttles: Throttles, key: Any, plan: Any, entry: dict, where: str, now: float, day: dt.date
) -> None:
    """Take the request's tokens, and one of the quota. ``where`` is the path and the method, as in
    /flights/GET. Raises Declined, THROTTLED or QUOTA_EXCEEDED."""
    own = (entry.get("throttle") or {}).get(where)
    for limits, name in ((own, (plan.id, key.id, where)), (plan.throttle, (plan.id, key.id))):
        if limits and not throttles.take(name, *_rate_and_burst(limits), now):
            raise Declined("THROTTLED", f"usage plan {plan.id} throttles API key {key.id}")
    with _counting:
        if plan.quota and remaining(plan, key.id, day) < 1:
            raise Declined("QUOTA_EXCEEDED", f"API key {key.id} has used the plan's quota")
        days = _counts(plan, "used").setdefault(key.id, {})
        days[day.isoformat()] = days.get(day.isoformat(), 0) + 1


def remaining(plan: Any, key_id: str, day: dt.date) -> int:
    """What is left of the quota at the end of a day; 0 without one."""
    if not plan.quota:
        return 0
    start = _starts(plan.quota["period"], day)
    days = _counts(plan, "used").get(key_id, {}).items()
    used = sum(many for one, many in days if start <= dt.date.fromisoformat(one) <= day)
    most = int(plan.quota["limit"])
    if start == _starts(plan.quota["period"], vars(plan).setdefault("created", today())):
        most -= int(plan.quota.get("offset") or 0)
    granted = _counts(plan, "granted").get(key_id, {}).get(start.isoformat(), 0)
    return max(most + granted - used, 0)


def grant(plan: Any, key_id: str, wanted: int, day: dt.date) -> None:
    """Make ``wanted`` what is left in the present period."""
    start = _starts(plan.quota["period"], day).isoformat()
    with _counting:
        given = _counts(plan, "granted").setdefault(key_id, {})
        given[start] = given.get(start, 0) + wanted - remaining(plan, key_id, day)


def usage(plan: Any, keys: Iterable[str], first: dt.date, last: dt.date) -> dict[str, list]:
    """For each key, for each day: [used on that day, remaining at its end]. AWS does not say what
    remains without a quota: here it is 0."""
    days = [first + dt.timedelta(n) for n in range((last - first).days + 1)]
    used = _counts(plan, "used")
    with _counting:
        return {
            key: [[used.get(key, {}).get(str(day), 0), remaining(plan, key, day)] for day in days]
            for key in keys
        }


def _rate_and_burst(limits: dict[str, Any]) -> tuple[float, float]:
    rate = float(limits.get("rateLimit") or 0)
    return rate, float(limits.get("burstLimit") or 0)


def _counts(plan: Any, name: str) -> dict[str, dict[str, int]]:
    return vars(plan).setdefault(name, {})


def _starts(period: str, day: dt.date) -> dt.date:
    """The first day of the period that a day is in; weeks begin on Sunday."""
    if period == "WEEK":
        return day - dt.timedelta(day.isoweekday() % 7)
    return day.replace(day=1) if period == "MONTH" else day
