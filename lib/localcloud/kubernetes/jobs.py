"""Jobs: as many pods to success as asked, and no more failures than allowed.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/ and pkg/controller/job. Each
pod is counted once: it carries a finalizer until it is in the Job's status, and both are written
together. Pods that were lost with the server are replaced and count against no limit.
"""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING

from localcloud.kubernetes import job_status, pace
from localcloud.kubernetes.ages import moment
from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.job_status import TRACKING
from localcloud.kubernetes.registry import suffix
from localcloud.kubernetes.resources import JOBS, PODS
from localcloud.kubernetes.store import now
from localcloud.kubernetes.work import Controller, follows, reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

LABELS = ("batch.kubernetes.io/job-name", "job-name")
UIDS = ("batch.kubernetes.io/controller-uid", "controller-uid")
INDEX = "batch.kubernetes.io/job-completion-index"
FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 600.0
CREATED_AT_ONCE = 500
SOURCE = "job-controller"


def admit(resource, document: Object, before: Object | None) -> None:
    """Give a new Job its selector, and its pods the labels that it selects."""
    if resource is not JOBS or before is not None or document["spec"].get("manualSelector"):
        return
    meta, template = document["metadata"], document["spec"]["template"]
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels |= dict.fromkeys(UIDS, meta["uid"]) | dict.fromkeys(LABELS, meta["name"])
    document["spec"]["selector"] = {"matchLabels": {UIDS[0]: meta["uid"]}}


class Jobs:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("jobs", self._reconcile)
        self.controllers = [self._controller]
        self._follow = follows(self._controller, "Job")
        self._store.subscribe(self._told)

    def start(self) -> None:
        for job in self._store.list(JOBS):
            self._controller.put(job["metadata"]["namespace"], job["metadata"]["name"])

    def _told(self, change: Change) -> None:
        if change.resource not in (JOBS, PODS):
            return
        self._follow(change)
        meta = change.object["metadata"]
        if TRACKING in meta.get("finalizers", []):
            # Its Job may be gone: then nobody else takes the finalizer off.
            self._controller.put(meta["namespace"], meta["labels"].get(LABELS[0], ""))

    def _reconcile(self, namespace: str, name: str) -> float | None:
        with self._store.together():
            job = self._store.get(JOBS, namespace, name)
            self._release_orphans(namespace, name, job)
            if job is None:
                return None
            pods = self._store.owned(job["metadata"]["uid"], PODS)
            if job_status.finished(job):
                self._untrack(pods)
                return self._expire(job)
            return self._advance(job, pods)

    def _release_orphans(self, namespace: str, name: str, job: Object | None) -> None:
        uid = job["metadata"]["uid"] if job else None
        for pod in self._store.list(PODS, namespace) if job is None else ():
            meta = pod["metadata"]
            tracked = TRACKING in meta.get("finalizers", [])
            if tracked and meta["labels"].get(LABELS[0]) == name and uid is None:
                self._store.change(PODS, namespace, meta["name"], job_status.untracked)

    def _untrack(self, pods: list[Object]) -> None:
        for pod in pods:
            meta = pod["metadata"]
            if TRACKING in meta.get("finalizers", []):
                self._store.change(PODS, meta["namespace"], meta["name"], job_status.untracked)

    def _expire(self, job: Object) -> float | None:
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None or "deletionTimestamp" in job["metadata"]:
            return None
        left = moment(job_status.finished(job)).timestamp() + ttl - time.time()
        if left > 0:
            return left
        meta = job["metadata"]
        options = {"propagationPolicy": "Foreground"}
        self._cluster.delete(JOBS, meta["namespace"], meta["name"], options)
        return None

    def _advance(self, job: Object, pods: list[Object]) -> float | None:
        """Count what has ended, decide, and start or stop pods."""
        after, spec = copy.deepcopy(job), job["spec"]
        status = after.setdefault("status", {})
        count = job_status.Count(after, pods)
        if not spec.get("suspend"):
            status.setdefault("startTime", now())
        for pod in count.new_ends:
            self._store.change(
                PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], job_status.untracked
            )
        wait = None
        verdict = self._verdict(after, count)
        if verdict:
            self._stop(count.active, job)
            job_status.conclude(after, *verdict)
            status.update(active=0, ready=0)
        elif spec.get("suspend"):
            self._suspend(after, count)
        elif "deletionTimestamp" not in job["metadata"]:
            if job_status.unset(after, "Suspended", "JobResumed", "Job resumed"):
                status["startTime"] = now()
            wait = self._balance(after, count)
        for name in ("active", "ready", "failed", "succeeded", "terminating"):
            if not status.get(name) and name not in ("ready", "terminating"):
                status.pop(name, None)
        meta = job["metadata"]
        made = self._store.change(
            JOBS, meta["namespace"], meta["name"], lambda found: found.update(status=status)
        )
        if verdict:
            kind, reason, message = verdict
            happy = kind == "Complete"
            self._event(
                made,
                "Normal" if happy else "Warning",
                "Completed" if happy else reason,
                "Job completed" if happy else message,
            )
        return wait

    def _verdict(self, job: Object, count: job_status.Count) -> tuple[str, str, str] | None:
        """Complete or Failed with reason and message, or None while it goes on."""
        spec, status = job["spec"], job["status"]
        if count.fatal:
            return ("Failed", "PodFailurePolicy", count.fatal)
        if count.failures > spec["backoffLimit"]:
            words = "Job has reached the specified backoff limit"
            return ("Failed", "BackoffLimitExceeded", words)
        if count.is_complete():
            words = "Reached expected number of succeeded pods"
            return ("Complete", "CompletionsReached", words)
        deadline = spec.get("activeDeadlineSeconds")
        counts = deadline is not None and "startTime" in status and not spec.get("suspend")
        if counts and time.time() - moment(status["startTime"]).timestamp() >= deadline:
            words = "Job was active longer than specified deadline"
            return ("Failed", "DeadlineExceeded", words)
        return None

    def _suspend(self, job: Object, count: job_status.Count) -> None:
        self._stop(count.active, job)
        if job_status.set_condition(job, "Suspended", "JobSuspended", "Job suspended"):
            self._event(job, "Normal", "Suspended", "Job suspended")
        job["status"].update(active=0, ready=0)

    def _balance(self, job: Object, count: job_status.Count) -> float | None:
        """Start or stop pods; seconds after which to look again."""
        wanted, active = count.wanted(), len(count.active)
        if active > wanted:
            extra = sorted(count.active, key=lambda p: p["status"]["phase"] == "Running")
            self._stop(extra[: active - wanted], job)
        waits = [self._deadline(job)]
        back_off = self._back_off(job, count)
        if active < wanted and back_off > 0:
            waits.append(back_off)
        elif active < wanted:
            number = min(wanted - active, CREATED_AT_ONCE)
            for index in count.next_indexes(number):
                if not self._create(job, index):
                    waits.append(pace.ours(FIRST_BACK_OFF))
                    break
                job["status"]["active"] = job["status"].get("active", 0) + 1
            waits += [0.0] if number < wanted - active else []
        known = [wait for wait in waits if wait is not None]
        return min(known) if known else None

    def _deadline(self, job: Object) -> float | None:
        deadline = job["spec"].get("activeDeadlineSeconds")
        if deadline is None:
            return None
        began = moment(job["status"]["startTime"]).timestamp()
        return max(0.05, began + deadline - time.time())

    def _back_off(self, job: Object, count: job_status.Count) -> float:
        """Seconds that are left to wait since the last failure."""
        if not count.failures_in_a_row or not count.last_failure:
            return 0.0
        seconds = min(FIRST_BACK_OFF * 2 ** (count.failures_in_a_row - 1), LONGEST_BACK_OFF)
        return moment(count.last_failure).timestamp() + pace.ours(seconds) - time.time()

    def _create(self, job: Object, index: int | None) -> bool:
        """Whether the pod could be made: a quota may refuse it."""
        meta, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
        made = template.setdefault("metadata", {})
        made["finalizers"] = [*made.get("finalizers", []), TRACKING]
        made["ownerReferences"] = [reference(job)]
        made["generateName"] = f"{meta['name']}-"
        if index is not None:
            made["name"] = f"{meta['name']}-{index}-{suffix()}"
            made.setdefault("annotations", {})[INDEX] = str(index)
            made.setdefault("labels", {})[INDEX] = str(index)
            spec = template["spec"]
            spec.setdefault("hostname", f"{meta['name']}-{index}")
            source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
            variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}
            for container in [*spec.get("initContainers", []), *spec["containers"]]:
                container.setdefault("env", []).append(copy.deepcopy(variable))
        pod = {**template, "kind": "Pod", "apiVersion": "v1"}
        try:
            created = self._cluster.registry.create(PODS, meta["namespace"], pod)
        except ApiError as error:
            if error.code != 403:
                raise
            self._event(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return False
        name = created["metadata"]["name"]
        self._event(job, "Normal", "SuccessfulCreate", f"Created pod: {name}")
        return True

    def _stop(self, pods: list[Object], job: Object) -> None:
        for pod in pods:
            meta = pod["metadata"]
            self._cluster.registry.delete(PODS, meta["namespace"], meta["name"], {})
            self._event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}")

    def _event(self, job: Object, kind: str, reason: str, message: str) -> None:
        self._cluster.recorder.event(job, kind, reason, message, SOURCE)
