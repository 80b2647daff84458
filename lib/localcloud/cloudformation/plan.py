"""What a template asks for, before anything is made: checked, in the order of its references."""

from __future__ import annotations

import json
from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from typing import Any

from botocore.exceptions import ClientError

from localcloud import arns
from localcloud.cloudformation import template as templates
from localcloud.cloudformation.errors import InsufficientCapabilities, ValidationError
from localcloud.cloudformation.intrinsics import NO_VALUE, Scope, evaluate, names_in
from localcloud.cloudformation.kinds import kind_of
from localcloud.cloudformation.stacks import Stack

NAMED = "CAPABILITY_NAMED_IAM"
IAM_NAMES = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
}
IAM_TYPES = {*IAM_NAMES, "AWS::IAM::Policy"}


class Plan:
    """A template with its parameters. Raises ValidationError, InsufficientCapabilities.

    ``client`` reads parameters that are kept in SSM; without it their names stand for them.
    """

    def __init__(
        self,
        stack: Stack,
        export: Callable[[str], str],
        client: Callable[[str], Any] | None = None,
    ):
        self.stack = stack
        self.template = templates.load(stack.body)
        values = templates.parameter_values(self.template, stack.given)
        self.parameters = dict(values)
        if client:
            values |= self._from_ssm(values, client)
        pseudo = {
            "AWS::AccountId": arns.ACCOUNT,
            "AWS::Region": arns.REGION,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": [],
        }
        self.scope = Scope(self.template, values | pseudo, self._refer, self._attribute, export)
        asked = self.template["Resources"]
        self._check_types(asked)
        self.resources = {
            name: one
            for name, one in asked.items()
            if "Condition" not in one or self.scope.condition(one["Condition"])
        }
        self._attributes: dict[str, set[str]] = {name: set() for name in self.resources}
        self.order = self._ordered()
        for name, output in self._live_outputs():
            self._depends(output.get("Value"), f"Outputs.{name}")
        self._check_capabilities()

    def properties(self, name: str) -> dict[str, Any]:
        """A resource's properties without functions. What it refers to must have been made."""
        found = evaluate(self.resources[name].get("Properties") or {}, self.scope)
        return {} if found is NO_VALUE else found

    def wanted(self, name: str) -> frozenset[str]:
        """The attributes of a resource that something in the template asks for."""
        return frozenset(self._attributes[name])

    def outputs(self) -> list[dict[str, str]]:
        return [self._output(name, output) for name, output in self._live_outputs()]

    def no_echo(self) -> list[str]:
        slots = self.template.get("Parameters") or {}
        return [n for n, slot in slots.items() if str(slot.get("NoEcho")).lower() == "true"]

    def _output(self, name: str, output: dict[str, Any]) -> dict[str, str]:
        value = evaluate(output["Value"], self.scope)
        shown = {"OutputKey": name, "OutputValue": _shown(value)}
        if "Description" in output:
            shown["Description"] = output["Description"]
        if "Export" in output:
            shown["ExportName"] = str(evaluate(output["Export"]["Name"], self.scope))
        return shown

    def _from_ssm(self, values: dict[str, Any], client: Callable[[str], Any]) -> dict[str, Any]:
        found = {}
        for name, slot in (self.template.get("Parameters") or {}).items():
            if not slot.get("Type", "").startswith("AWS::SSM::Parameter::Value<"):
                continue
            try:
                answer = client("ssm").get_parameter(Name=values[name])
            except ClientError:
                raise ValidationError(
                    f"Unable to fetch parameters [{values[name]}] from parameter store for this "
                    "account."
                ) from None
            value = answer["Parameter"]["Value"]
            found[name] = value.split(",") if "List<" in slot["Type"][27:] else value
        return found

    def _live_outputs(self) -> list[tuple[str, dict[str, Any]]]:
        outputs = (self.template.get("Outputs") or {}).items()
        return [
            (name, one)
            for name, one in outputs
            if "Condition" not in one or self.scope.condition(one["Condition"])
        ]

    def _check_types(self, asked: dict[str, Any]) -> None:
        unknown = sorted({one["Type"] for one in asked.values() if kind_of(one["Type"]) is None})
        if unknown:
            raise ValidationError(
                f"Template format error: Unrecognized resource types: [{', '.join(unknown)}] "
                "(the local cloud makes none of these)"
            )

    def _check_capabilities(self) -> None:
        types = {one["Type"] for one in self.resources.values()} & IAM_TYPES
        named = any(
            IAM_NAMES.get(one["Type"]) in (one.get("Properties") or {})
            for one in self.resources.values()
        )
        given = set(self.stack.capabilities)
        if named and NAMED not in given:
            raise InsufficientCapabilities(f"Requires capabilities : [{NAMED}]")
        if types and not given & {NAMED, "CAPABILITY_IAM"}:
            raise InsufficientCapabilities("Requires capabilities : [CAPABILITY_IAM]")

    def _ordered(self) -> list[str]:
        """The resources, each after those that it refers to or depends on."""
        before: dict[str, set[str]] = {}
        for name, one in self.resources.items():
            needs = self._depends(one.get("Properties"), name)
            given = one.get("DependsOn") or []
            for other in [given] if isinstance(given, str) else given:
                if other not in self.template["Resources"]:
                    raise _unresolved(other)
                needs |= {other} & set(self.resources)
            before[name] = needs
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            names = ", ".join(sorted(set(error.args[1])))
            raise ValidationError(f"Circular dependency between resources: [{names}]") from None

    def _depends(self, value: Any, where: str) -> set[str]:
        """The resources that a value refers to; remembers which attributes it asks for."""
        found = set()
        for name, attribute in names_in(value, self.scope):
            if (attribute is None and name in self.scope.values) or name == "AWS::NoValue":
                continue
            if name not in self.resources:
                if attribute is None:
                    raise _unresolved(name)
                raise ValidationError(
                    f"Template error: instance of Fn::GetAtt references undefined resource {name}"
                )
            found.add(name)
            if attribute:
                self._check_attribute(name, attribute)
                self._attributes[name].add(attribute)
        return found

    def _check_attribute(self, name: str, attribute: str) -> None:
        kind = kind_of(self.resources[name]["Type"])
        if not kind.has_attribute(attribute):
            raise ValidationError(
                f"Template error: resource {name} does not support attribute type {attribute} "
                "in Fn::GetAtt"
            )

    def _refer(self, name: str) -> str:
        return self.stack.resources[name].physical_id

    def _attribute(self, name: str, attribute: str) -> Any:
        found = self.stack.resources[name].attributes
        if attribute not in found:
            raise ValidationError(
                f"Attribute '{attribute}' does not exist for resource {name}: it has none yet"
            )
        return found[attribute]


def _unresolved(name: str) -> ValidationError:
    return ValidationError(
        f"Template format error: Unresolved resource dependencies [{name}] in the Resources "
        "block of the template"
    )


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
