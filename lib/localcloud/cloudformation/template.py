"""A template as its author wrote it: YAML or JSON in, checked mappings out."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from localcloud.cloudformation.errors import ValidationError

SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Rules",
    "Transform",
    "Resources",
    "Outputs",
}
ATTRIBUTES = {
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
    "CreationPolicy",
    "UpdatePolicy",
}
LOGICAL_ID = re.compile(r"[A-Za-z0-9]+")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, without aliases, and dates left as text."""

    def compose_node(self, parent: yaml.Node, index: Any) -> yaml.Node:
        if self.check_event(yaml.AliasEvent):
            raise ValidationError(
                "Template error: YAML aliases are not allowed in CloudFormation templates"
            )
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(body: str) -> dict[str, Any]:
    """The template's sections. Raises ValidationError."""
    try:
        found = json.loads(body) if body.lstrip().startswith("{") else yaml.load(body, _Loader)
    except (yaml.YAMLError, ValueError) as error:
        where = " ".join(str(error).split())
        raise ValidationError(f"Template format error: not well-formed. {where[:300]}") from None
    if not isinstance(found, dict):
        raise ValidationError("Template format error: unsupported structure.")
    unknown = sorted(set(found) - SECTIONS)
    if unknown:
        raise ValidationError(
            f"Invalid template property or properties [{', '.join(map(str, unknown))}]"
        )
    if found.get("Transform"):
        raise ValidationError("The local cloud's CloudFormation has no transforms: leave it out")
    for section in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        if found.get(section) is not None and not isinstance(found[section], dict):
            raise ValidationError(f"Template format error: {section} must be an object.")
    _check_resources(found.get("Resources") or {})
    return found


def _check_resources(resources: dict[str, Any]) -> None:
    if not resources:
        raise ValidationError(
            "Template format error: At least one Resources member must be defined."
        )
    for name, resource in resources.items():
        where = f"[/Resources/{name}]"
        if not LOGICAL_ID.fullmatch(str(name)):
            raise ValidationError(
                f"Template format error: Resource name {name} is non alphanumeric."
            )
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise ValidationError(f"Template format error: {where} Every resource needs a Type.")
        unknown = sorted(set(resource) - ATTRIBUTES)
        if unknown:
            raise ValidationError(f"Invalid template resource property '{unknown[0]}' at {where}")
        if not isinstance(resource.get("Properties") or {}, dict):
            raise ValidationError(f"Template format error: {where} Properties must be an object.")


def parameter_values(template: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """What each parameter is worth: as given, or its default. Raises ValidationError."""
    slots = template.get("Parameters") or {}
    unknown = sorted(set(given) - set(slots))
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, slot in slots.items() if name not in given and "Default" not in slot]
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: _parameter(name, slot, str(given.get(name, slot.get("Default"))))
        for name, slot in slots.items()
    }


def _parameter(name: str, slot: dict[str, Any], text: str) -> Any:
    kind = slot.get("Type", "String")
    many = kind == "CommaDelimitedList" or kind.startswith("List<")
    for one in [part.strip() for part in text.split(",")] if many else [text]:
        _check_value(name, slot, kind, one)
    return [part.strip() for part in text.split(",")] if many else text


def _check_value(name: str, slot: dict[str, Any], kind: str, text: str) -> None:
    allowed = [str(value) for value in slot.get("AllowedValues", [])]
    if allowed and text not in allowed:
        raise ValidationError(
            f"Parameter '{name}' must be one of AllowedValues: {', '.join(allowed)}"
        )
    pattern = slot.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, text):
        why = slot.get("ConstraintDescription", f"must match pattern {pattern}")
        raise ValidationError(f"Parameter '{name}' failed to satisfy constraint: {why}")
    if kind in ("Number", "List<Number>"):
        try:
            size = float(text)
        except ValueError:
            raise ValidationError(f"Parameter '{name}' must be a number.") from None
        least, most = slot.get("MinValue"), slot.get("MaxValue")
    else:
        size, least, most = len(text), slot.get("MinLength"), slot.get("MaxLength")
    if least is not None and size < float(least):
        raise ValidationError(f"Parameter '{name}' must be at least {least}")
    if most is not None and size > float(most):
        raise ValidationError(f"Parameter '{name}' must be at most {most}")
