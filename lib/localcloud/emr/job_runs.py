"""The life of a job run, read from its submitter's Job and its driver's pod.

https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-jobs-states.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localcloud.kubernetes.resources import JOBS, PODS

if TYPE_CHECKING:
    from moto.emrcontainers.models import JobRun

    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

JOB_LABEL = "emr-containers.amazonaws.com/job.id"
LIVE = ("PENDING", "SUBMITTED", "RUNNING", "CANCEL_PENDING")
PROGRAM_FAILED = (
    "Main Spark container terminated with errors. Please refer logs uploaded to S3/CloudWatch "
    "based on your monitoring configuration"
)
NOT_SUBMITTED = "The job was not submitted: its submitter's log says why."


def submitter_name(run: JobRun) -> str:
    return run.id


def driver_name(run: JobRun) -> str:
    return f"spark-{run.id}-driver"


def pods(cluster: Cluster, namespace: str, run: JobRun) -> Iterator[Object]:
    """Its submitter, its driver, its executors: as far as they still exist."""
    for pod in cluster.store.list(PODS, namespace):
        if (pod["metadata"].get("labels") or {}).get(JOB_LABEL) == run.id:
            yield pod


def advance(cluster: Cluster, namespace: str, run: JobRun) -> bool:
    """Bring the record up to what the cluster shows; True when the run has ended."""
    job = cluster.store.get(JOBS, namespace, submitter_name(run))
    driver = cluster.store.get(PODS, namespace, driver_name(run))
    if run.state == "CANCEL_PENDING":
        if job is None and not any(pods(cluster, namespace, run)):
            _end(run, "CANCELLED", "JobRun CANCELLED successfully.")
    elif job is None:
        fail(run, "USER_ERROR", "The submitter's Kubernetes Job was deleted.")
    else:
        _advance(run, job, (driver or {}).get("status", {}).get("phase"))
    return run.state not in LIVE


def _advance(run: JobRun, job: Object, phase: str | None) -> None:
    if run.state == "PENDING" and job["status"].get("active"):
        run.state = "SUBMITTED"
    if phase == "Running":
        run.state = "RUNNING"
    ended = {one["type"] for one in job["status"].get("conditions", []) if one["status"] == "True"}
    # The submitter waits for the driver and ends as it does.
    if phase == "Failed" and ended:
        fail(run, "USER_ERROR", PROGRAM_FAILED)
    elif "Failed" in ended:
        fail(run, "VALIDATION_ERROR" if phase is None else "USER_ERROR", NOT_SUBMITTED)
    elif phase == "Succeeded" and "Complete" in ended:
        seconds = round((now() - run.created_at).total_seconds())
        words = f"JobRun completed successfully. It ran for {seconds} Seconds"
        _end(run, "COMPLETED", words)


def now() -> datetime:
    """As moto keeps times: UTC, and no zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def fail(run: JobRun, reason: str, details: str) -> None:
    run.failure_reason = reason
    _end(run, "FAILED", details)


def _end(run: JobRun, state: str, details: str) -> None:
    run.state, run.state_details = state, details
    run.finished_at = now()


def cancel(cluster: Cluster, namespace: str, run: JobRun) -> None:
    """Delete what runs for it; the run is CANCELLED when all of it is gone."""
    run.state = "CANCEL_PENDING"
    background = {"propagationPolicy": "Background"}
    for resource, name in ((JOBS, submitter_name(run)), (PODS, driver_name(run))):
        if cluster.store.get(resource, namespace, name):
            cluster.delete(resource, namespace, name, background)
