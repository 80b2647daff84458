"""Where a request ends: refused is what two readers of it could understand in two ways.

Python's server takes a request apart kindly. What it takes for one request, another may take for
two, and the second is then one that nobody has looked at.
https://datatracker.ietf.org/doc/html/rfc9112 (sections 2.2, 5.1, 5.2, 6.1, 6.3, 7.1 and 11.2)
"""

from __future__ import annotations

import re
from email.message import Message
from typing import BinaryIO

NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
LONGEST_LINE = 65_536
MOST_TRAILERS = 100


class Refused(Exception):
    """``code`` is the HTTP status that says it."""

    def __init__(self, words: str, code: int = 400):
        super().__init__(words)
        self.code = code


class Lines:
    """A file of which the lines that are read are remembered."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.read_so_far: list[bytes] = []

    def readline(self, limit: int = -1) -> bytes:
        line = self._file.readline(limit)
        self.read_so_far.append(line)
        return line


def check(lines: list[bytes], headers: Message, most: int) -> None:
    """Raise Refused unless the header lines say one thing about the body of at most that size."""
    for line in lines:
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            raise Refused("A header line ends in something other than CR LF")
        name, colon, _ = line.partition(b":")
        if line != b"\r\n" and not (colon and NAME.fullmatch(name)):
            raise Refused("A header line has no name, or is the rest of another one")
    lengths = headers.get_all("Content-Length", [])
    codings = headers.get_all("Transfer-Encoding", [])
    if len(headers.get_all("Host", [])) > 1:
        raise Refused("There are two Host headers")
    if len(lengths) + len(codings) > 1:
        raise Refused("The length of the body is given twice")
    if codings and codings[0].strip().lower() != "chunked":
        raise Refused("Transfer-Encoding is not chunked", 501)
    if lengths and not LENGTH.fullmatch(lengths[0].strip(" \t")):
        raise Refused("Content-Length is no number")
    if lengths and int(lengths[0]) > most:
        raise Refused(f"Request entity too large: limit is {most}", 413)


def read_chunked(file: BinaryIO, most: int) -> bytes:
    """A body in chunks. Raises Refused for one that is malformed or larger than ``most``."""
    parts, total = [], 0
    while size := _size(file.readline(LONGEST_LINE)):
        total += size
        if total > most:
            raise Refused(f"Request entity too large: limit is {most}", 413)
        parts.append(file.read(size))
        if len(parts[-1]) != size or file.read(2) != b"\r\n":
            raise Refused("A chunk is not as long as it says")
    for _ in range(MOST_TRAILERS):
        line = file.readline(LONGEST_LINE)
        if line == b"\r\n":
            return b"".join(parts)
        if not line.endswith(b"\r\n"):
            break
    raise Refused("The chunks have no end")


def _size(line: bytes) -> int:
    size = line.removesuffix(b"\r\n").partition(b";")[0].rstrip(b" \t")
    if not line.endswith(b"\r\n") or not SIZE.fullmatch(size):
        raise Refused("A chunk does not begin with its size")
    return int(size, 16)
