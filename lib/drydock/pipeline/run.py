"""The main job: raw flights to a served data API, every step through the AWS APIs.

`run` only composes; what each step does is in the module named after it. Notebook 01 takes the same
steps one by one.
"""

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from drydock.errors import AnotherRun, DrydockError
from drydock.lab import CLUSTER, Lab
from drydock.model import fargate, prices
from drydock.pipeline import data_api, etl_tasks, images, lookup_database, raw_data, roles
from drydock.pipeline.etl_tasks import TaskRun
from drydock.pipeline.images import CONTAINERS
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

    def rows(self, month: str, rows: int) -> None:
        """The task of `month` has published its `rows` rows."""


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
    """Run the whole pipeline over `months` and return the report.

    With `keep_raw` the raw objects that are in S3 are taken as they are, changed or not.
    Raises DrydockError with one clear line; an interrupted run stops its own tasks.
    """
    started = time.monotonic()
    months = raw_data.check_months(months)
    lab.client("ecs").create_cluster(clusterName=CLUSTER)
    if leftovers := etl_tasks.stop_leftovers(lab):
        watcher.say(f"stopped {leftovers} tasks that an earlier run had left")
    raw = upload_raw(lab, months, watcher, keep_raw)
    instance = lookup_database.create_instance(lab, watcher.say)
    lookup_database.load_lookups(lab, instance, watcher.say)
    secret_arn = lookup_database.create_reader(lab, instance)
    role_arns = roles.create_roles(lab, secret_arn)
    image = images.build(lab, "drydock/etl", CONTAINERS / "etl")
    definition = etl_tasks.register_etl(lab, image, role_arns, secret_arn)
    watcher.expect(len(months), sum(raw[month]["rows"] for month in months))
    etl_started = time.monotonic()
    tasks = run_tasks(lab, definition["taskDefinitionArn"], months, watcher)
    etl_seconds = time.monotonic() - etl_started
    refuse_failures(lab, tasks)
    watcher.say("starting the data API")
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
    for month, body in raw_data.monthly_objects():
        if month not in months:
            continue
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
            watcher.rows(month, runs[-1].rows)

    try:
        for month in months:
            month_of[etl_tasks.launch(lab, definition, month)] = month
        etl_tasks.follow(lab, month_of, on_change)
    except KeyboardInterrupt:
        watcher.say("interrupted: stopping the tasks of this run")
        etl_tasks.stop(lab, month_of, "Interrupted by the user")
        raise
    return runs


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
    vcpu, memory_gb = int(definition["cpu"]) / 1024, int(definition["memory"]) / 1024
    raise NotImplementedError(prices, fargate, vcpu, memory_gb)


def _etag(s3, bucket: str, key: str) -> str | None:
    try:
        return s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
