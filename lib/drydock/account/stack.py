"""The stack: made and deleted through CloudFormation, told line by line from its events."""

import time
from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from drydock.account.access import Account, AccountError, in_the_way
from drydock.account.files import TAGS, TEMPLATES

NAME = "drydock"
GONE = "GONE"
CANCELLED = "cancelled"  # of resources that were given up because another one failed
MADE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED")  # of a resource
Say = Callable[[str], None]


class StackFailed(AccountError):
    """The stack could not be made or deleted; the message is the first reason."""


def status(account: Account, name: str = NAME) -> str:
    """Return the stack's status, such as CREATE_COMPLETE, or GONE."""
    return _described(account, name).get("StackStatus", GONE)


def outputs(account: Account) -> dict[str, str]:
    """Return what the stack tells of itself, such as ApiAddress; empty if it is not there."""
    found = _described(account, NAME).get("Outputs", [])
    return {one["OutputKey"]: one["OutputValue"] for one in found}


def owned(account: Account, resource: str) -> str | None:
    """Return the name of what the stack has made for a resource, such as Lake; None if nothing.

    A bucket that was there before is not the stack's, though the stack may have failed over it.
    """
    try:
        found = account.client("cloudformation").describe_stack_resources(
            StackName=NAME, LogicalResourceId=resource
        )["StackResources"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    made = [one for one in found if one["ResourceStatus"] in MADE]
    return made[0]["PhysicalResourceId"] if made else None


def create(account: Account, parameters: Mapping[str, str], say: Say) -> None:
    """Make the stack and wait for it. StackFailed tells what AWS did not let it make.

    After a failure AWS takes back what it had made, and the empty stack stays until `down`.
    """
    made = account.client("cloudformation").create_stack(
        StackName=NAME,
        TemplateBody=(TEMPLATES / "lab.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=TAGS,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
    )
    ended = _follow(account, made["StackId"], say)
    if ended != "CREATE_COMPLETE":
        raise StackFailed(
            f"the stack was not made: {reason(account, made['StackId'])}; "
            "then type: drydock aws down, and: drydock aws up"
        )


def delete(account: Account, say: Say) -> None:
    """Delete the stack in any state and wait; nothing if it is not there. Raises StackFailed."""
    stack = _described(account, NAME)
    if not stack:
        return
    seen = {event["EventId"] for event in _events(account, stack["StackId"])}
    account.client("cloudformation").delete_stack(StackName=NAME)
    ended = _follow(account, stack["StackId"], say, seen)
    if ended not in (GONE, "DELETE_COMPLETE"):
        raise StackFailed(f"the stack is still there: {reason(account, stack['StackId'], seen)}")


def reason(account: Account, stack: str, seen: set[str] = frozenset()) -> str:
    """Return in one line why the stack failed: the first failure, in the nested stack if there."""
    failed = [
        event
        for event in reversed(list(_events(account, stack)))
        if event["EventId"] not in seen
        and event["ResourceStatus"].endswith("_FAILED")
        and CANCELLED not in event.get("ResourceStatusReason", "").lower()
    ]
    if not failed:
        return "AWS gave no reason"
    own = [event for event in failed if event["PhysicalResourceId"] != event["StackId"]]
    first = (own or failed)[0]
    nested = first["ResourceType"] == "AWS::CloudFormation::Stack" and own
    if nested and first["PhysicalResourceId"].startswith("arn:"):
        return reason(account, first["PhysicalResourceId"], seen)
    words = in_the_way(first.get("ResourceStatusReason", ""))
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {words}"


def _follow(account: Account, stack: str, say: Say, seen: set[str] = frozenset()) -> str:
    """Say each new event until the stack has come to rest; its status."""
    told = set(seen)
    pause = 0.5 if account.local else 5.0
    while True:
        now = status(account, stack)
        for event in reversed(
            [one for one in _events(account, stack) if one["EventId"] not in told]
        ):
            told.add(event["EventId"])
            if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                say(f"  {event['ResourceStatus']:<18} {event['LogicalResourceId']}")
        if not now.endswith("_IN_PROGRESS"):
            return now
        time.sleep(pause)


def _described(account: Account, name: str) -> dict:
    try:
        [found] = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return {}
        raise
    return found


def _events(account: Account, stack: str):
    """The stack's events, the newest first."""
    pages = account.client("cloudformation").get_paginator("describe_stack_events")
    for page in pages.paginate(StackName=stack):
        yield from page["StackEvents"]
