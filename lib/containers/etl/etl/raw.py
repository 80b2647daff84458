"""Reading a raw object: gunzip, header, typed parse, and where rows go that do not pass.

Most objects are without fault, so they are parsed and checked as a whole. Only when that fails are
the lines looked at one by one (`etl.bad_lines`). Both ways use the same CSV parser, null rules and
checks, so a row that passes one passes the other.
"""

import gzip
import zlib
from dataclasses import dataclass, field

import polars as pl
from isal import igzip, igzip_lib

from etl.bad_lines import sort_out
from etl.checks import all_pass
from etl.errors import InputFailure
from etl.layout import HEADER, Month, read_rows


@dataclass(frozen=True)
class BadRow:
    """One quarantined line of an object; `line` is its physical number, the header being 1."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Rows:
    """The rows of one object: `good` typed and checked, `bad` with the reason; `read` = both."""

    good: pl.DataFrame
    bad: list[BadRow] = field(default_factory=list)

    @property
    def read(self) -> int:
        return self.good.height + len(self.bad)


def gunzip(data: bytes, name: str) -> bytes:
    """Return the text inside the gzip `data`; raise InputFailure when it is cut or damaged."""
    try:
        text = igzip.decompress(data)
    except EOFError:
        raise InputFailure(
            f"{name} is a truncated gzip file ({len(data)} bytes); upload it again"
        ) from None
    except (gzip.BadGzipFile, igzip_lib.IsalError, zlib.error) as error:
        raise InputFailure(f"{name} is not a sound gzip file: {error}; upload it again") from None
    if not text:
        raise InputFailure(f"{name} is empty; upload it again")
    return text


def parse(text: bytes, month: Month, name: str) -> Rows:
    """Parse and check the CSV `text` of one month; raise InputFailure on a wrong header.

    One physical line is one row: no column can hold a line break, and so a stray quote costs its
    own row and no other.
    """
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    end = text.find(b"\n")
    header = text if end < 0 else text[:end]
    if header != HEADER:
        found = header[:200].decode("utf-8", "backslashreplace")
        raise InputFailure(
            f"{name} has the wrong header: expected {HEADER.decode()!r}, found {found!r}"
        )
    body = b"" if end < 0 else text[end + 1 :]
    try:
        good = read_rows(body)
    except pl.exceptions.PolarsError:
        good = None
    if good is not None and all_pass(good, month):
        return Rows(good)
    good, bad = sort_out(body, month)
    return Rows(good, [BadRow(*row) for row in bad])
