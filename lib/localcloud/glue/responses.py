"""Glue's jobs on the wire: moto parses and keeps the jobs, and a run really runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    GlueClientError,
    JobNotFoundException,
    JobRunNotFoundException,
)
from moto.glue.models import FakeJob
from moto.glue.responses import GlueResponse

from localcloud.glue import capacity, rules
from localcloud.glue.job_runs import LIVE, RUNNING, STARTING, JobRun

if TYPE_CHECKING:
    from localcloud.glue import Glue

OVERRIDES = (
    "Timeout",
    "MaxCapacity",
    "WorkerType",
    "NumberOfWorkers",
    "ExecutionClass",
    "NotificationProperty",
    "JobRunId",
)
PAGE = 200


class Responses(GlueResponse):
    glue: Glue  # set when the service is registered

    def create_job(self) -> ActionResult:
        jobs, name = self.glue_backend.jobs, self._get_param("Name")
        known = jobs.get(name)
        try:
            super().create_job()
            made = jobs[name]
            rules.check_job(made.as_dict())
            rules.role_arn(made.role)
            _fill(made)
            if known is not None and _definition(known) != _definition(made):
                raise GlueClientError(
                    "IdempotentParameterMismatchException",
                    f"Job with id : {name} already submitted with different configuration "
                    "parameters",
                )
        except Exception:
            jobs.pop(name, None)
            raise
        finally:
            if known is not None:
                jobs[name] = known
        return ActionResult({"Name": name})

    def delete_job(self) -> ActionResult:
        job = self.glue_backend.jobs.get(self._get_param("JobName"))
        for run in job.job_runs if job else ():
            self.glue.request_stop(run)
        return super().delete_job()

    def start_job_run(self) -> ActionResult:
        job = self._job()
        arguments = self._get_param("Arguments") or {}
        asked = {name: self._get_param(name) for name in OVERRIDES}
        asked = {name: value for name, value in asked.items() if value is not None}
        settings = _settings(job, asked)
        rules.check_job(settings)
        rules.check_arguments(arguments)
        with self.glue.lock:
            live = sum(run.state in LIVE for run in job.job_runs)
            if live >= job.execution_property["MaxConcurrentRuns"]:
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
            run = JobRun(settings, arguments)
            job.job_runs.append(run)
        self.glue.launch(run)
        return ActionResult({"JobRunId": run.job_run_id})

    def get_job_run(self) -> ActionResult:
        run = _run_of(self._job(), self._get_param("RunId"))
        with self.glue.lock:
            return ActionResult({"JobRun": run.shown(capacity.of(run.settings))})

    def get_job_runs(self) -> ActionResult:
        """The newest first, as AWS gives them."""
        runs = self._job().job_runs[::-1]
        first = int(self._get_param("NextToken") or 0)
        end = first + min(self._get_int_param("MaxResults") or PAGE, PAGE)
        with self.glue.lock:
            shown = [run.shown(capacity.of(run.settings)) for run in runs[first:end]]
        answer: dict[str, Any] = {"JobRuns": shown}
        if end < len(runs):
            answer["NextToken"] = str(end)
        return ActionResult(answer)

    def batch_stop_job_run(self) -> ActionResult:
        job, stopped, errors = self._job(), [], []
        for run_id in self._get_param("JobRunIds"):
            names = {"JobName": job.name, "JobRunId": run_id}
            error = self._stop(job, run_id)
            if error:
                detail = dict(zip(("ErrorCode", "ErrorMessage"), error, strict=True))
                errors.append({**names, "ErrorDetail": detail})
            else:
                stopped.append(names)
        return ActionResult({"SuccessfulSubmissions": stopped, "Errors": errors})

    def _stop(self, job: FakeJob, run_id: str) -> tuple[str, str] | None:
        """The error's code and message; None if the run is being stopped."""
        try:
            run = _run_of(job, run_id)
        except JobRunNotFoundException:
            return "EntityNotFoundException", f"Job run {run_id} not found."
        if self.glue.request_stop(run):
            return None
        words = (
            f"Job run {run_id} is {run.state}: only {STARTING} and {RUNNING} runs can be stopped"
        )
        return "JobRunInvalidStateTransitionException", words

    def _job(self) -> FakeJob:
        name = self._get_param("JobName")
        if name not in self.glue_backend.jobs:
            raise JobNotFoundException(name)
        return self.glue_backend.jobs[name]


def _fill(job: FakeJob) -> None:
    """AWS's defaults."""
    job.glue_version = job.glue_version or rules.DEFAULT_VERSION
    job.execution_property = job.execution_property or {"MaxConcurrentRuns": 1}
    job.max_retries = job.max_retries or 0
    job.timeout = job.timeout or (480 if float(job.glue_version) >= 5 else 2880)


def _definition(job: FakeJob) -> dict[str, Any]:
    times = ("CreatedOn", "LastModifiedOn")
    return {name: value for name, value in job.as_dict().items() if name not in times}


def _settings(job: FakeJob, asked: dict[str, Any]) -> dict[str, Any]:
    """The job's with the run's on top; workers of the one replace a MaxCapacity of the other."""
    found = {**job.as_dict(), **asked}
    if "MaxCapacity" in asked and not {"WorkerType", "NumberOfWorkers"} & asked.keys():
        found |= {"WorkerType": None, "NumberOfWorkers": None}
    elif {"WorkerType", "NumberOfWorkers"} & asked.keys() and "MaxCapacity" not in asked:
        found["MaxCapacity"] = None
    return found


def _run_of(job: FakeJob, run_id: str) -> JobRun:
    for run in job.job_runs:
        if run.job_run_id == run_id:
            return run
    raise JobRunNotFoundException(run_id)
