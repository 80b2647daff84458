"""Access logs: a line for each request, by the stage's format, in CloudWatch Logs."""

from __future__ import annotations

import queue
import re
import sys
import threading
import time
from typing import Any

from moto.logs.models import logs_backends

STREAM = "gateway"
BATCH_SECONDS = 0.2
VARIABLE = re.compile(r"\$context\.([\w.]+)")


def line(form: str, known: dict[str, Any]) -> str:
    """The format with each $context variable put in; one that is not known is "-"."""
    return VARIABLE.sub(lambda found: str(known.get(found[1], "-")), form)


class AccessLogs:
    """Writes lines in batches from a thread of its own, so that no request waits."""

    def __init__(self) -> None:
        self._lines: queue.Queue[tuple[str, int, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._write, name="access-logs", daemon=True)
        self._complained: set[str] = set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._lines.put(None)
        self._thread.join()

    def note(self, settings: dict[str, str] | None, known: dict[str, Any]) -> None:
        arn = (settings or {}).get("destinationArn", "")
        if arn:
            text = line(settings.get("format", ""), known)
            self._lines.put((arn.removesuffix(":*"), int(time.time() * 1000), text))

    def _write(self) -> None:
        while True:
            first = self._lines.get()
            if first is None:
                return
            time.sleep(BATCH_SECONDS)
            batches: dict[str, list[dict[str, Any]]] = {}
            while first is not None:
                batches.setdefault(first[0], []).append(
                    {"timestamp": first[1], "message": first[2]}
                )
                if self._lines.empty():
                    break
                first = self._lines.get()
            for arn, events in batches.items():
                self._send(arn, events)
            if first is None:
                return

    def _send(self, arn: str, events: list[dict[str, Any]]) -> None:
        parts = arn.split(":")
        group = arn.partition(":log-group:")[2]
        try:
            backend = logs_backends[parts[4]][parts[3]]
            if STREAM not in backend.groups[group].streams:
                backend.create_log_stream(group, STREAM)
            backend.put_log_events(group, STREAM, events)
        except (KeyError, IndexError):
            if arn not in self._complained:
                self._complained.add(arn)
                print(f"Access logs: there is no log group {arn}", file=sys.stderr, flush=True)
