"""What `kubectl get` shows: one Table for each kind, with the columns of Kubernetes' printers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.kubernetes import custom, rows
from localcloud.kubernetes.resources import Resource

Object = dict[str, Any]
DEFAULT = (("Name",), ("Age",))


def table(resource: Resource, found: list[Object], about: Object, include: str) -> Object:
    """``about`` is the list's metadata; ``include`` is Metadata, Object or None: how much of each
    object comes along."""
    known = KINDS.get(resource.kind) or custom.columns(resource)
    columns, row = known or (DEFAULT, rows.default)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": about,
        "columnDefinitions": [_column(*column) for column in columns],
        "rows": [{"cells": row(one), "object": _part(one, include)} for one in found],
    }


def _part(one: Object, include: str) -> Object | None:
    if include == "Object":
        return one
    meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return None if include == "None" else {**meta, "metadata": one["metadata"]}


def _column(name: str, kind: str = "string", priority: int = 0) -> Object:
    form = "name" if name == "Name" else ""
    return {"name": name, "type": kind, "format": form, "description": "", "priority": priority}


WIDE = 1
CONTAINERS = (
    ("Containers", "string", WIDE),
    ("Images", "string", WIDE),
    ("Selector", "string", WIDE),
)
Columns = tuple[tuple, ...]
KINDS: dict[str, tuple[Columns, Callable[[Object], list[Any]]]] = {
    "Pod": (
        (
            ("Name",),
            ("Ready",),
            ("Status",),
            ("Restarts",),
            ("Age",),
            ("IP", "string", WIDE),
            ("Node", "string", WIDE),
            ("Nominated Node", "string", WIDE),
            ("Readiness Gates", "string", WIDE),
        ),
        rows.pod,
    ),
    "Job": (
        (("Name",), ("Status",), ("Completions",), ("Duration",), ("Age",), *CONTAINERS),
        rows.job,
    ),
    "CronJob": (
        (
            ("Name",),
            ("Schedule",),
            ("Timezone",),
            ("Suspend",),
            ("Active", "integer"),
            ("Last Schedule",),
            ("Age",),
        ),
        rows.cron_job,
    ),
    "Deployment": (
        (
            ("Name",),
            ("Ready",),
            ("Up-to-date", "integer"),
            ("Available", "integer"),
            ("Age",),
            *CONTAINERS,
        ),
        rows.deployment,
    ),
    "ReplicaSet": (
        (
            ("Name",),
            ("Desired", "integer"),
            ("Current", "integer"),
            ("Ready", "integer"),
            ("Age",),
            *CONTAINERS,
        ),
        rows.replica_set,
    ),
    "Service": (
        (
            ("Name",),
            ("Type",),
            ("Cluster-IP",),
            ("External-IP",),
            ("Port(s)",),
            ("Age",),
            ("Selector", "string", WIDE),
        ),
        rows.service,
    ),
    "Node": (
        (
            ("Name",),
            ("Status",),
            ("Roles",),
            ("Age",),
            ("Version",),
            ("Internal-IP", "string", WIDE),
            ("External-IP", "string", WIDE),
            ("OS-Image", "string", WIDE),
            ("Kernel-Version", "string", WIDE),
            ("Container-Runtime", "string", WIDE),
        ),
        rows.node,
    ),
    "Event": (
        (
            ("Last Seen",),
            ("Type",),
            ("Reason",),
            ("Object",),
            ("Subobject", "string", WIDE),
            ("Source", "string", WIDE),
            ("Message",),
            ("First Seen", "string", WIDE),
            ("Count", "string", WIDE),
            ("Name", "string", WIDE),
        ),
        rows.event,
    ),
    "Namespace": ((("Name",), ("Status",), ("Age",)), rows.namespace),
    "HorizontalPodAutoscaler": (
        (
            ("Name",),
            ("Reference",),
            ("Targets",),
            ("MinPods",),
            ("MaxPods",),
            ("Replicas", "integer"),
            ("Age",),
        ),
        rows.autoscaler,
    ),
    "Secret": ((("Name",), ("Type",), ("Data", "integer"), ("Age",)), rows.secret),
    "ConfigMap": ((("Name",), ("Data", "integer"), ("Age",)), rows.config_map),
    "PodDisruptionBudget": (
        (
            ("Name",),
            ("Min Available",),
            ("Max Unavailable",),
            ("Allowed Disruptions", "integer"),
            ("Age",),
        ),
        rows.budget,
    ),
    "Endpoints": ((("Name",), ("Endpoints",), ("Age",)), rows.endpoints),
}
