"""What Glue refuses, and what the local cloud cannot do, told when a job is made or started.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

from moto.core.exceptions import ServiceException
from moto.glue.exceptions import GlueClientError
from moto.iam.models import iam_backends
from werkzeug.exceptions import HTTPException

from localcloud import arns, trust
from localcloud.glue.capacity import SHELL_DPUS, worker_types
from localcloud.glue.job_runs import SHELL

COMMANDS = ("glueetl", SHELL)
VERSIONS = ("0.9", "1.0", "2.0", "3.0", "4.0", "5.0", "5.1", "6.0")
# The defaults of botocore's documentation of CreateJob, read on 2026-11-23.
DEFAULT_VERSION = "6.0"
MOST_MINUTES = 10_080
SERVICE = "glue.amazonaws.com"
# Arguments that change what runs on AWS, and cannot be honoured here.
NOT_HERE = {
    "--additional-python-modules": "packages are those of the project's environment",
    "--extra-jars": "jars are those of Spark, and PostgreSQL's JDBC driver",
    "--extra-files": "read them from S3 in the script",
    "--user-jars-first": "there are no jars of your own",
}
FLEX = (
    "Only jobs with Glue version 3.0 and above and command type glueetl will be allowed to set "
    "ExecutionClass to FLEX."
)


class InvalidInput(GlueClientError):
    def __init__(self, message: str):
        super().__init__("InvalidInputException", message)


def check_job(settings: dict[str, Any]) -> None:
    """Raise InvalidInput for a job, or a run with what it overrides, that cannot run."""
    command = settings.get("Command") or {}
    if command.get("Name") not in COMMANDS:
        raise InvalidInput(
            f"The local cloud runs jobs of the commands {' and '.join(COMMANDS)}, not "
            f"{command.get('Name')}."
        )
    if not (command.get("ScriptLocation") or "").startswith("s3://"):
        raise InvalidInput("ScriptLocation must be the place of a script in S3: s3://BUCKET/KEY.")
    if str(command.get("PythonVersion") or "3") == "2":
        raise InvalidInput("Python 2 has ended: the local cloud runs Python 3.")
    _check_version(settings)
    _check_capacity(settings, command["Name"] == SHELL)
    timeout = settings.get("Timeout")
    if timeout is not None and not 1 <= timeout <= MOST_MINUTES:
        raise InvalidInput(f"Timeout is in minutes, from 1 to {MOST_MINUTES:,}: {timeout} is not.")
    check_arguments(settings.get("DefaultArguments") or {})


def check_arguments(arguments: dict[str, str]) -> None:
    for name in arguments:
        if name in NOT_HERE:
            raise InvalidInput(f"The local cloud does not honour {name}: {NOT_HERE[name]}.")
    if arguments.get("--job-language", "python") != "python":
        raise InvalidInput("The local cloud runs scripts in Python: --job-language python.")


def _check_version(settings: dict[str, Any]) -> None:
    version = settings.get("GlueVersion")
    if version is not None and version not in VERSIONS:
        raise InvalidInput(f"Glue version {version} is none of {', '.join(VERSIONS)}.")
    if settings.get("ExecutionClass") == "FLEX":
        old = float(version or DEFAULT_VERSION) < 3
        if old or settings["Command"]["Name"] != "glueetl":
            raise InvalidInput(FLEX)


def _check_capacity(settings: dict[str, Any], shell: bool) -> None:
    kind, workers = settings.get("WorkerType"), settings.get("NumberOfWorkers")
    most = settings.get("MaxCapacity")
    if (kind or workers) and most:
        raise InvalidInput(
            "Please do not set Max Capacity if using Worker Type and Number of Workers."
        )
    if shell:
        if kind or workers:
            raise InvalidInput("A Python shell job has MaxCapacity, not workers.")
        if most is not None and Decimal(str(most)) not in SHELL_DPUS:
            raise InvalidInput("A Python shell job has a MaxCapacity of 0.0625 or 1.")
    elif kind or workers:
        _check_workers(kind, workers)
    elif most is not None and (most != int(most) or not 2 <= most <= 100):
        raise InvalidInput("A Spark job has a MaxCapacity of 2 to 100 whole DPUs.")


def _check_workers(kind: str | None, workers: int | None) -> None:
    if not (kind and workers):
        raise InvalidInput("Set both Worker Type and Number of Workers.")
    if kind not in worker_types():
        raise InvalidInput(f"Worker type {kind} is none of {', '.join(worker_types())}.")
    if workers < 2:
        raise InvalidInput("A Spark job has at least 2 workers: one of them is the driver.")


def role_arn(name_or_arn: str) -> str:
    """The role's ARN. Raises InvalidInput unless the role exists and trusts Glue."""
    backend = iam_backends[arns.ACCOUNT]["aws"]
    with suppress(ServiceException, HTTPException):
        is_arn = name_or_arn.startswith("arn:")
        find = backend.get_role_by_arn if is_arn else backend.get_role
        role = find(name_or_arn)
        if trust.trusts(role.assume_role_policy_document, SERVICE):
            return role.arn
    raise InvalidInput(
        f"Role {name_or_arn} should be given assume role permissions for Glue Service."
    )
