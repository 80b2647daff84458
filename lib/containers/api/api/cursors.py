"""Cursors: where a page ended, as a word that a client passes back unread."""

import base64
import binascii
import hashlib
import json


class BadCursor(ValueError):
    """A cursor that this API did not make for these filters."""


def encode(position: int, filters: dict) -> str:
    """Return the cursor of the page after `position` among the flights of `filters`."""
    body = position.to_bytes(8, "big")
    return base64.urlsafe_b64encode(body + _check(body, filters)).decode()


def decode(cursor: str, filters: dict) -> int:
    """Return the position in `cursor`; raise BadCursor if it was altered or had other filters."""
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor(cursor) from error
    body, check = raw[:8], raw[8:]
    if check != _check(body, filters):
        raise BadCursor(cursor)
    return int.from_bytes(body, "big")


def _check(body: bytes, filters: dict) -> bytes:
    """A checksum, and no secret: a cursor gives access to nothing that its filters do not."""
    named = json.dumps(filters, sort_keys=True).encode() if filters else b"{}"
    return hashlib.blake2b(body + named, digest_size=7).digest()
