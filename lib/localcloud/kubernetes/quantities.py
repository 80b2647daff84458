"""Quantities such as 250m, 64Mi and 1.5: https://kubernetes.io/docs/reference/kubernetes-api/
common-definitions/quantity/."""

from __future__ import annotations

import re
from decimal import Decimal

PATTERN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(m|u|n|[kMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
FORM = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
SUFFIXES = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)}
SUFFIXES |= {"k": Decimal(1000)}
SUFFIXES |= {letter: Decimal(1000) ** (i + 2) for i, letter in enumerate("MGTPE")}
SUFFIXES |= {f"{letter}i": Decimal(1024) ** (i + 1) for i, letter in enumerate("KMGTPE")}


def parse(text: str | int | float) -> Decimal:
    """The value in cores, bytes or pieces. Raises ValueError in Kubernetes' words."""
    found = PATTERN.fullmatch(str(text))
    if not found:
        raise ValueError(f"quantities must match the regular expression '{FORM}'")
    number, suffix = found[1], found[2] or ""
    if suffix[:1] in "eE" and len(suffix) > 1 and suffix[1:].lstrip("+-").isdigit():
        return Decimal(number) * Decimal(10) ** int(suffix[1:])
    return Decimal(number) * SUFFIXES[suffix]


def milli(text: str | int | float) -> int:
    """Thousandths, rounded up, as Kubernetes counts CPU."""
    return -int(-(parse(text) * 1000) // 1)


def whole(text: str | int | float) -> int:
    """Rounded up, as Kubernetes counts bytes."""
    return -int(-parse(text) // 1)


def cpu(thousandths: int) -> str:
    """Canonical: 500m, 2."""
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def size(number: int) -> str:
    """Canonical bytes: the largest binary suffix that leaves a whole number."""
    for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
        unit = int(SUFFIXES[suffix])
        if number and number % unit == 0:
            return f"{number // unit}{suffix}"
    return str(number)
