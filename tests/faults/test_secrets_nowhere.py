"""Passwords and tokens after a whole run: in no log, output, process, image or open file."""

import base64
import ipaddress
import json
import os
import stat
import threading
from pathlib import Path

import psutil
import pytest
from commands import Command
from live import client, processes_of, temporary_home

from drydock import cloud

KEYS = ("password", "SecretAccessKey", "SessionToken", "Token")
# The charts and reports of runs, which are for others too, and a lock that is empty.
RESULTS = {"runs", "run.lock"}


class Watch(threading.Thread):
    """Looks at every process of a home while something runs: what each shows to others."""

    def __init__(self, home: Path):
        super().__init__(daemon=True)
        self.home, self.seen, self.listening = home, {}, set()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.1):
            for process in processes_of(self.home):
                try:
                    key = (process.pid, process.create_time())
                    self.seen[key] = (process.cmdline(), process.environ())
                    for one in process.net_connections("inet"):
                        if one.status == psutil.CONN_LISTEN:
                            self.listening.add(one.laddr.ip)
                except psutil.Error:
                    continue

    def stop(self) -> None:
        self._ended.set()
        self.join()


@pytest.fixture(scope="module")
def run():
    """One month through the pipeline, with what was seen of it."""
    with temporary_home() as home:
        info = cloud.start(home, port=0)
        watch = Watch(home)
        watch.start()
        try:
            ended = Command(home).run("--month", "2013-01")
        finally:
            watch.stop()
        assert ended.code == 0, ended
        yield home, info, watch, ended


@pytest.fixture(scope="module")
def secrets(run) -> list[bytes]:
    """Every value that Secrets Manager keeps, and its passwords, as they may be written down."""
    _, info, *_ = run
    manager = client(info, "secretsmanager")
    found = []
    for page in manager.get_paginator("list_secrets").paginate():
        for one in page["SecretList"]:
            text = manager.get_secret_value(SecretId=one["ARN"])["SecretString"]
            found += [value for name, value in json.loads(text).items() if name in KEYS]
    assert len(found) >= 2  # the owner of the tables, and their reader
    token = client(info, "ecr").get_authorization_token()["authorizationData"][0]
    found.append(token["authorizationToken"])
    encoded = [base64.b64encode(one.encode()).decode() for one in found]
    return [one.encode() for one in [*found, *encoded]]


def test_no_process_shows_one(run, secrets):
    """But for tasks whose definition names the secret: they have a variable, as on ECS."""
    _, _, watch, _ = run
    assert len(watch.seen) > 5
    assert not [line for line, _ in watch.seen.values() if _has(line, secrets)]
    holders = [line for line, variables in watch.seen.values() if _has(variables.values(), secrets)]
    assert {line[-1] for line in holders if line[-2:-1] == ["-m"]} == {"api"}
    assert [line for line in holders if "etl" not in line and line[-2:] != ["-m", "api"]] == []


def test_no_output_log_or_result_has_one(run, secrets):
    home, _, _, ended = run
    assert not [one for one in secrets if one in "\n".join([ended.out, *ended.lines]).encode()]
    looked_at = [path for path in home.rglob("*") if path.is_file() and not _is_state(home, path)]
    assert len(looked_at) > 5
    assert not [path for path in looked_at for one in secrets if one in path.read_bytes()]


def test_no_task_definition_image_or_log_event_has_one(run, secrets):
    _, info, *_ = run
    ecs, logs, ecr = (client(info, name) for name in ("ecs", "logs", "ecr"))
    said = [
        ecs.describe_task_definition(taskDefinition=arn)
        for arn in ecs.list_task_definitions()["taskDefinitionArns"]
    ]
    for cluster in ecs.list_clusters()["clusterArns"]:
        tasks = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
        said.append(ecs.describe_tasks(cluster=cluster, tasks=tasks))
    for group in logs.describe_log_groups()["logGroups"]:
        said.append(logs.filter_log_events(logGroupName=group["logGroupName"]))
    for one in ecr.describe_repositories()["repositories"]:
        name = one["repositoryName"]
        ids = ecr.list_images(repositoryName=name)["imageIds"]
        said.append(ecr.batch_get_image(repositoryName=name, imageIds=ids))
    everything = str(said).encode()
    assert b"drydock-etl" in everything
    assert not [one for one in secrets if one in everything]


def test_what_is_kept_is_closed_to_others(run):
    """Of a home's files others may read results, and the authority that databases are known by."""
    home, *_ = run
    opened = [
        path
        for path in home.rglob("*")
        if path.is_file() and not path.is_symlink() and _may_read(home, path)
    ]
    opened = [path for path in opened if not path.read_bytes().startswith(b"-----BEGIN CERT")]
    opened = [path for path in opened if path.relative_to(home).parts[0] not in RESULTS]
    assert opened == []


def test_every_door_is_on_loopback(run):
    _, _, watch, _ = run
    assert watch.listening
    assert all(ipaddress.ip_address(address).is_loopback for address in watch.listening)


def _has(words, secrets: list[bytes]) -> bool:
    text = "\n".join(words).encode()
    return any(one in text for one in secrets)


def _is_state(home: Path, path: Path) -> bool:
    """Where Secrets Manager keeps them: closed to others, as the next test but one proves."""
    return path.is_relative_to(home / "state")


def _may_read(home: Path, path: Path) -> bool:
    """May somebody who owns nothing here read it: every folder on the way lets others in."""
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    way = [folder for folder in path.parents if folder == home or folder.is_relative_to(home)]
    return all(os.stat(folder).st_mode & stat.S_IXOTH for folder in way)
