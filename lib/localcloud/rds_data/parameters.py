"""SqlParameter, as PostgreSQL takes it: the type, and the value as text."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from localcloud.rds_data.errors import DataApiError, invalid

Bound = tuple[int, bytes | None]
"""The OID of the type, 0 where PostgreSQL decides, and the value; None is NULL."""

UNKNOWN, BOOL, BYTEA, INT8, TEXT, FLOAT8 = 0, 16, 17, 20, 25, 701
DAY, CLOCK = r"\d{4,6}-\d{2}-\d{2}", r"\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?"
HINTS = {
    "DATE": (1082, DAY, "YYYY-MM-DD"),
    "TIME": (1083, CLOCK, "HH:MM:SS[.FFF]"),
    "TIMESTAMP": (1114, f"{DAY} {CLOCK}", "YYYY-MM-DD HH:MM:SS[.FFF]"),
    "DECIMAL": (1700, r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", "a decimal number"),
    "UUID": (2950, r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID"),
    "JSON": (114, None, "JSON"),
}
LONGEST = 1 << 63


def bound(names: list[str], given: list[dict[str, Any]]) -> list[Bound]:
    """Return a value for each $n of a statement."""
    values = by_name(given)
    missing = next((name for name in names if name not in values), None)
    if missing is not None:
        raise DataApiError("BadRequestException", f"Cannot find parameter: {missing}")
    return [values[name] for name in names]


def by_name(given: list[dict[str, Any]]) -> dict[str, Bound]:
    values = {}
    for parameter in given:
        name = parameter.get("name")
        if not name:
            raise invalid("A parameter has no name.")
        if name in values:
            raise invalid(f"Parameter {name} is given more than once.")
        values[name] = _value(name, parameter.get("value") or {}, parameter.get("typeHint"))
    return values


def _value(name: str, field: dict[str, Any], hint: str | None) -> Bound:
    if "arrayValue" in field:
        raise invalid("Array parameters are not supported.")
    if len(field) != 1:
        raise invalid(f"Parameter {name}: the value must have exactly one member.")
    if hint and hint not in HINTS:
        raise invalid(
            f"1 validation error detected: Value '{hint}' at 'typeHint' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(sorted(HINTS))}]"
        )
    kind, value = next(iter(field.items()))
    if kind == "isNull":
        return (HINTS[hint][0] if hint else UNKNOWN), None
    if hint and kind == "stringValue":
        return _hinted(name, str(value), hint)
    if kind not in _KINDS:
        raise invalid(f"Parameter {name}: {kind} is not a type of value.")
    try:
        return _KINDS[kind](value)
    except (TypeError, ValueError, OverflowError, binascii.Error):
        raise invalid(f"Parameter {name}: {value!r:.60} is not a {kind}.") from None


def _hinted(name: str, value: str, hint: str) -> Bound:
    oid, pattern, form = HINTS[hint]
    fits = re.fullmatch(pattern, value) if pattern else _is_json(value)
    if not fits:
        raise invalid(f"Parameter {name}: {value!r:.60} is not a {hint}: it must be {form}.")
    return oid, value.encode()


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _text(value: Any) -> Bound:
    if "\0" in value:
        raise ValueError
    return TEXT, value.encode()


def _long(value: Any) -> Bound:
    if isinstance(value, bool) or not -LONGEST <= int(value) < LONGEST:
        raise ValueError
    return INT8, str(int(value)).encode()


_KINDS = {
    "stringValue": _text,
    "longValue": _long,
    "doubleValue": lambda value: (FLOAT8, repr(float(value)).encode()),
    "booleanValue": lambda value: (BOOL, b"true" if value else b"false"),
    "blobValue": lambda value: (BYTEA, b"\\x" + base64.b64decode(value).hex().encode()),
}
