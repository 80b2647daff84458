"""Conditions of Karpenter's objects, and the durations that its manifests are written with."""

from __future__ import annotations

import re
from typing import Any

from localcloud.kubernetes.store import now

Object = dict[str, Any]
SECONDS = {"s": 1, "m": 60, "h": 3600}
NEVER = "Never"


def seconds(text: str) -> float | None:
    """``1h30m`` in seconds; None for ``Never``."""
    if text == NEVER:
        return None
    return float(sum(int(n) * SECONDS[unit] for n, unit in re.findall(r"(\d+)([smh])", text)))


def is_true(document: Object, kind: str) -> bool:
    found = document.get("status", {}).get("conditions", [])
    return any(one["type"] == kind and one["status"] == "True" for one in found)


def put(document: Object, kind: str, status: bool, reason: str = "", message: str = "") -> None:
    """Set one condition; its time moves only when its status does."""
    status_word = "True" if status else "False"
    found = document.setdefault("status", {}).setdefault("conditions", [])
    known = next((one for one in found if one["type"] == kind), None)
    since = known["lastTransitionTime"] if known and known["status"] == status_word else now()
    one = {
        "type": kind,
        "status": status_word,
        "reason": reason or kind,
        "message": message,
        "lastTransitionTime": since,
        "observedGeneration": document["metadata"].get("generation", 1),
    }
    document["status"]["conditions"] = [c for c in found if c is not known] + [one]


def ready(document: Object, wanted: tuple[str, ...]) -> None:
    """``Ready``, which says whether all the others hold."""
    missing = [kind for kind in wanted if not is_true(document, kind)]
    if missing:
        told = ", ".join(f"{kind}=False" for kind in missing)
        put(document, "Ready", False, "UnhealthyDependents", told)
    else:
        put(document, "Ready", True)
