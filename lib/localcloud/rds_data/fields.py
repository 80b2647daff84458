"""PostgreSQL's text, as the Data API answers it: types, fields and the metadata of columns."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.rds_data.errors import DataApiError


@dataclass(frozen=True)
class Kind:
    """A type: its name in PostgreSQL, its number in java.sql.Types, and the member of Field."""

    name: str
    jdbc: int
    member: str


BOOLEAN, LONG, DOUBLE, STRING, BLOB = (
    "booleanValue",
    "longValue",
    "doubleValue",
    "stringValue",
    "blobValue",
)
DECIMAL, MOMENT = "decimal", "moment"  # string values of a form of their own
KINDS = {
    16: Kind("bool", -7, BOOLEAN),
    17: Kind("bytea", -2, BLOB),
    19: Kind("name", 12, STRING),
    20: Kind("int8", -5, LONG),
    21: Kind("int2", 5, LONG),
    23: Kind("int4", 4, LONG),
    25: Kind("text", 12, STRING),
    26: Kind("oid", -5, LONG),
    114: Kind("json", 1111, STRING),
    700: Kind("float4", 7, DOUBLE),
    701: Kind("float8", 8, DOUBLE),
    705: Kind("unknown", 12, STRING),
    1042: Kind("bpchar", 1, STRING),
    1043: Kind("varchar", 12, STRING),
    1082: Kind("date", 91, STRING),
    1083: Kind("time", 92, MOMENT),
    1114: Kind("timestamp", 93, MOMENT),
    1184: Kind("timestamptz", 93, MOMENT),
    1700: Kind("numeric", 2, DECIMAL),
    2278: Kind("void", 1111, STRING),
    2950: Kind("uuid", 1111, STRING),
    3802: Kind("jsonb", 1111, STRING),
}
ARRAYS = {
    1000: 16,
    1005: 21,
    1007: 23,
    1009: 25,
    1014: 1042,
    1015: 1043,
    1016: 20,
    1021: 700,
    1022: 701,
    1115: 1114,
    1182: 1082,
    1183: 1083,
    1185: 1184,
    1231: 1700,
    2951: 2950,
}
ARRAY_JDBC = 2003
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)')
_BOUNDS = re.compile(r"^\[[^=]*=")
_FRACTION = re.compile(r"\.(\d+)")

Reader = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Options:
    """resultSetOptions: whether decimals are answered as numbers, and integers as text."""

    decimals_as_numbers: bool = False
    longs_as_text: bool = False


def reader(oid: int, options: Options, name: Callable[[int], str]) -> Reader:
    """Return what makes a Field of a value's text.

    ``name`` gives the name of a type by its OID. Raises DataApiError for a type that the Data API
    does not answer.
    """
    if oid in ARRAYS:
        element = KINDS[ARRAYS[oid]]
        return lambda text: {"arrayValue": _array(text, element, options)}
    kind = KINDS.get(oid)
    if kind is None:
        raise DataApiError(
            "UnsupportedResultException",
            f"The result contains the unsupported data type {name(oid)}.",
        )
    return lambda text: _field(text, kind, options)


def _field(text: str, kind: Kind, options: Options) -> dict[str, Any]:
    if kind.member == BOOLEAN:
        return {BOOLEAN: text == "t"}
    if kind.member == LONG:
        return {STRING: text} if options.longs_as_text else {LONG: int(text)}
    if kind.member == DOUBLE:
        return {DOUBLE: float(text)}
    if kind.member == BLOB:
        return {BLOB: base64.b64encode(bytes.fromhex(text.removeprefix("\\x"))).decode()}
    if kind.member == DECIMAL:
        if not options.decimals_as_numbers:
            return {STRING: text}
        return {LONG: int(text)} if text.lstrip("-").isdigit() else {DOUBLE: float(text)}
    if kind.member == MOMENT:
        return {STRING: _moment(text, kind)}
    return {STRING: text}


def _moment(text: str, kind: Kind) -> str:
    """In UTC; a fraction of a second has 3 digits where they suffice, else 6, and none if 0."""
    if text.endswith("infinity"):
        raise DataApiError("InternalServerErrorException", f"The result contains {text}.")
    if kind.name == "timestamptz":
        text = re.sub(r"[+-]\d{2}(:\d{2})*$", "", text)

    def shortened(match: re.Match) -> str:
        digits = match[1].ljust(6, "0")
        return f".{digits[:3] if digits.endswith('000') else digits}" if int(digits) else ""

    return _FRACTION.sub(shortened, text)


def _array(text: str, element: Kind, options: Options) -> dict[str, list]:
    body = _BOUNDS.sub("", text)
    if "{" in _ELEMENT.sub("", body)[1:]:
        raise DataApiError(
            "UnsupportedResultException", "The result contains a multidimensional array."
        )
    fields = [
        None
        if match[2] == "NULL"
        else _field(
            re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2],
            element,
            options,
        )
        for match in _ELEMENT.finditer(body[1:-1])
    ]
    values = [next(iter(field.values())) if field else None for field in fields]
    return {f"{_member(element, options).removesuffix('Value')}Values": values}


def _member(element: Kind, options: Options) -> str:
    if element.member == DECIMAL and options.decimals_as_numbers:
        return DOUBLE
    if element.member == LONG and options.longs_as_text:
        return STRING
    return element.member if element.member in (BOOLEAN, LONG, DOUBLE) else STRING
