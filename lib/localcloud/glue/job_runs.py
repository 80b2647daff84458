"""A job run's record: what GetJobRun answers.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html
"""

from __future__ import annotations

import math
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.glue.capacity import Capacity

STARTING, RUNNING, STOPPING = "STARTING", "RUNNING", "STOPPING"
LIVE = (STARTING, RUNNING, STOPPING)
SHELL = "pythonshell"


class JobRun:
    """Kept with the job in moto's Glue. ``settings`` are a job's fields as its API names them, with
    what StartJobRun said on top; ``arguments`` are only what StartJobRun said."""

    def __init__(
        self, settings: dict[str, Any], arguments: dict[str, str], previous: JobRun | None = None
    ):
        self.settings, self.arguments = settings, arguments
        self.attempt = previous.attempt + 1 if previous else 0
        first = previous.first_id if previous else f"jr_{secrets.token_hex(32)}"
        self.first_id = first
        self.job_run_id = f"{first}_attempt_{self.attempt}" if previous else first
        self.previous_run_id = previous.job_run_id if previous else settings.get("JobRunId")
        self.state, self.error = STARTING, ""
        self.started_on = self.modified_on = now()
        self.running_since: datetime | None = None
        self.completed_on: datetime | None = None

    @property
    def job_name(self) -> str:
        return self.settings["Name"]

    @property
    def is_shell(self) -> bool:
        return self.settings["Command"]["Name"] == SHELL

    @property
    def log_group(self) -> str:
        return "/aws-glue/python-jobs" if self.is_shell else "/aws-glue/jobs"

    @property
    def execution_seconds(self) -> int:
        """Whole seconds that it ran, or has run so far; its start is not among them."""
        if self.running_since is None:
            return 0
        return math.ceil(((self.completed_on or now()) - self.running_since).total_seconds())

    def become(self, state: str, error: str = "") -> None:
        self.state, self.modified_on = state, now()
        self.error = error or self.error
        if state == RUNNING:
            self.running_since = self.modified_on
        elif state not in LIVE:
            self.completed_on = self.modified_on

    def shown(self, capacity: Capacity) -> dict[str, Any]:
        found = {
            "Id": self.job_run_id,
            "Attempt": self.attempt,
            "PreviousRunId": self.previous_run_id,
            "JobName": self.job_name,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.modified_on,
            "CompletedOn": self.completed_on,
            "JobRunState": self.state,
            "Arguments": self.arguments or None,
            "ErrorMessage": self.error or None,
            "PredecessorRuns": [],
            "AllocatedCapacity": math.ceil(capacity.units),
            "ExecutionTime": self.execution_seconds,
            "MaxCapacity": float(capacity.units),
            "WorkerType": capacity.worker_type,
            "NumberOfWorkers": capacity.workers,
            "LogGroupName": self.log_group,
            "DPUSeconds": self._dpu_seconds(capacity),
        }
        for name in ("Timeout", "GlueVersion", "ExecutionClass", "NotificationProperty"):
            found[name] = self.settings.get(name)
        return {name: value for name, value in found.items() if value is not None}

    def _dpu_seconds(self, capacity: Capacity) -> float | None:
        """Only where AWS tells them: FLEX and auto scaling. No worker here comes or goes."""
        scales = given(self).get("--enable-auto-scaling", "").lower() == "true"
        if self.settings.get("ExecutionClass") != "FLEX" and not scales:
            return None
        return float(self.execution_seconds * capacity.units)


def given(run: JobRun) -> dict[str, str]:
    """The arguments of the script: the job's, the run's, and those that no run may override."""
    fixed = run.settings.get("NonOverridableArguments") or {}
    return {**(run.settings.get("DefaultArguments") or {}), **run.arguments, **fixed}


def now() -> datetime:
    """As moto keeps times: UTC, and no zone."""
    return datetime.now(UTC).replace(tzinfo=None)
