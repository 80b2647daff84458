"""Who may call a function: its resource policy, which add_permission writes."""

from __future__ import annotations

import re
from typing import Any

ACTIONS = ("lambda:InvokeFunction", "lambda:*", "*")


def lets_in(function: Any, service: str, source: str, account: str) -> bool:
    """Whether a statement lets ``service`` call it for ``source``, an ARN of ``account``."""
    return any(_allows(one, service, source, account) for one in function.policy.statements)


def _allows(statement: dict[str, Any], service: str, source: str, account: str) -> bool:
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or statement.get("Action") not in ACTIONS:
        return False
    if principal != "*" and principal != {"Service": service}:
        return False
    for values in (statement.get("Condition") or {}).values():
        for name, wanted in values.items():
            given = {"AWS:SourceArn": source, "AWS:SourceAccount": account}.get(name)
            if given is None or not _like(wanted, given):
                return False
    return True


def _like(pattern: str, text: str) -> bool:
    written = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(written, text) is not None
