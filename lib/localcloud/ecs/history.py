"""A service's deployments after the fact: what ListServiceDeployments still knows of them.

Kept in the service's private part: ``history`` has one record for each service deployment, oldest
first. A rollback is no deployment of its own, but the end of the one that failed.
"""

from __future__ import annotations

from typing import Any

from localcloud.ecs.models import Item, now

KEPT = 50
SUPERSEDED = "A newer deployment of the service took its place."
CARRIED = (
    "taskDefinition",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "launchType",
    "capacityProviderStrategy",
)


def of(service: Item) -> list[dict[str, Any]]:
    return service.private.setdefault("history", [])


def begun(service: Item, deployment: dict[str, Any]) -> None:
    records, moment = of(service), now()
    revision = {
        "id": str(int(moment * 1000)) + f"{len(records):04d}",
        "createdAt": moment,
        "wire": {name: deployment[name] for name in CARRIED if name in deployment},
    }
    last = records[-1] if records else None
    if last and last["status"] == "ROLLBACK_IN_PROGRESS" and "back" not in last:
        last.update(back=revision, rollbackStartedAt=moment)
        return
    if last and last["status"] in ("IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
        last.update(status="STOPPED", statusReason=SUPERSEDED, finishedAt=moment)
    record = {
        "id": deployment["id"].rpartition("/")[2],
        "status": "IN_PROGRESS",
        "statusReason": "",
        "createdAt": moment,
        "revision": revision,
        "source": _good_before(records),
        "deployment": deployment["id"],
    }
    records.append(record)
    del records[:-KEPT]


def completed(service: Item) -> None:
    for record in of(service)[-1:]:
        ends = {"IN_PROGRESS": "SUCCESSFUL", "ROLLBACK_IN_PROGRESS": "ROLLBACK_SUCCESSFUL"}
        if record["status"] in ends:
            record.update(status=ends[record["status"]], finishedAt=now())


def failed(service: Item, reason: str) -> None:
    """The circuit breaker has stopped it; ``rolling_back`` may follow."""
    for record in of(service)[-1:]:
        ends = {"IN_PROGRESS": "STOPPED", "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED"}
        if record["status"] in ends:
            record.update(status=ends[record["status"]], statusReason=reason, finishedAt=now())


def rolling_back(service: Item, reason: str) -> None:
    """The deployment that begins next is the last one's way back."""
    for record in of(service)[-1:]:
        record.update(status="ROLLBACK_IN_PROGRESS", statusReason=reason)
        record.pop("finishedAt", None)


def _good_before(records: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The revision whose tasks ran when a new deployment began."""
    for record in reversed(records):
        if record["status"] == "SUCCESSFUL":
            return record["revision"]
        if record["status"] == "ROLLBACK_SUCCESSFUL":
            return record["back"]
    return None
