"""AWS Glue: Spark and Python shell jobs, crawlers, the Data Catalog, DataBrew.

1 DPU is 4 vCPU with 16 GB. Source: https://aws.amazon.com/glue/pricing/ and
https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
"""

import json
import math
from decimal import Decimal
from functools import cache
from pathlib import Path

from drydock.model.prices import Bill, Line, entry_of, number, price, typed, whole
from drydock.model.tiers import beyond_free

DATA = Path(__file__).parents[3] / "data" / "glue_worker_types.json"
CLASSES = ("STANDARD", "FLEX")
SHELL_DPUS = (Decimal("0.0625"), Decimal(1))


@cache
def worker_types() -> dict[str, dict]:
    """Return Glue's worker types by name: units, unit (DPU or M-DPU), vcpu, memory_gb, disk_gb."""
    return json.loads(DATA.read_text())["types"]


def dpu_hours(seconds, dpus, *, minimum_seconds=None) -> Decimal:
    """Return the DPU-hours billed for `dpus` over `seconds`, at least one minute."""
    least = price("glue/minimum").value if minimum_seconds is None else minimum_seconds
    time = max(math.ceil(number(seconds, "seconds")), number(least, "minimum_seconds"))
    return Decimal(time) * number(dpus, "dpus") / 3600


def dpus(seconds, dpus, *, execution_class: str = "STANDARD", minimum_seconds=None) -> Bill:
    """Return the bill of anything that Glue meters in DPUs: jobs, sessions, statistics, ...

    Glue 0.9 and 1.0 have a minimum of 600 seconds, later ones 60.
    """
    if execution_class not in CLASSES:
        raise ValueError(f"execution_class {execution_class!r}: type one of {typed(CLASSES)}")
    time = dpu_hours(seconds, dpus, minimum_seconds=minimum_seconds)
    return Bill((Line("Glue DPU-hours", time, price(f"glue/{execution_class}/dpu-hour")),))


def spark_job(
    seconds, workers, *, worker_type: str = "G.1X", execution_class: str = "STANDARD"
) -> Bill:
    """Return the bill of a Spark job run with `workers` of one type for `seconds`."""
    kind = entry_of(worker_type, worker_types(), "Glue worker type")
    if kind["unit"] != "DPU":
        raise ValueError(f"no price of an {kind['unit']}-hour is known: type a G worker type")
    total = Decimal(kind["units"]) * whole(workers, "workers")
    return dpus(seconds, total, execution_class=execution_class)


def python_shell(seconds, *, dpu="0.0625") -> Bill:
    """Return the bill of a Python shell job of 0.0625 or 1 DPU."""
    if number(dpu, "dpu") not in SHELL_DPUS:
        raise ValueError(f"dpu is {dpu}: a Python shell job has 0.0625 or 1")
    return dpus(seconds, dpu)


def crawler(seconds, *, dpu=2, minimum_seconds=600) -> Bill:
    """Return the bill of a crawler run.

    Sources disagree on the minimum: 10 minutes in most, 1 minute in one of 2026.
    """
    return dpus(seconds, dpu, minimum_seconds=minimum_seconds)


def catalog(*, objects=0, requests=0, free_tier: bool = False) -> Bill:
    """Return the bill of a month of the Data Catalog; the first million of each may be free."""
    kept = beyond_free(objects, "glue/catalog/objects-free", free_tier, what="objects")
    asked = beyond_free(requests, "glue/catalog/requests-free", free_tier, what="requests")
    return Bill(
        (
            Line("Catalog objects", kept / 100_000, price("glue/catalog/objects")),
            Line("Catalog requests", asked / 1_000_000, price("glue/catalog/requests")),
        )
    )


def databrew(*, sessions=0, node_hours=0) -> Bill:
    """Return the bill of DataBrew: sessions of 30 minutes, and node-hours of jobs."""
    return Bill(
        (
            Line("DataBrew sessions", number(sessions, "sessions"), price("glue/databrew/session")),
            Line(
                "DataBrew jobs", number(node_hours, "node_hours"), price("glue/databrew/node-hour")
            ),
        )
    )
