"""A hundred ETL tasks, and accidents in the middle of them: nothing may be lost or doubled."""

from collections.abc import Callable
from pathlib import Path

import psutil
from live import kill, processes_of, wait_for

from drydock import cloud
from drydock.lab import CLUSTER, Lab, open_lab
from drydock.pipeline import etl_tasks, raw_data, run

TASKS = 100  # as many as one DescribeTasks takes
ROWS = 336_776


def survive(home: Path, accident: Callable[[], None] = lambda: None) -> None:
    """Run a hundred tasks on this home's local cloud, started or not.

    A task is killed, then ``accident`` happens, then the server is killed and started again; the
    tasks that failed are run again. Raises AssertionError where that is not what it was before.
    """
    lab = open_lab()
    assert run.run(lab, raw_data.MONTHS, run.Watcher()).problems() == []
    whole = published(lab)
    assert curated_rows(lab) == ROWS

    months = [raw_data.MONTHS[number % 12] for number in range(TASKS)]
    month_of = {etl_tasks.launch(lab, etl_tasks.FAMILY, month): month for month in months}
    arns = list(month_of)
    wait_for(lambda: programs(home), "a program that runs", 60)[0].kill()
    wait_for(lambda: stopped(lab, arns) >= 15, "fifteen tasks that have ended", 300)
    accident()
    wait_for(lambda: stopped(lab, arns) >= 30, "thirty tasks that have ended", 300)
    kill(cloud.status(home))
    lab = open_lab()
    assert programs(home) == []  # none has outlived the server's return

    tasks = {task["taskArn"]: task for task in described(lab, arns)}
    assert set(tasks) == set(arns)  # all are remembered, and each has an end
    assert {task["lastStatus"] for task in tasks.values()} == {"STOPPED"}
    again = [month_of[arn] for arn in arns if not succeeded(tasks[arn])]
    assert 1 <= len(again) < TASKS
    repeated = [etl_tasks.launch(lab, etl_tasks.FAMILY, month) for month in again]
    assert all(succeeded(task) for task in etl_tasks.follow(lab, repeated))

    assert published(lab) == whole
    assert curated_rows(lab) == ROWS
    quarantine = lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="quarantine/")
    assert quarantine["KeyCount"] == 0


def published(lab: Lab) -> dict[str, str]:
    """Every object that readers can see, with its checksum."""
    s3 = lab.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix="curated/")
    return {one["Key"]: one["ETag"] for page in pages for one in page["Contents"]}


def curated_rows(lab: Lab) -> int:
    manifests = [etl_tasks.read_manifest(lab, month) for month in raw_data.MONTHS]
    return sum(manifest["rows"]["curated"] for manifest in manifests)


def programs(home: Path) -> list[psutil.Process]:
    """The ETL programs that run on this home."""
    found = []
    for process in processes_of(home):
        try:
            if process.cmdline()[1:3] == ["-m", "etl"]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def described(lab: Lab, arns: list[str]) -> list[dict]:
    return lab.client("ecs").describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]


def stopped(lab: Lab, arns: list[str]) -> int:
    return sum(task["lastStatus"] == "STOPPED" for task in described(lab, arns))


def succeeded(task: dict) -> bool:
    return task["containers"][0].get("exitCode") == 0
