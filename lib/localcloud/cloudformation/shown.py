"""Stacks as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localcloud.cloudformation.plan import IAM_NAMES, IAM_TYPES, NAMED
from localcloud.cloudformation.stacks import Event, Resource, Stack

Shown = dict[str, Any]


def stack(one: Stack) -> Shown:
    found = summary(one) | {
        "Description": _description(one),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": "****" if name in one.no_echo else value}
            for name, value in one.values.items()
        ],
        "Outputs": one.outputs,
        "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()],
        "Capabilities": one.capabilities,
        "RoleARN": one.role,
        "DisableRollback": one.on_failure == "DO_NOTHING",
        "EnableTerminationProtection": one.protected,
        "NotificationARNs": [],
    }
    return _without_none(found)


def summary(one: Stack) -> Shown:
    return _without_none(
        {
            "StackId": one.id,
            "StackName": one.name,
            "StackStatus": one.status,
            "StackStatusReason": one.reason,
            "CreationTime": _time(one.created),
            "LastUpdatedTime": _time(one.updated),
            "DeletionTime": _time(one.deleted),
            "ParentId": one.parent,
            "RootId": one.parent,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def event(of: Stack, one: Event) -> Shown:
    return _without_none(
        {
            "StackId": of.id,
            "StackName": of.name,
            "EventId": one.id,
            "LogicalResourceId": one.logical_id,
            "PhysicalResourceId": one.physical_id,
            "ResourceType": one.type,
            "ResourceStatus": one.status,
            "ResourceStatusReason": one.reason,
            "Timestamp": _time(one.at),
        }
    )


def resource(of: Stack, one: Resource, time: str = "") -> Shown:
    """``time`` is what the API calls the time of the last change: plain, or LastUpdated."""
    return _without_none(
        {
            "StackId": of.id,
            "StackName": of.name,
            "LogicalResourceId": one.logical_id,
            "PhysicalResourceId": one.physical_id,
            "ResourceType": one.type,
            "ResourceStatus": one.status,
            "ResourceStatusReason": one.reason,
            f"{time}Timestamp": _time(one.changed),
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
    )


def summary_of(template: Shown) -> Shown:
    """What a template says of itself: for ValidateTemplate and GetTemplateSummary."""
    asked = template["Resources"].values()
    types = sorted({one["Type"] for one in asked})
    named = any(IAM_NAMES.get(one["Type"]) in (one.get("Properties") or {}) for one in asked)
    needs = [NAMED] if named else ["CAPABILITY_IAM"] if IAM_TYPES & set(types) else []
    parameters = [
        _without_none(
            {
                "ParameterKey": name,
                "ParameterType": slot.get("Type", "String"),
                "DefaultValue": str(slot["Default"]) if "Default" in slot else None,
                "Description": slot.get("Description"),
                "NoEcho": str(slot.get("NoEcho")).lower() == "true",
            }
        )
        for name, slot in (template.get("Parameters") or {}).items()
    ]
    found = {"Parameters": parameters, "ResourceTypes": types, "Capabilities": needs}
    return _without_none(found | {"Description": template.get("Description")})


def _description(one: Stack) -> str | None:
    from localcloud.cloudformation.template import load

    return load(one.body).get("Description")


def _time(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _without_none(found: Shown) -> Shown:
    return {name: value for name, value in found.items() if value is not None}
