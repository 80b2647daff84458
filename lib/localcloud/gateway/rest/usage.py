"""GetUsage and UpdateUsage, which moto lacks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from moto.apigateway.exceptions import ApiKeyNotFoundException
from moto.apigateway.exceptions import BadRequestException as BadRequest
from moto.apigateway.responses import APIGatewayResponse as Responses

from localcloud.gateway.rest import plans


def get_usage(self: Responses) -> str:
    """GetUsage: what the keys of a plan have used, and have left, on each of some days."""
    plan = self.backend.get_usage_plan(self.path.split("/")[2])
    first, last = _day(self._get_param("startDate")), _day(self._get_param("endDate"))
    if last < first or (last - first).days > 90:
        raise BadRequest("The dates must span from 0 to 90 days, the earlier one first")
    keys = list(self.backend.usage_plan_keys.get(plan.id, {}))
    wanted = self._get_param("keyId")
    if wanted and wanted not in keys:
        raise ApiKeyNotFoundException()
    return _shown_usage(plan, [wanted] if wanted else keys, first, last)


def update_usage(self: Responses) -> str:
    """UpdateUsage: only /remaining can be replaced, for the present period."""
    _, _, plan_id, _, key_id, _ = self.path.split("/")
    plan = self.backend.get_usage_plan(plan_id)
    self.backend.get_usage_plan_key(plan_id, key_id)
    for change in self._get_param("patchOperations") or []:
        given = str(change.get("value", ""))
        if (change.get("op"), change.get("path")) != ("replace", "/remaining") or not plan.quota:
            raise BadRequest("Only /remaining can be replaced, in a plan with a quota")
        if not given.isdigit():
            raise BadRequest(f"The remaining quota must be a number, not {given}")
        plans.grant(plan, key_id, int(given), plans.today())
    return _shown_usage(plan, [key_id], plans.today(), plans.today())


def _shown_usage(plan: Any, keys: list[str], first: dt.date, last: dt.date) -> str:
    values = plans.usage(plan, keys, first, last)
    dates = {"startDate": str(first), "endDate": str(last)}
    return json.dumps({"usagePlanId": plan.id, **dates, "values": values})


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadRequest(f"Dates are written as 2026-01-31, not {text}") from None
