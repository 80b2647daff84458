"""Health checks of a container: a command that runs beside it again and again.

As on ECS, only a task definition's ``healthCheck`` counts, not the image's HEALTHCHECK.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from localcloud.runtimes.base import Container

DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}


def watch(check: dict[str, Any], container: Container, tell: Callable[[str], None]) -> None:
    """Call ``tell`` with HEALTHY or UNHEALTHY whenever that changes, until the container ends.

    Failures within the first ``startPeriod`` seconds do not count, unless it was HEALTHY before.
    """
    settings = {**DEFAULTS, **check}
    threading.Thread(target=_loop, args=(settings, container, tell), daemon=True).start()


def _loop(settings: dict[str, Any], container: Container, tell: Callable[[str], None]) -> None:
    command, began = command_line(settings["command"]), time.monotonic()
    status, failures = "UNKNOWN", 0
    while container.wait(settings["interval"]) is None:
        passed = container.execute(command, settings["timeout"]) == 0
        if passed:
            failures = 0
        elif status == "HEALTHY" or time.monotonic() - began >= settings["startPeriod"]:
            failures += 1
        now = "HEALTHY" if passed else "UNHEALTHY" if failures >= settings["retries"] else status
        if now != status and container.wait(0) is None:
            status = now
            tell(status)


def command_line(words: list[str]) -> list[str]:
    if words[0] == "CMD-SHELL":
        return ["/bin/sh", "-c", words[1]]
    return words[1:] if words[0] == "CMD" else words


def of_task(containers: list[dict[str, Any]], definitions: dict[str, dict[str, Any]]) -> str:
    """A task's health from that of its essential containers with a check."""
    checked = [
        container["healthStatus"]
        for container in containers
        if definitions[container["name"]].get("healthCheck")
        and definitions[container["name"]]["essential"]
    ]
    if "UNHEALTHY" in checked:
        return "UNHEALTHY"
    return "HEALTHY" if checked and set(checked) == {"HEALTHY"} else "UNKNOWN"
