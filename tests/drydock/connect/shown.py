"""A value of an Arrow column as one text, in which nothing of it is lost."""

import datetime as dt
import json
from typing import Any

import pyarrow as pa


def shown(array: pa.Array) -> str:
    """Return the first value; a date that Python has not is told by its distance from 1970."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    try:
        return _text(array[0].as_py())
    except (OverflowError, ValueError):
        whole = pa.int32() if pa.types.is_date32(array.type) else pa.int64()
        return f"{array.cast(whole)[0].as_py()} after 1970"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).isoformat(" ")
    if isinstance(value, (dt.date, dt.time)):
        return str(value)
    if isinstance(value, list):
        return json.dumps(value)
    return str(value)
