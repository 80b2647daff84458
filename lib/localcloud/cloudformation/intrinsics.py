"""The intrinsic functions of templates: Ref, Fn::GetAtt, Fn::Sub and the others.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from localcloud.cloudformation.errors import ValidationError

NO_VALUE = object()
IN_TEXT = re.compile(r"\$\{(!?)([^${}]+)\}")
ZONES = "abcdef"


class Scope:
    """What the names in a template stand for.

    ``refer(logical id)`` is what Ref gives for a resource, ``attribute(logical id, name)`` what
    Fn::GetAtt gives, ``export(name)`` what another stack exports.
    """

    def __init__(
        self,
        template: dict[str, Any],
        values: dict[str, Any],
        refer: Callable[[str], str],
        attribute: Callable[[str, str], Any],
        export: Callable[[str], str],
    ):
        self.template, self.values = template, values
        self.refer, self.attribute, self.export = refer, attribute, export
        self._conditions: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        """Whether a condition holds. Raises ValidationError for one that is not defined."""
        if name not in self._conditions:
            defined = self.template.get("Conditions") or {}
            if name not in defined:
                raise ValidationError(
                    f"Template format error: Unresolved condition dependency {name}"
                )
            self._conditions[name] = _holds(defined[name], self)
        return self._conditions[name]


def evaluate(value: Any, scope: Scope) -> Any:
    """``value`` without functions; NO_VALUE where AWS::NoValue takes it away."""
    if isinstance(value, list):
        found = [evaluate(one, scope) for one in value]
        return [one for one in found if one is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in FUNCTIONS:
            return FUNCTIONS[name](argument, scope)
        if str(name).startswith("Fn::"):
            raise ValidationError(f"Template error: {name} is not supported by the local cloud")
    found = {key: evaluate(one, scope) for key, one in value.items()}
    return {key: one for key, one in found.items() if one is not NO_VALUE}


def names_in(value: Any, scope: Scope) -> Iterator[tuple[str, str | None]]:
    """Each (name, attribute) that a value refers to, attribute None for a Ref. Of Fn::If only
    the branch that is taken counts."""
    if isinstance(value, list):
        for one in value:
            yield from names_in(one, scope)
    elif isinstance(value, dict):
        for key, argument in value.items():
            if key == "Ref":
                yield str(argument), None
            elif key == "Fn::GetAtt":
                name, attribute = _attribute_of(argument)
                yield name, attribute if isinstance(attribute, str) else ""
            elif key == "Fn::Sub":
                yield from _names_in_text(argument, scope)
            elif key == "Fn::If":
                name, yes, no = argument
                yield from names_in(yes if scope.condition(name) else no, scope)
            else:
                yield from names_in(argument, scope)


def _names_in_text(argument: Any, scope: Scope) -> Iterator[tuple[str, str | None]]:
    text, own = argument if isinstance(argument, list) else (argument, {})
    yield from names_in(own, scope)
    for literal, name in IN_TEXT.findall(text):
        if not literal and name not in own:
            first, _, attribute = name.strip().partition(".")
            yield first, attribute or None


def _ref(name: str, scope: Scope) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    return scope.values[name] if name in scope.values else scope.refer(name)


def _attribute_of(argument: Any) -> tuple[str, Any]:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2:
        raise ValidationError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the "
            "resource name and the resource attribute"
        )
    return parts[0], parts[1]


def _get_att(argument: Any, scope: Scope) -> Any:
    name, attribute = _attribute_of(argument)
    return scope.attribute(name, evaluate(attribute, scope))


def _sub(argument: Any, scope: Scope) -> str:
    text, own = argument if isinstance(argument, list) else (argument, {})
    own = {name: evaluate(value, scope) for name, value in own.items()}

    def put(match: re.Match) -> str:
        literal, name = match[1], match[2].strip()
        if literal:
            return f"${{{name}}}"
        if name in own:
            return _text(own[name])
        first, _, attribute = name.partition(".")
        return _text(scope.attribute(first, attribute) if attribute else _ref(name, scope))

    return IN_TEXT.sub(put, text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _join(argument: Any, scope: Scope) -> str:
    return argument[0].join(_text(one) for one in evaluate(argument[1], scope))


def _split(argument: Any, scope: Scope) -> list[str]:
    return evaluate(argument[1], scope).split(argument[0])


def _select(argument: Any, scope: Scope) -> Any:
    index, found = int(evaluate(argument[0], scope)), evaluate(argument[1], scope)
    if not 0 <= index < len(found):
        raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value {index}")
    return found[index]


def _if(argument: Any, scope: Scope) -> Any:
    name, yes, no = argument
    return evaluate(yes if scope.condition(name) else no, scope)


def _find_in_map(argument: Any, scope: Scope) -> Any:
    name, first, second = (evaluate(one, scope) for one in argument[:3])
    try:
        return scope.template["Mappings"][name][first][second]
    except KeyError:
        raise ValidationError(
            f"Template error: Unable to get mapping for {name}::{first}::{second}"
        ) from None


def _zones(argument: Any, scope: Scope) -> list[str]:
    region = evaluate(argument, scope) or scope.values["AWS::Region"]
    return [region + letter for letter in ZONES]


def _cidr(argument: Any, scope: Scope) -> list[str]:
    block, count, *bits = (evaluate(one, scope) for one in argument)
    network = ipaddress.ip_network(block)
    prefix = network.max_prefixlen - int(bits[0] if bits else 8)
    found = network.subnets(new_prefix=prefix)
    return [str(one) for one, _ in zip(found, range(int(count)), strict=False)]


def _base64(argument: Any, scope: Scope) -> str:
    return base64.b64encode(str(evaluate(argument, scope)).encode()).decode()


def _import(argument: Any, scope: Scope) -> str:
    return scope.export(evaluate(argument, scope))


def _holds(value: Any, scope: Scope) -> bool:
    if isinstance(value, dict) and len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Condition":
            return scope.condition(argument)
        if name == "Fn::Equals":
            first, second = (evaluate(one, scope) for one in argument)
            return _text(first) == _text(second)
        if name == "Fn::Not":
            return not _holds(argument[0], scope)
        if name in ("Fn::And", "Fn::Or"):
            found = [_holds(one, scope) for one in argument]
            return all(found) if name == "Fn::And" else any(found)
    raise ValidationError(
        "Template validation error: conditions can only be boolean operations on parameters and "
        "other conditions"
    )


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _zones,
    "Fn::Cidr": _cidr,
    "Fn::Base64": _base64,
    "Fn::ImportValue": _import,
}
