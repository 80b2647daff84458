"""From a pipe of bytes to batches of log lines with the time of each."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable

from localcloud.runtimes.base import LogBatch

FLUSH_SECONDS = 0.25
FLUSH_LINES = 2_000
LONGEST_LINE_BYTES = 256 * 1024 - 26  # one CloudWatch Logs event; longer lines are cut


def pump(fd: int, deliver: Callable[[LogBatch], None]) -> None:
    """Read ``fd`` to its end, closing it. Calls ``deliver`` about four times a second.

    A slow ``deliver`` fills the pipe and so slows the writer: memory stays bounded.
    """
    pending: LogBatch = []
    rest, oldest = b"", 0.0
    try:
        while True:
            wait = None if not pending else max(0.0, oldest + FLUSH_SECONDS - time.monotonic())
            if select.select([fd], [], [], wait)[0]:
                data = os.read(fd, 1 << 16)
                lines, rest = _split(rest + data, last=not data)
                if lines and not pending:
                    oldest = time.monotonic()
                now = time.time_ns() // 1_000_000
                pending += [(now, line.decode(errors="replace")) for line in lines]
                if not data:
                    break
            due = time.monotonic() - oldest >= FLUSH_SECONDS or len(pending) >= FLUSH_LINES
            if pending and due:
                deliver(pending)
                pending = []
    finally:
        os.close(fd)
    if pending:
        deliver(pending)


def _split(data: bytes, last: bool) -> tuple[list[bytes], bytes]:
    """Complete lines without their ends, and what follows them. Over-long lines are cut."""
    *lines, rest = data.split(b"\n")
    if last or len(rest) >= LONGEST_LINE_BYTES:
        lines, rest = [*lines, rest], b""
    cut = []
    for line in lines:
        line = line.removesuffix(b"\r")
        step = LONGEST_LINE_BYTES
        cut += [line[at : at + step] for at in range(0, len(line), step)]
    return cut, rest
