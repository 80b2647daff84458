"""Account settings: kept and answered. What they switch on AWS is the same here either way."""

from __future__ import annotations

from typing import Any

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.models import State
from localcloud.ecs.pages import page_of

# AWS's settings with their values of today. Those of ARN formats are "enabled" for good.
DEFAULTS = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "defaultLogDriverMode": "non-blocking",
    "dualStackIPv6": "enabled",
    "fargateFIPSMode": "disabled",
    "fargateTaskRetirementWaitPeriod": "7",
    "guardDutyActivate": "off",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "off",
    "taskLongArnFormat": "enabled",
}
ROOT = f"arn:aws:iam::{arns.ACCOUNT}:root"


def put_account_setting(state: State, request: dict[str, Any]) -> dict[str, Any]:
    return {"setting": _put(state, request, request.get("principalArn", ROOT))}


def put_account_setting_default(state: State, request: dict[str, Any]) -> dict[str, Any]:
    return {"setting": _put(state, request, ROOT)}


def delete_account_setting(state: State, request: dict[str, Any]) -> dict[str, Any]:
    name, principal = _name(request), request.get("principalArn", ROOT)
    item = state.get("setting", f"{principal} {name}")
    if item:
        state.remove(item)
    return {"setting": _shown(name, DEFAULTS[name], principal)}


def list_account_settings(state: State, request: dict[str, Any]) -> dict[str, Any]:
    """What was set; with effectiveSettings also what holds by default."""
    principal = request.get("principalArn", ROOT)
    known = {item.wire["name"]: item.wire for item in state.all("setting")}
    known = {n: wire for n, wire in known.items() if wire["principalArn"] == principal}
    if request.get("effectiveSettings"):
        known = {n: known.get(n, _shown(n, v, principal)) for n, v in DEFAULTS.items()}
    name, value = request.get("name"), request.get("value")
    found = [
        wire
        for wire in known.values()
        if name in (None, wire["name"]) and value in (None, wire["value"])
    ]
    return page_of(request, found, "settings", 10)


def _put(state: State, request: dict[str, Any], principal: str) -> dict[str, str]:
    name = _name(request)
    wire = _shown(name, request["value"], principal)
    state.add("setting", f"{principal} {name}", wire)
    return wire


def _name(request: dict[str, Any]) -> str:
    if request["name"] not in DEFAULTS:
        raise errors.invalid_parameter(f"Invalid setting name: {request['name']}")
    return request["name"]


def _shown(name: str, value: str, principal: str) -> dict[str, str]:
    kind = "user" if value != DEFAULTS[name] or principal != ROOT else "aws_managed"
    return {"name": name, "value": value, "principalArn": principal, "type": kind}
