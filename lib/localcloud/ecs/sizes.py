"""Sizes of tasks: how they are written, and which of them Fargate has."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

from localcloud.ecs import errors

DATA = Path(__file__).parents[3] / "data" / "fargate_sizes.json"
UNITS = re.compile(r"(\d+)")
VCPU = re.compile(r"(\d*\.?\d+)\s*vcpu", re.IGNORECASE)
GB = re.compile(r"(\d*\.?\d+)\s*gb", re.IGNORECASE)


@functools.cache
def fargate_sizes() -> frozenset[tuple[int, int]]:
    """Every (CPU units, MiB) that an ECS task on Fargate may have."""
    rows = json.loads(DATA.read_text())["sizes"]
    return frozenset((row["cpu_units"], mib) for row in rows for mib in row["memory_mib"])


def cpu_units(text: str | None) -> int | None:
    """CPU units of "256", ".25 vCPU" or "1 vCPU"; 1024 units are one vCPU."""
    return _parse(text, VCPU, "CPU")


def memory_mib(text: str | None) -> int | None:
    """MiB of "512", "0.5 GB" or "1GB"."""
    return _parse(text, GB, "memory")


def require_fargate_size(cpu: int | None, memory: int | None) -> None:
    if cpu is None:
        raise errors.client_error("Fargate requires that 'cpu' be defined at the task level.")
    if memory is None:
        raise errors.client_error("Fargate requires that 'memory' be defined at the task level.")
    if (cpu, memory) not in fargate_sizes():
        raise errors.client_error("No Fargate configuration exists for given values.")


def _parse(text: str | None, unit: re.Pattern, what: str) -> int | None:
    if text is None:
        return None
    text = str(text).strip()
    if UNITS.fullmatch(text):
        return int(text)
    match = unit.fullmatch(text)
    if not match:
        raise errors.client_error(f"Invalid '{what}' setting for task: {text}.")
    return round(float(match[1]) * 1024)
