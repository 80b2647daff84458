"""Stacks in stacks."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.errors import ResourceFailed
from localcloud.cloudformation.kinds.base import POLL_SECONDS, Context, Kind, Made
from localcloud.cloudformation.kinds.parameters import as_tags

KNOWN = {"TemplateURL", "Parameters", "Tags", "TimeoutInMinutes"}


class NestedStack(Kind):
    """A stack of its own, whose outputs are its attributes. Ref gives its id."""

    def has_attribute(self, name: str) -> bool:
        return name.startswith("Outputs.")

    def make(self, context: Context, properties: dict[str, Any]) -> Made:
        unknown = sorted(set(properties) - KNOWN)
        if unknown:
            raise ResourceFailed(f"Encountered unsupported property {unknown[0]}")
        tags = {**context.tags, **as_tags(properties.get("Tags", {}))}
        given = properties.get("Parameters", {})
        formation = context.client("cloudformation")
        made = formation.create_stack(
            StackName=context.name(128),
            TemplateURL=properties["TemplateURL"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": _text(value)}
                for name, value in given.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            Capabilities=list(context.capabilities),
            OnFailure="DO_NOTHING",  # the outer stack rolls back
        )["StackId"]
        context.born(made)
        stack = self._settled(formation, made)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            why = stack.get("StackStatusReason", stack["StackStatus"])
            raise ResourceFailed(f"Embedded stack {made} was not successfully created: {why}")
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        return Made(made, {f"Outputs.{name}": value for name, value in outputs.items()})

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        formation = context.client("cloudformation")
        formation.delete_stack(StackName=made.physical_id)
        stack = self._settled(formation, made.physical_id)
        if stack and stack["StackStatus"] != "DELETE_COMPLETE":
            raise ResourceFailed(
                f"Embedded stack {made.physical_id} was not successfully deleted: "
                f"{stack.get('StackStatusReason')}"
            )

    def change(self, *_: Any) -> None:
        """A changed one is made anew."""

    def _settled(self, formation: Any, stack_id: str) -> dict[str, Any]:
        while True:
            time.sleep(POLL_SECONDS)
            try:
                found = formation.describe_stacks(StackName=stack_id)["Stacks"][0]
            except ClientError:
                return {}
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


KINDS = [NestedStack("AWS::CloudFormation::Stack", "cloudformation", "create_stack", "", None)]
