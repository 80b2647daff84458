"""Kubernetes' protobuf, read only: `kubectl create` sends its objects so, and takes JSON back.

https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding describes the
envelope; data/kubernetes_protobuf.json has the field numbers.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from localcloud.kubernetes import schemas

DATA = Path(__file__).parents[3] / "data" / "kubernetes_protobuf.json"
KIND = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


@cache
def messages() -> dict[str, dict[str, list[str]]]:
    return json.loads(DATA.read_text())["messages"]


def read(body: bytes) -> dict[str, Any]:
    """The object as its JSON would be. Raises ValueError."""
    if not body.startswith(MAGIC):
        raise ValueError("this is no Kubernetes protobuf")
    try:
        envelope = dict(_fields(body[len(MAGIC) :]))
        about = {number: value.decode() for number, value in _fields(envelope[1])}
        group, _, version = about.get(1, "").rpartition("/")
        name = schemas.by_kind().get((group, version, about.get(2, "")))
        if name is None and about.get(2) == "DeleteOptions":
            name = META + "DeleteOptions"
        if name is None:
            raise ValueError(f"no such kind: {about}")
        found = _message(envelope.get(2, b""), name)
    except (IndexError, KeyError, AttributeError, struct.error) as error:
        raise ValueError(f"protobuf cannot be read: {error!r}") from None
    return {**found, "apiVersion": about.get(1, ""), "kind": about.get(2, "")}


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and raw value of each field, in order."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind == BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise IndexError("cut short")
            value, at = data[at : at + length], at + length
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            value, at = (
                struct.unpack("<d" if size == 8 else "<f", data[at : at + size])[0],
                at + size,
            )
        else:
            raise IndexError(f"wire type {kind}")
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _message(data: bytes, name: str) -> dict[str, Any]:
    known, found = messages()[name], {}
    shown = schemas.definitions().get(name, {}).get("properties", {})
    for number, raw in _fields(data):
        field, kind = known.get(str(number), (None, ""))
        if field is None:
            continue
        if kind.startswith("[]"):
            found.setdefault(field, []).append(_value(raw, kind[2:]))
        elif kind.startswith("{}"):
            pair = dict(_fields(raw))
            key = pair.get(1, b"").decode()
            found.setdefault(field, {})[key] = _value(pair.get(2, b""), kind[2:])
        elif field not in shown and kind.startswith("io."):
            # Embedded in Go: JSON has its fields one level higher.
            found |= _message(raw, kind)
        else:
            found[field] = _value(raw, kind)
    return {field: value for field, value in found.items() if _told(field, value, shown)}


def _told(field: str, value: Any, shown: dict[str, Any]) -> bool:
    """Go writes what is empty too, where JSON leaves it out."""
    empty = value is None or value == "" or (value == {} and field != "emptyDir")
    return not empty and (value != 0 or isinstance(value, bool) or _zero_counts(field))


def _zero_counts(field: str) -> bool:
    """Numbers whose 0 says something: pointers in Go, so they are only sent when set."""
    return field not in ("generation", "observedGeneration", "hostPort", "nodePort", "active")


def _value(raw: Any, kind: str) -> Any:
    if kind == "string":
        return raw.decode()
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    if kind == "bool":
        return bool(raw)
    if kind in ("int32", "int64"):
        return raw - (1 << 64) if raw >= 1 << 63 else raw
    if kind in ("double", "float"):
        return raw
    if kind in (META + "Time", META + "MicroTime"):
        pair = dict(_fields(raw))
        at = datetime.fromtimestamp(pair.get(1, 0), UTC) if pair.get(1) else None
        return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
    if kind == QUANTITY:
        return dict(_fields(raw)).get(1, b"0").decode()
    if kind == INT_OR_STRING:
        pair = dict(_fields(raw))
        return pair.get(3, b"").decode() if pair.get(1) else _value(pair.get(2, 0), "int32")
    if kind == META + "FieldsV1":
        return json.loads(dict(_fields(raw)).get(1, b"{}"))
    return _message(raw, kind)
