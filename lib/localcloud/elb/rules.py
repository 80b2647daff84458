"""Which of a listener's rules a request meets. Pure: no request is touched.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """What rules look at. ``query`` are decoded pairs, ``headers`` is case-insensitive."""

    method: str
    host: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    source: str


def chosen(rules: Sequence[Any], asked: Asked) -> Any:
    """The first rule, by priority, of which all conditions are met; the default one is last."""
    for rule in sorted(rules, key=_order):
        if all(met(condition, asked) for condition in rule.conditions):
            return rule
    raise LookupError("a listener always has a default rule")


def met(condition: dict[str, Any], asked: Asked) -> bool:
    field = condition["Field"]
    settings = next((v for k, v in condition.items() if k.endswith("Config")), {})
    values = settings.get("Values") or condition.get("Values", [])
    if field == "path-pattern":
        return any(_like(value, asked.path) for value in values)
    if field == "host-header":
        host = asked.host.rpartition(":")[0] if re.search(r":\d+$", asked.host) else asked.host
        return any(_like(value.lower(), host.lower()) for value in values)
    if field == "http-request-method":
        return asked.method in values
    if field == "http-header":
        present = asked.headers.get(settings["HttpHeaderName"])
        return present is not None and any(_like(v.lower(), present.lower()) for v in values)
    if field == "source-ip":
        return any(
            ipaddress.ip_address(asked.source) in ipaddress.ip_network(value) for value in values
        )
    return any(_in_query(value, asked.query) for value in values)


def _in_query(wanted: dict[str, str], query: Sequence[tuple[str, str]]) -> bool:
    return any(
        ("Key" not in wanted or _like(wanted["Key"].lower(), name.lower()))
        and _like(wanted["Value"].lower(), value.lower())
        for name, value in query
    )


def _like(pattern: str, text: str) -> bool:
    """``*`` is any number of characters, ``?`` one, and nothing else is special."""
    parts = ("".join(_piece(c) for c in pattern)) if pattern else ""
    return re.fullmatch(parts, text, re.DOTALL) is not None


def _piece(character: str) -> str:
    return {"*": ".*", "?": "."}.get(character) or re.escape(character)


def _order(rule: Any) -> float:
    return float("inf") if rule.priority == "default" else int(rule.priority)
