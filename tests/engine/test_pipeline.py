"""The pipeline in containers: really built images, the same results, and accidents."""

import json

import psutil
import pytest
from live import kill, temporary_home, wait_for

from drydock import cloud
from drydock.images import CONTAINERS, build_image
from drydock.lab import CLUSTER, Lab, open_lab
from drydock.pipeline import data_api, etl_tasks, run

MONTHS = ["2013-01", "2013-02"]


@pytest.fixture(scope="module")
def home():
    with temporary_home() as folder:
        yield folder


def published(lab: Lab) -> dict[str, str]:
    """What readers trust, by month, byte for byte."""
    s3 = lab.client("s3")
    keys = [f"curated/_manifests/{month}.json" for month in MONTHS]
    return {key: s3.get_object(Bucket=lab.bucket, Key=key)["Body"].read().decode() for key in keys}


def objects(lab: Lab) -> list[str]:
    listed = lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="curated/")
    return [found["Key"] for found in listed["Contents"]]


def definition_of_etl(lab: Lab) -> str:
    found = lab.client("ecs").describe_task_definition(taskDefinition=etl_tasks.FAMILY)
    return found["taskDefinition"]["taskDefinitionArn"]


@pytest.mark.slow
def test_containers_publish_what_processes_publish_and_accidents_change_nothing(
    home, cloud_of_kind, engine
):
    """One test, as each step stands on what the one before has left."""
    with cloud_of_kind(home, "container") as lab:
        report = run.run(lab, MONTHS, run.Watcher())
        assert report.problems() == []
        assert all(task.exit_code == 0 and task.memory_mib > 30 for task in report.tasks)
        first, keys = published(lab), objects(lab)
        assert json.loads(first[f"curated/_manifests/{MONTHS[0]}.json"])["rows"]["read"] == 27_004
        assert data_api.service_url(lab) == report.api_url
        image = build_image(
            lab, "drydock/etl", CONTAINERS / "etl", engine=cloud.runtime(lab.endpoint)["engine"]
        )
        assert 100e6 < image.size < 1e9
        stored = lab.client("ecr").describe_images(repositoryName="drydock/etl")["imageDetails"]
        assert stored[0]["imageDigest"] == image.uri.partition("@")[2]

        definition = definition_of_etl(lab)
        arns = [etl_tasks.launch(lab, definition, month) for month in MONTHS * 2]
        _kill_one(lab, arns[0])
        engine.kill()
        engine.start()
        etl_tasks.follow(lab, arns)
        assert published(lab) == first
        assert run.run(lab, MONTHS, run.Watcher()).problems() == []
        assert (published(lab), objects(lab)) == (first, keys)

        for month in MONTHS:
            etl_tasks.launch(lab, definition, month)
        kill(cloud.status(home))
        cloud.start(home)
        lab = open_lab()
        assert _left_of_others(engine, lab) == []
        assert run.run(lab, MONTHS, run.Watcher()).problems() == []
        assert (published(lab), objects(lab)) == (first, keys)
    with engine.client() as client:
        assert client.containers.list(all=True) == []
    with cloud_of_kind(home, "process") as lab:
        assert run.run(lab, MONTHS, run.Watcher()).problems() == []
        assert (published(lab), objects(lab)) == (first, keys)


def _kill_one(lab: Lab, arn: str) -> None:
    """SIGKILL the program of a task, from outside."""

    def program():
        for process in psutil.process_iter(["cmdline", "environ"]):
            words, variables = process.info["cmdline"] or [], process.info["environ"] or {}
            address = variables.get("HOST")
            if words[1:3] == ["-m", "etl"] and address and address == _address(lab, arn):
                return process
        return None

    found = wait_for(lambda: program() or _status(lab, arn) == "STOPPED", "the task's program")
    if found is not True:
        found.kill()


def _status(lab: Lab, arn: str) -> str:
    return lab.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]["lastStatus"]


def _address(lab: Lab, arn: str) -> str | None:
    task = lab.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
    details = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}
    return details.get("privateIPv4Address")


def _left_of_others(engine, lab: Lab) -> list[str]:
    """Containers of tasks that the server does not run any more."""
    with engine.client() as client:
        names = {one.name.split("-")[1] for one in client.containers.list(all=True)}
    return [name for name in names if _status(lab, name) == "STOPPED"]
