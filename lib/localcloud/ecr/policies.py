"""Lifecycle policies: what a policy may say.

The rules are those of "Lifecycle policy properties in Amazon ECR" and "Lifecycle policy evaluation
rules" in the ECR user guide. AWS words its refusals by a JSON schema; so it is here where that
wording is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localcloud.ecr import errors

RULE = {"rulePriority", "selection", "action"}
SELECTION = {"tagStatus", "countType", "countNumber"}
TAG_LISTS = ("tagPatternList", "tagPrefixList")
TAG_STATUS = ("tagged", "untagged", "any")
COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed")
# What AWS knows and the local cloud does not do.
NOT_HERE = ("sinceImagePulled", "sinceImageTransitioned", "transition")
MOST_RULES = 50
MOST_WILDCARDS = 4


@dataclass(frozen=True)
class Rule:
    """One rule: which images it looks at, and which of them are too many or too old."""

    priority: int
    tag_status: str
    patterns: tuple[str, ...]
    count_type: str
    count: int


def parse(text: str) -> list[Rule]:
    """The rules in the order of their priority. Raises InvalidParameterException."""
    try:
        policy = json.loads(text)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise _invalid("Could not map policyString into LifecyclePolicy.")
    _check_names(policy, {"rules"}, set())
    if not isinstance(policy["rules"], list) or not policy["rules"]:
        raise _invalid("rules must be a list with at least one rule")
    if len(policy["rules"]) > MOST_RULES:
        raise _invalid(f"a policy has at most {MOST_RULES} rules")
    rules = sorted(map(_rule, policy["rules"]), key=lambda rule: rule.priority)
    _check_together(rules)
    return rules


def _rule(rule: Any) -> Rule:
    _check_names(rule, RULE, {"description"})
    _check_names(rule["action"], {"type"}, {"targetStorageClass"})
    _check_choice(rule["action"]["type"], ("expire",))
    if "targetStorageClass" in rule["action"]:
        raise _invalid("targetStorageClass is only for the action transition")
    if not isinstance(rule.get("description", ""), str):
        raise _invalid("description must be a string")
    selection = rule["selection"]
    _check_names(selection, SELECTION, {*TAG_LISTS, "countUnit"})
    _check_choice(selection["tagStatus"], TAG_STATUS)
    _check_choice(selection["countType"], COUNT_TYPES)
    _check_unit(selection)
    return Rule(
        _whole_number(rule, "rulePriority"),
        selection["tagStatus"],
        _patterns(selection),
        selection["countType"],
        _whole_number(selection, "countNumber"),
    )


def _check_unit(selection: dict[str, Any]) -> None:
    if selection["countType"] == "sinceImagePushed":
        if selection.get("countUnit") is None:
            raise _invalid('object has missing required properties (["countUnit"])')
        _check_choice(selection["countUnit"], ("days",))
    elif "countUnit" in selection:
        raise _invalid(
            "instance failed to match exactly one schema (matched 0 out of 2): countUnit is only "
            "for the countType sinceImagePushed"
        )


def _patterns(selection: dict[str, Any]) -> tuple[str, ...]:
    """What an image's tags must match. A prefix is a pattern with a * at its end."""
    given = [name for name in TAG_LISTS if name in selection]
    if selection["tagStatus"] != "tagged":
        if given:
            raise _invalid(f"{given[0]} is only for the tagStatus tagged")
        return ()
    if len(given) != 1:
        raise _invalid("the tagStatus tagged needs either a tagPatternList or a tagPrefixList")
    words = selection[given[0]]
    if not isinstance(words, list) or not words or not all(isinstance(w, str) and w for w in words):
        raise _invalid(f"{given[0]} must be a list of strings, at least one, none of them empty")
    if given[0] == "tagPrefixList":
        if any("*" in word for word in words):
            raise _invalid("a prefix has no *: give a tagPatternList")
        return tuple(f"{word}*" for word in words)
    for word in words:
        if word.count("*") > MOST_WILDCARDS:
            raise _invalid(f"{word} has more than {MOST_WILDCARDS} wildcards (*)")
    return tuple(words)


def _check_together(rules: list[Rule]) -> None:
    priorities = [rule.priority for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise _invalid("each rule must have a unique value for rulePriority")
    if any(rule.tag_status == "any" for rule in rules[:-1]):
        raise _invalid(
            "a rule with the tagStatus any must have the highest value for rulePriority, and there "
            "is at most one"
        )
    if sum(rule.tag_status == "untagged" for rule in rules) > 1:
        raise _invalid("only one rule is allowed to select untagged images")
    words = [rule.patterns for rule in rules if rule.tag_status == "tagged"]
    if len({frozenset(patterns) for patterns in words}) < len(words):
        raise _invalid("the rules must have unique sets of tag prefixes or patterns")


def _check_names(thing: Any, required: set[str], optional: set[str]) -> None:
    if not isinstance(thing, dict):
        raise _invalid(
            f"instance type ({_kind(thing)}) does not match any allowed primitive type "
            '(allowed: ["object"])'
        )
    if missing := sorted(required - set(thing)):
        raise _invalid(f"object has missing required properties ({json.dumps(missing)})")
    if unknown := sorted(set(thing) - required - optional):
        raise _invalid(
            "object instance has properties which are not allowed by the schema: "
            f"({json.dumps(unknown)})"
        )


def _check_choice(value: Any, choices: tuple[str, ...]) -> None:
    if value in NOT_HERE:
        raise _invalid(
            f"the local cloud records no pulls and has no archive, so {value} is only for AWS"
        )
    if value not in choices:
        raise _invalid(
            f"instance value ({json.dumps(value)}) not found in enum "
            f"(possible values: {json.dumps(choices)})"
        )


def _whole_number(thing: dict[str, Any], name: str) -> int:
    value = thing[name]
    if type(value) is not int:
        raise _invalid(
            f"instance type ({_kind(value)}) does not match any allowed primitive type "
            f'(allowed: ["integer"]): {name}'
        )
    if value < 1:
        raise _invalid(
            f"numeric instance is lower than the required minimum (minimum: 1, found: {value})"
        )
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return kinds.get(type(value), "null" if value is None else "number")


def _invalid(why: str) -> errors.EcrError:
    return errors.invalid("LifecyclePolicyText", f"Lifecycle policy validation failure: {why}")
