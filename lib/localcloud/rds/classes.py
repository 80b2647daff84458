"""DB instance classes: their memory, and how many connections it allows."""

import json
from functools import cache
from pathlib import Path

DATA = Path(__file__).parents[3] / "data" / "rds_instance_classes.json"


@cache
def _data() -> dict:
    return json.loads(DATA.read_text())


def memory_bytes(name: str) -> int | None:
    """The memory of a class such as db.t4g.micro; None if it is not in the table."""
    family, _, size = name.rpartition(".")
    gib = _data()["memory_gib"].get(family, {}).get(size)
    return gib and gib * 1024**3


def max_connections(name: str) -> int:
    """What the memory of a class allows."""
    return connections_of(memory_bytes(name))


def connections_of(memory: int) -> int:
    """LEAST(DBInstanceClassMemory / 9531392, 5000): RDS User Guide, CHAP_Limits."""
    formula = _data()["max_connections"]
    return min(memory // formula["bytes_per_connection"], formula["most"])
