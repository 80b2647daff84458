"""What a run is promised: workers, DPUs, vCPU and memory; and what of it this machine has."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import psutil

DATA = Path(__file__).parents[3] / "data" / "glue_worker_types.json"
DPU_VCPU, DPU_MEMORY_GB = 4, 16
SHELL_DPUS = (Decimal("0.0625"), Decimal(1))
DEFAULT_DPUS = 10
# Of G.1X's 16 GB, 10 are the heap of Spark's JVM: the rest is for Python and what surrounds it.
HEAP_SHARE = 10 / 16
# The notebook, the databases and this server need memory too.
MACHINE_SHARE = 0.75


@dataclass(frozen=True)
class Capacity:
    """``units`` are DPUs (M-DPUs of R types); ``vcpu`` and ``memory_gb`` are those of all workers.
    ``worker_type`` and ``workers`` are None for a Python shell job and for MaxCapacity."""

    units: Decimal
    vcpu: float
    memory_gb: float
    worker_type: str | None = None
    workers: int | None = None

    @property
    def vcpu_here(self) -> float:
        return min(self.vcpu, os.cpu_count() or 1)

    @property
    def memory_mib_here(self) -> int:
        machine = psutil.virtual_memory().total * MACHINE_SHARE
        return int(min(self.memory_gb * 1024, machine / (1 << 20)))

    @property
    def heap_mib_here(self) -> int:
        return int(self.memory_mib_here * HEAP_SHARE)

    def notice(self) -> str:
        """One line for the run's log: what was asked for, and what it gets."""
        asked = f"{self.workers} x {self.worker_type}" if self.workers else f"{self.units} DPU"
        here = f"{self.vcpu_here:g} vCPU and {self.memory_mib_here / 1024:.1f} GB"
        words = f"{asked} is {self.vcpu:g} vCPU and {self.memory_gb:g} GB"
        if self.vcpu_here == self.vcpu and self.memory_mib_here == self.memory_gb * 1024:
            return f"{words}: this run has them."
        return f"{words}: this machine gives the run {here}."


@cache
def worker_types() -> dict[str, dict[str, Any]]:
    return json.loads(DATA.read_text())["types"]


def of(settings: dict[str, Any]) -> Capacity:
    """Of a job's or a run's settings, which must have passed ``rules``."""
    if settings["Command"]["Name"] == "pythonshell":
        return _of_dpus(settings.get("MaxCapacity") or SHELL_DPUS[0])
    if not settings.get("WorkerType"):
        return _of_dpus(settings.get("MaxCapacity") or DEFAULT_DPUS)
    kind, workers = worker_types()[settings["WorkerType"]], settings["NumberOfWorkers"]
    return Capacity(
        Decimal(kind["units"]) * workers,
        kind["vcpu"] * workers,
        kind["memory_gb"] * workers,
        settings["WorkerType"],
        workers,
    )


def _of_dpus(given: float | Decimal) -> Capacity:
    units = Decimal(str(given))
    return Capacity(units, float(units * DPU_VCPU), float(units * DPU_MEMORY_GB))
