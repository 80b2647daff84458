"""CronJobs: a Job for every time that the schedule names."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from localcloud.kubernetes import schedules
from localcloud.kubernetes.ages import moment
from localcloud.kubernetes.job_status import finished
from localcloud.kubernetes.resources import CRON_JOBS, JOBS
from localcloud.kubernetes.work import Controller, follows, reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

SOURCE = "cronjob-controller"
AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobs:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("cron-jobs", self._reconcile)
        self.controllers = [self._controller]
        self._store.subscribe(follows(self._controller, "CronJob"))

    def start(self) -> None:
        for one in self._store.list(CRON_JOBS):
            self._controller.put(one["metadata"]["namespace"], one["metadata"]["name"])

    def _reconcile(self, namespace: str, name: str) -> float | None:
        with self._store.together():
            found = self._store.get(CRON_JOBS, namespace, name)
            if found is None or "deletionTimestamp" in found["metadata"]:
                return None
            jobs = self._store.owned(found["metadata"]["uid"], JOBS)
            self._tell(found, jobs)
            self._clean(found, jobs)
            if found["spec"]["suspend"]:
                return None
            return self._run_due(found, [job for job in jobs if not finished(job)])

    def _run_due(self, found: Object, active: list[Object]) -> float | None:
        spec, now = found["spec"], datetime.now(UTC)
        last = found.get("status", {}).get("lastScheduleTime")
        began = moment(last or found["metadata"]["creationTimestamp"])
        due, upcoming = _times(spec, began, now)
        if due:
            deadline = spec.get("startingDeadlineSeconds")
            late = deadline is not None and now - due > timedelta(seconds=deadline)
            if late:
                words = f"Missed scheduled time to start a job: {due:%a, %d %b %Y %H:%M:%S +0000}"
                self._event(found, "Warning", "MissSchedule", words)
            elif active and spec["concurrencyPolicy"] == "Forbid":
                words = (
                    "Not starting job because prior execution is running and concurrency policy is "
                    "Forbid"
                )
                self._event(found, "Normal", "JobAlreadyActive", words)
            else:
                self._start(found, active, due)
        return max(0.1, (upcoming - now).total_seconds()) if upcoming else None

    def _start(self, found: Object, active: list[Object], due: datetime) -> None:
        meta, spec = found["metadata"], found["spec"]
        if spec["concurrencyPolicy"] == "Replace":
            for job in active:
                name = job["metadata"]["name"]
                options = {"propagationPolicy": "Background"}
                self._cluster.delete(JOBS, meta["namespace"], name, options)
                self._event(found, "Normal", "SuccessfulDelete", f"Deleted job {name}")
        template = copy.deepcopy(spec["jobTemplate"])
        made = template.setdefault("metadata", {})
        made["name"] = f"{meta['name']}-{int(due.timestamp()) // 60}"
        made["ownerReferences"] = [reference(found)]
        made.setdefault("annotations", {})[AT] = due.strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._store.get(JOBS, meta["namespace"], made["name"]) is None:
            document = {"kind": "Job", "apiVersion": "batch/v1", **template}
            self._cluster.registry.create(JOBS, meta["namespace"], document)
            self._event(found, "Normal", "SuccessfulCreate", f"Created job {made['name']}")
        self._store.change(
            CRON_JOBS,
            meta["namespace"],
            meta["name"],
            lambda one: one.setdefault("status", {}).update(
                lastScheduleTime=made["annotations"][AT]
            ),
        )

    def _tell(self, found: Object, jobs: list[Object]) -> None:
        meta = found["metadata"]
        kept = ("name", "namespace", "uid", "resourceVersion")
        about = {"kind": "Job", "apiVersion": "batch/v1"}
        active = [
            {**about, **{name: job["metadata"][name] for name in kept}}
            for job in jobs
            if not finished(job)
        ]
        done = [job["status"].get("completionTime") for job in jobs if finished(job)]
        latest = max((at for at in done if at), default=None)

        def edit(one: Object) -> None:
            status = one.setdefault("status", {})
            status.pop("active", None)
            if active:
                status["active"] = active
            if latest:
                status["lastSuccessfulTime"] = latest

        self._store.change(CRON_JOBS, meta["namespace"], meta["name"], edit)

    def _clean(self, found: Object, jobs: list[Object]) -> None:
        spec, ended = found["spec"], [job for job in jobs if finished(job)]
        for kind, limit in (
            (True, spec["successfulJobsHistoryLimit"]),
            (False, spec["failedJobsHistoryLimit"]),
        ):
            those = [job for job in ended if ("completionTime" in job["status"]) is kind]
            those.sort(key=lambda job: job["metadata"]["creationTimestamp"])
            for job in those[: max(0, len(those) - limit)]:
                if "deletionTimestamp" not in job["metadata"]:
                    meta = job["metadata"]
                    options = {"propagationPolicy": "Background"}
                    self._cluster.delete(JOBS, meta["namespace"], meta["name"], options)

    def _event(self, found: Object, kind: str, reason: str, words: str) -> None:
        self._cluster.recorder.event(found, kind, reason, words, SOURCE)


def _times(spec: Object, began: datetime, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The latest time of the schedule since ``began`` that has passed, and the next to come."""
    zone = ZoneInfo(spec.get("timeZone", "UTC"))
    schedule, due = schedules.parse(spec["schedule"]), None
    # What was missed over a long pause is not made up for: the last hour is enough to look at.
    at = schedule.after(max(began, now - timedelta(hours=1)).astimezone(zone))
    while at and at <= now:
        due, at = at, schedule.after(at)
    if due is None and began < now - timedelta(hours=1):
        first = schedule.after(began.astimezone(zone))
        due = first if first and first <= now else None
    return due and due.astimezone(UTC), at and at.astimezone(UTC)
