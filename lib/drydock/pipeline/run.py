"""The main job: raw flights to a served data API, every step through the AWS APIs.

`run` only composes; what each step does is in the module named after it. Notebook 01 takes the same
steps one by one.
"""

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from drydock import images
from drydock.errors import AnotherRun, DrydockError
from drydock.images import CONTAINERS
from drydock.lab import CLUSTER, Lab
from drydock.model import fargate, prices
from drydock.pipeline import data_api, etl_tasks, lookup_database, raw_data, roles
from drydock.pipeline.etl_tasks import TaskRun
from drydock.pipeline.report import RunReport


class TaskFailed(DrydockError):
    """One or more ETL tasks ended with an error; what they published stays as it was."""

    exit_code = 1


class StaleMonth(DrydockError):
    """A raw object is no longer the one that its curated rows were made from."""

    exit_code = 1


class Watcher:
    """What a caller may want to see of a run; the command line and the notebook each have one."""

    def say(self, line: str) -> None:
        """One line of what is being done."""

    def expect(self, objects: int, rows: int) -> None:
        """How many objects and rows the tasks will read."""

    def task(self, month: str, status: str) -> None:
        """The task of `month` has reached `status`, one of ECS's own ("RUNNING", …)."""

    def show(self, stages: Mapping[str, str], **counts: int) -> None:
        """Stages and counts of the pipeline's picture; see `drydock.dashboards.pipeline.draw`."""


class PictureWatcher(Watcher):
    """Lights up the boxes of a PipelinePicture while a run goes through them."""

    def __init__(self, picture):
        self.show = picture.show


@contextlib.contextmanager
def only_run(home: Path) -> Iterator[None]:
    """Hold the lock of the one run that a lab allows; raise AnotherRun when it is taken."""
    with (home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRun(
                f"another run works on this lab ({home}); wait for it to end, "
                "then type: drydock run"
            ) from None
        yield


def run(lab: Lab, months: Sequence[str], watcher: Watcher, keep_raw: bool = False) -> RunReport:
    """Run the whole pipeline over `months`, one run at a time, and return the report.

    With `keep_raw` the raw objects that are in S3 are taken as they are, changed or not.
    Raises DrydockError with one clear line; an interrupted run stops its own tasks.
    """
    months = raw_data.check_months(months)
    with only_run(lab.home):
        return _run(lab, months, watcher, keep_raw)


def _run(lab: Lab, months: Sequence[str], watcher: Watcher, keep_raw: bool) -> RunReport:
    started = time.monotonic()
    lab.client("ecs").create_cluster(clusterName=CLUSTER)
    if leftovers := etl_tasks.stop_leftovers(lab):
        watcher.say(f"stopped {leftovers} tasks that an earlier run had left")
    watcher.show({"raw": "running"})
    raw = upload_raw(lab, months, watcher, keep_raw)
    watcher.show({"raw": "done", "lookup": "running"}, objects=len(months))
    instance = lookup_database.create_instance(lab, watcher.say)
    lookup_rows = lookup_database.load_lookups(lab, instance, watcher.say)
    watcher.show({"lookup": "done"}, lookup_rows=sum(lookup_rows.values()))
    secret_arn = lookup_database.create_reader(lab, instance)
    role_arns = roles.create_roles(lab, secret_arn)
    image = images.build(lab, "drydock/etl", CONTAINERS / "etl")
    etl_tasks.create_log_group(lab, etl_tasks.LOG_GROUP)
    definition = lab.client("ecs").register_task_definition(
        **etl_tasks.etl_task_definition(lab, image, role_arns, secret_arn)
    )["taskDefinition"]
    watcher.expect(len(months), sum(raw[month]["rows"] for month in months))
    watcher.show({"tasks": "running"}, tasks=len(months), tasks_done=0)
    etl_started = time.monotonic()
    tasks = run_tasks(lab, definition["taskDefinitionArn"], months, watcher)
    etl_seconds = time.monotonic() - etl_started
    refuse_failures(lab, tasks)
    watcher.say("starting the data API")
    watcher.show({"api": "running"})
    api_image = images.build(lab, "drydock/api", CONTAINERS / "api")
    url = data_api.start_service(lab, api_image, role_arns)
    report = RunReport(
        tasks=tasks,
        **published_totals(lab, url),
        etl_seconds=etl_seconds,
        wall_seconds=0.0,
        **run_cost(tasks, definition),
        api_url=url,
    )
    watcher.show({"api": "done"}, served=report.served["rows"])
    report.wall_seconds = time.monotonic() - started
    return report


def upload_raw(
    lab: Lab, months: Sequence[str], watcher: Watcher, keep_raw: bool
) -> dict[str, dict[str, int]]:
    """Put the raw objects that S3 lacks or holds differently; return the totals of each month."""
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=lab.bucket)
    watcher.say(f"raw objects to s3://{lab.bucket}/raw/flights/")
    totals = {}
    for month, body in raw_data.monthly_objects(months):
        key = raw_data.raw_key(month)
        present = _etag(s3, lab.bucket, key)
        if present is None or (present != _md5(body) and not keep_raw):
            if present is not None:
                watcher.say(f"{key} was not the source's; put back (--keep-raw keeps yours)")
            s3.put_object(Bucket=lab.bucket, Key=key, Body=body, ContentType="text/csv")
        totals[month] = raw_data.totals(body)
    return totals


def run_tasks(lab: Lab, definition: str, months: Sequence[str], watcher: Watcher) -> list[TaskRun]:
    """Launch a task for each month and wait for all; on an interrupt stop them before leaving."""
    month_of: dict[str, str] = {}
    runs: list[TaskRun] = []

    def on_change(task: dict) -> None:
        month, status = month_of[task["taskArn"]], task["lastStatus"]
        watcher.task(month, status)
        if status == "STOPPED":
            runs.append(etl_tasks.summarise(lab, task))
            watcher.show(_stages(runs, len(months)), tasks=len(months), **_counts(runs))

    try:
        for month in months:
            arn = etl_tasks.launch(lab, definition, month, started_by=etl_tasks.STARTED_BY)
            month_of[arn] = month
        etl_tasks.follow(lab, month_of, on_change)
    except KeyboardInterrupt:
        watcher.say("interrupted: stopping the tasks of this run")
        # By what ECS lists: the interrupt may have come between a launch and our note of it.
        while etl_tasks.stop_leftovers(lab):
            pass
        raise
    return runs


def _stages(runs: Sequence[TaskRun], expected: int) -> dict[str, str]:
    """The picture's stages when `runs` of `expected` tasks have stopped."""
    if not all(run.succeeded for run in runs):
        return {"tasks": "failed", "curated": "failed"}
    now = "done" if len(runs) == expected else "running"
    return {"tasks": now, "curated": now, "quarantine": now}


def _counts(runs: Sequence[TaskRun]) -> dict[str, int]:
    quarantined = sum(run.quarantined for run in runs)
    curated = sum(run.rows for run in runs) - quarantined
    return {"tasks_done": len(runs), "rows": curated, "quarantined": quarantined}


def refuse_failures(lab: Lab, tasks: Sequence[TaskRun]) -> None:
    """Raise TaskFailed when a task did not succeed, with its reason and its last log line."""
    failed = sorted((task for task in tasks if not task.succeeded), key=lambda task: task.month)
    if not failed:
        return
    lines = []
    for task in failed:
        logs = etl_tasks.task_logs(lab, task.task_id)
        told = logs[-1] if logs else task.reason
        lines.append(f"the task of {task.month} ended with exit code {task.exit_code}: {told}")
    months = " ".join(f"--month {task.month}" for task in failed)
    lines.append(f"other months are published; mend the cause, then type: drydock run {months}")
    raise TaskFailed("\n".join(lines))


def published_totals(lab: Lab, url: str) -> dict:
    """Return raw totals, manifests and served totals of every published month, for the report."""
    s3 = lab.client("s3")
    manifests = {
        month: manifest
        for month in raw_data.MONTHS
        if (manifest := etl_tasks.read_manifest(lab, month)) is not None
    }
    raw = {"rows": 0, "cancelled": 0} | dict.fromkeys(raw_data.SUMMED_COLUMNS, 0)
    for manifest in manifests.values():
        source = s3.get_object(Bucket=lab.bucket, Key=manifest["source"]["key"])
        if source["ETag"].strip('"') != manifest["source"]["etag"].strip('"'):
            raise StaleMonth(
                f"{manifest['source']['key']} has changed since it was curated; "
                f"type: drydock run --keep-raw --month {manifest['month']}"
            )
        put_aside = [row["line"] for row in etl_tasks.read_quarantine(lab, manifest)]
        for name, value in raw_data.totals(source["Body"].read(), put_aside).items():
            raw[name] += value
    data_api.wait_until_served(url, sum(m["rows"]["curated"] for m in manifests.values()))
    return {"manifests": manifests, "raw": raw, "served": served_totals(url)}


def served_totals(url: str) -> dict[str, int]:
    """Add up what the data API says of every carrier."""
    carriers = data_api.carriers(url)
    names = {"rows": "flights", "dep_delay": "dep_delay_total", "arr_delay": "arr_delay_total"}
    return {name: sum(carrier[key] for carrier in carriers) for name, key in names.items()}


def run_cost(tasks: Sequence[TaskRun], definition: dict) -> dict:
    """Return what these tasks would cost on Fargate, and the price's source and date."""
    bill = fargate.run_cost(
        [task.billed_seconds for task in tasks],
        vcpu=Decimal(definition["cpu"]) / 1024,
        memory_gb=Decimal(definition["memory"]) / 1024,
        public_ipv4=True,  # as Lab.network asks for one
    )
    note = prices.citation(line.price for line in bill.lines)
    return {"cost": bill.total(), "price_note": note}


def _etag(s3, bucket: str, key: str) -> str | None:
    try:
        return s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
