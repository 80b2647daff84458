"""After a whole run: both drivers gave the same bytes, and no password is where it must not be.

The run is `drydock run` on a home of its own, then the same month over JDBC. While both work,
command lines and environments of all processes are collected. Then the passwords that the run has
made are read from Secrets Manager and searched for: in all that was printed, in every process, log
event, task definition, task and image, and in every file of the home.

Where they may be, and why: Secrets Manager's own rows, as it is their keeper; the variable
DB_SECRET of the tasks' own processes, which is how ECS hands over what a definition names under
`secrets`; and for PostgreSQL's superuser one file, closed to all others.
"""

import base64
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import nbformat
import psutil
import pytest
from live import client, temporary_home, wait_for

from drydock import cloud as local_cloud
from drydock.lab import CLUSTER, open_lab
from drydock.pipeline import data_api, etl_tasks

MONTH = "2013-02"
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
HANDED_OVER = "DB_SECRET"
# As Secrets Manager and our lessons make them: 32 letters and digits of all three kinds.
MADE = re.compile(r"(?<![\w+/=-])(?=\S*?[a-z])(?=\S*?[A-Z])(?=\S*?\d)[A-Za-z0-9]{32}(?![\w+/=-])")
GIVEN_AWAY = re.compile(
    r"PWD=\{?(?!\*\*\*)[^\s;}]|://[^/\s:@*]+:(?!\*\*\*)[^@\s*]+@|X-Amz-Signature=\w"
    r"|[\"']?password[\"']?\s*[:=]\s*[\"'](?!\*\*\*|not it)[^\"'\s]{6,}[\"']",
    re.IGNORECASE,
)


@dataclass
class Run:
    """What one run left: its output, what processes showed, and the curated bytes by driver."""

    home: Path
    info: local_cloud.CloudInfo
    printed: str = ""
    seen: dict[tuple, bytes] = field(default_factory=dict)
    curated: dict[str, dict[str, bytes]] = field(default_factory=dict)
    expanded: dict = field(default_factory=dict)

    def look(self) -> None:
        """Collect what every process of this machine shows of itself to its user."""
        for process in psutil.process_iter():
            try:
                words, variables = process.cmdline(), process.environ()
                key = (process.pid, process.create_time(), tuple(words))
            except psutil.Error:
                continue
            if words[1:2] == ["-m"] and words[2:3] in (["etl"], ["api"]):
                variables.pop(HANDED_OVER, None)
            shown = [*words, *(f"{name}={value}" for name, value in variables.items())]
            self.seen[key] = os.fsencode("\n".join(shown))

    def ask_api(self) -> None:
        """Have the run's data API look a flight up in the database of lookup tables."""
        url = data_api.service_url(open_lab())
        flight = next(data_api.flights(url, limit=1))
        address = f"{url}/flights/{flight['flight_key']}"

        def answer():
            found = httpx.get(address, params={"expand": "airline"}, trust_env=False)
            return found.json() if found.status_code == 200 else None

        self.expanded = wait_for(answer, "an expanded flight")

    def take_curated(self, driver: str) -> None:
        """Keep this driver's curated objects, and remove them from the bucket."""
        s3, bucket = client(self.info, "s3"), open_lab().bucket
        found = s3.list_objects_v2(Bucket=bucket, Prefix="curated/")["Contents"]
        bodies = {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"]) for one in found}
        self.curated[driver] = {key: body["Body"].read() for key, body in bodies.items()}
        for key in bodies:
            s3.delete_object(Bucket=bucket, Key=key)


@pytest.fixture(scope="module")
def ran():
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_HOME", str(home))
        patch.setenv("DRYDOCK_PORT", "0")
        run = Run(home, local_cloud.start(home, port=0))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "drydock.cli", "run", "--no-notebook", "--month", MONTH],
            env=kept,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while process.poll() is None:
            run.look()
            time.sleep(0.05)
        run.printed = process.stdout.read()
        assert process.returncode == 0, run.printed
        run.ask_api()
        run.take_curated("odbc")
        over_jdbc(run)
        run.take_curated("jdbc")
        yield run


def over_jdbc(run: Run) -> None:
    """Run the task of the month once more, as it is registered, with the other driver."""
    lab = open_lab()
    ecs = lab.client("ecs")
    setting = {"name": "DATABASE_DRIVER", "value": "jdbc"}
    override = {"name": "etl", "command": [MONTH], "environment": [setting]}
    [task] = ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=etl_tasks.FAMILY,
        launchType="FARGATE",
        networkConfiguration=lab.network(),
        overrides={"containerOverrides": [override]},
    )["tasks"]
    while task["lastStatus"] != "STOPPED":
        run.look()
        time.sleep(0.05)
        [task] = ecs.describe_tasks(cluster=CLUSTER, tasks=[task["taskArn"]])["tasks"]
    assert task["containers"][0]["exitCode"] == 0, task


def test_the_task_publishes_the_same_bytes_over_either_driver(ran):
    """The manifest too: it tells how the month was made, and the driver changes nothing in it."""
    odbc, jdbc = ran.curated["odbc"], ran.curated["jdbc"]
    parquet = [key for key in odbc if key.endswith(".parquet")]
    assert len(parquet) == 1
    assert len(odbc[parquet[0]]) > 500_000
    assert {key: jdbc.get(key) for key in parquet} == {key: odbc[key] for key in parquet}
    assert sorted(jdbc) == sorted(odbc)


def test_the_runs_api_looks_up_and_tells_its_latencies(ran):
    """With the secret and the permission that its task definition and its role give it."""
    flight = ran.expanded
    assert flight["airline"] == {"carrier": flight["carrier"], "name": flight["carrier_name"]}
    client(ran.info, "ecs").update_service(
        cluster=CLUSTER, service=data_api.SERVICE, desiredCount=0
    )  # a program that is told to end sends what it has counted
    cloudwatch = client(ran.info, "cloudwatch")

    def routes():
        found = cloudwatch.list_metrics(Namespace="Drydock/Api", MetricName="Latency")["Metrics"]
        return {one["Dimensions"][0]["Value"] for one in found}

    wait_for(lambda: {"/flights", "/flights/{flight_key}"} <= routes(), "its metrics")


def test_no_password_is_in_any_output_log_definition_image_process_or_file(ran):
    hidden = forms(passwords(ran.info))
    assert len(hidden) > 3
    # the task's process was looked at while it ran, and so was PostgreSQL's
    assert [key for key in ran.seen if key[2][1:3] == ("-m", "etl")]
    assert [key for key in ran.seen if "postgres" in " ".join(key[2])]
    assert not [key[2] for key, shown in ran.seen.items() if held(shown, hidden)]
    assert not held(ran.printed.encode(), hidden)
    places = of_the_apis(ran.info)
    assert {"logs", "definitions", "tasks", "images"} <= places.keys()
    assert not [name for name, found in places.items() if held(found, hidden)]
    local_cloud.stop(ran.home)  # which writes all that is still in memory
    state = ran.home / "state" / "moto.sqlite"
    assert services_that_hold(state, hidden) == {"secretsmanager"}
    assert not stat.S_IMODE(state.parent.stat().st_mode) & 0o077
    files = [path for path in ran.home.rglob("*") if path.is_file() and path.name not in KEEPERS]
    assert {"server.log", "postgresql.log"} <= {path.name for path in files}
    assert not [path for path in files if held(path.read_bytes(), hidden)]


def test_no_stored_output_of_a_lesson_looks_like_a_password():
    """Each lesson runs again in `make test` with new passwords, so none can be in an output that is
    compared; this looks at all of them, also at those that are not compared."""
    lessons = sorted(NOTEBOOKS.glob("*.ipynb"))
    assert len(lessons) >= 6
    found = [
        (lesson.name, hit.group())
        for lesson in lessons
        for text in texts(lesson)
        for pattern in (MADE, GIVEN_AWAY)
        for hit in pattern.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "ab12CD34ef56GH78ij90KL12mn34OP56",
        "Driver=x;UID=analyst;PWD={secret};SSLmode=require",
        "postgresql://analyst:hunter22@127.0.0.1/flights",
        '{"username": "analyst", "password": "hunter22"}',
        "X-Amz-Signature=0a1b2c",
    ],
)
def test_what_looks_like_a_password_is_found(text):
    assert MADE.search(text) or GIVEN_AWAY.search(text)


# Secrets Manager's rows are looked at one by one; the superuser's file only he and we may read.
KEEPERS = ("moto.sqlite", "moto.sqlite-wal", "moto.sqlite-shm", "rdsadmin.password")


def passwords(info) -> set[str]:
    """All that Secrets Manager holds, in all versions, and the superuser's of each instance."""
    manager = client(info, "secretsmanager")
    found = set()
    for secret in manager.list_secrets()["SecretList"]:
        for version in manager.list_secret_version_ids(SecretId=secret["ARN"])["Versions"]:
            value = manager.get_secret_value(SecretId=secret["ARN"], VersionId=version["VersionId"])
            found.add(json.loads(value["SecretString"])["password"])
    assert len(found) >= 2  # the master's and the reader's
    for file in info.home.glob("rds/*/rdsadmin.password"):
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077
        found.add(file.read_text())
    return found


def forms(words: set[str]) -> list[bytes]:
    """Each password as it is, as in an address, as in JSON, and in Base64."""
    written = set()
    for word in words:
        written |= {word, quote(word, safe=""), json.dumps(word)[1:-1]}
        written.add(base64.b64encode(word.encode()).decode().rstrip("=")[:-1])
    return [word.encode() for word in written]


def held(text: bytes, hidden: list[bytes]) -> bool:
    return any(word in text for word in hidden)


def of_the_apis(info) -> dict[str, bytes]:
    """What whoever may describe things can read."""
    logs, ecs, ecr = (client(info, name) for name in ("logs", "ecs", "ecr"))
    events, definitions, tasks, images = [], [], [], []
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        events += [page["events"] for page in pages]
    for arn in ecs.list_task_definitions()["taskDefinitionArns"]:
        definitions.append(ecs.describe_task_definition(taskDefinition=arn))
    for status in ("RUNNING", "STOPPED"):
        arns = ecs.list_tasks(cluster=CLUSTER, desiredStatus=status)["taskArns"]
        tasks += [ecs.describe_tasks(cluster=CLUSTER, tasks=arns)] if arns else []
    for repository in ecr.describe_repositories()["repositories"]:
        name = repository["repositoryName"]
        ids = ecr.list_images(repositoryName=name)["imageIds"]
        images += [ecr.batch_get_image(repositoryName=name, imageIds=ids)["images"]]
        images += [folder_of(image["imageManifest"]) for image in images[-1]]
    found = {"logs": events, "definitions": definitions, "tasks": tasks, "images": images}
    found["instances"] = client(info, "rds").describe_db_instances()["DBInstances"]
    return {name: repr(value).encode() for name, value in found.items() if value}


def folder_of(manifest: str) -> list[bytes]:
    """What an image without layers runs: the files of the folder that its annotation names."""
    folder = json.loads(manifest).get("annotations", {}).get("dev.drydock.context")
    files = Path(folder).rglob("*") if folder else []
    return [path.read_bytes() for path in files if path.is_file()]


def services_that_hold(database: Path, hidden: list[bytes]) -> set[str]:
    """The services whose rows of the local cloud's memory hold a password."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        found = rows.execute("SELECT service, data FROM rows").fetchall()
    return {service for service, data in found if held(data, hidden)}


def texts(lesson: Path) -> list[str]:
    """The text of all stored outputs; pictures are no text."""
    found = []
    for cell in nbformat.read(lesson, 4).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found += [output.get("text", ""), "\n".join(output.get("traceback", []))]
            found += [value for kind, value in data.items() if kind in ("text/plain", "text/html")]
    return found
