"""Amazon RDS for PostgreSQL, RDS Proxy, Aurora Serverless v2 and the RDS Data API.

data/prices.json and data/rds_instance_classes.json name the sources.
"""

import json
import math
from decimal import Decimal
from functools import cache
from pathlib import Path

from drydock.model.ec2 import billed_hours
from drydock.model.prices import Bill, Line, entry_of, number, price, typed, whole
from drydock.model.tiers import tiered

DATA = Path(__file__).parents[3] / "data" / "rds_instance_classes.json"
STORAGE = ("gp2", "gp3", "io1")


def postgres(
    instance_class: str,
    seconds,
    *,
    multi_az: bool = False,
    storage_gb=0,
    storage: str = "gp3",
    iops=0,
    backup_gb=0,
    months=1,
) -> Bill:
    """Return the bill of one RDS for PostgreSQL instance that ran `seconds` (at least 10 minutes).

    Storage, IOPS (of which gp3 includes some) and backups beyond the free part are kept for
    `months`. Multi-AZ doubles the instance, its storage and its IOPS: exact for storage, about
    right for instances, whose Multi-AZ prices are published one by one.
    """
    copies = 2 if multi_az else 1
    time = billed_hours(seconds, "rds/minimum") * copies
    lines = [Line(f"RDS {instance_class}", time, price(f"rds/postgres/{instance_class}-hour"))]
    kept = number(months, "months")
    size = number(storage_gb, "storage_gb")
    if size:
        _check_storage(storage)
        disk = price(f"rds/postgres/{storage}-gb-month")
        lines.append(Line(f"RDS storage, {storage}", size * kept * copies, disk))
    extra = _billed_iops(storage, size, number(iops, "iops"))
    if extra:
        rate = price(f"rds/postgres/{storage}-iops-month")
        lines.append(Line("RDS provisioned IOPS", extra * kept * copies, rate))
    saved = number(backup_gb, "backup_gb")
    if saved:
        lines.append(Line("RDS backups", saved * kept, price("rds/postgres/backup-gb-month")))
    return Bill(tuple(lines))


def proxy(hours, *, vcpu=None, acu=None) -> Bill:
    """Return the bill of RDS Proxy before an instance of `vcpu` vCPU, or a cluster of `acu` ACU.

    At least 2 vCPU or 8 ACU are billed.
    """
    if (vcpu is None) == (acu is None):
        raise ValueError("type either vcpu= (an instance) or acu= (Aurora Serverless)")
    unit, amount = ("vcpu", vcpu) if acu is None else ("acu", acu)
    billed = max(number(amount, unit), price(f"rds/proxy/{unit}-least").value)
    time = number(hours, "hours") * billed
    return Bill((Line("RDS Proxy", time, price(f"rds/proxy/{unit}-hour")),))


def aurora_serverless(
    acu_hours, *, storage_gb=0, io_requests=0, io_optimized: bool = False, months=1
) -> Bill:
    """Return the bill of Aurora Serverless v2: ACU-hours, storage and I/O requests.

    I/O-Optimized storage has its requests included; its higher ACU price is not in the data, so
    ACU-hours with it are refused.
    """
    used = number(acu_hours, "acu_hours")
    if io_optimized and used:
        raise ValueError("no ACU price of I/O-Optimized is known: type acu_hours=0 and add it")
    lines = [Line("Aurora ACU", used, price("aurora/serverless/acu-hour"))] if used else []
    size = number(storage_gb, "storage_gb") * number(months, "months")
    if size:
        kind = "io-optimized" if io_optimized else "standard"
        lines.append(Line("Aurora storage", size, price(f"aurora/{kind}/gb-month")))
    calls = number(io_requests, "io_requests") / 1_000_000
    if calls and not io_optimized:
        lines.append(Line("Aurora I/O", calls, price("aurora/standard/requests")))
    return Bill(tuple(lines))


def data_api(requests, *, request_kb=32) -> Bill:
    """Return the bill of a month of RDS Data API calls, metered by 32 KB each."""
    metered = math.ceil(number(request_kb, "request_kb") / price("rds/data-api/request-kb").value)
    calls = number(requests, "requests") * max(metered, 1) / 1_000_000
    return Bill(tuple(tiered("Data API requests", calls, "rds/data-api/requests")))


def max_connections(instance_class: str) -> int:
    """Return PostgreSQL's default max_connections of an RDS instance class.

    LEAST(DBInstanceClassMemory / 9531392, 5000) of the nominal memory. AWS subtracts what the
    system itself takes first, so an instance there shows somewhat less. Source: the limits page of
    the RDS user guide.
    """
    rule = _classes()["max_connections"]
    return min(memory_bytes(instance_class) // rule["bytes_per_connection"], rule["most"])


def memory_bytes(instance_class: str) -> int:
    """Return the nominal memory of an RDS instance class such as "db.t4g.micro"."""
    memory = {
        f"{family}.{size}": gib
        for family, row in _classes()["memory_gib"].items()
        for size, gib in row.items()
    }
    return whole(entry_of(instance_class, memory, "instance class"), "memory") * 1024**3


@cache
def _classes() -> dict:
    return json.loads(DATA.read_text())


def _check_storage(storage: str) -> None:
    if storage not in STORAGE:
        raise ValueError(f"storage {storage!r} has no price here: type one of {typed(STORAGE)}")


def _billed_iops(storage: str, size: Decimal, iops: Decimal) -> Decimal:
    if not iops or storage == "io1":
        return iops
    if storage == "gp2":
        raise ValueError("gp2 takes no iops: type storage='gp3' or 'io1'")
    striped = size >= price("rds/postgres/gp3-striped-gb").value
    free = price(f"rds/postgres/gp3-{'striped-' if striped else ''}iops-free").value
    return max(Decimal(0), iops - free)
