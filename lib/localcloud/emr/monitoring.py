"""The logs of a job run's pods, to CloudWatch Logs and S3, under the names that EMR gives them.

https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-jobs-cloudwatch.html
The role of the job needs the permissions, as on AWS. What a pod says is one stream here, `stdout`.
"""

from __future__ import annotations

import gzip
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.emr import job_runs
from localcloud.kubernetes import pod_logs

if TYPE_CHECKING:
    from moto.emrcontainers.models import JobRun, VirtualCluster

    from localcloud.kubernetes.cluster import Cluster
    from localcloud.role_clients import Clients

MOST_EVENTS = 5_000
APPLICATION_LABEL = "spark-app-selector"


class Monitoring:
    """``collect`` sends what is new, ``finish`` puts whole logs into S3. Neither ever raises:
    a job does not fail because its logs cannot be kept."""

    def __init__(self, clients: Clients, cluster: Cluster, virtual: VirtualCluster, run: JobRun):
        wanted = (run.configuration_overrides or {}).get("monitoringConfiguration") or {}
        self._cloudwatch = wanted.get("cloudWatchMonitoringConfiguration")
        self._s3 = wanted.get("s3MonitoringConfiguration")
        self._clients, self._role = clients, run.execution_role_arn
        self._cluster, self._namespace, self._run = cluster, virtual.namespace, run
        self._place = f"{virtual.id}/jobs/{run.id}/containers"
        self._logs: dict[str, _PodLog] = {}

    def collect(self) -> None:
        if not (self._cloudwatch or self._s3):
            return
        for pod in job_runs.pods(self._cluster, self._namespace, self._run):
            meta, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
            name = f"{self._place}/{_folder(meta)}{meta['name']}/stdout"
            path = pod_logs.path_of(self._cluster.logs, meta["uid"], container, 0)
            self._logs.setdefault(meta["uid"], _PodLog(name, path))
        for log in self._logs.values():
            fresh = log.read()
            if fresh and self._cloudwatch:
                self._tell("CloudWatch Logs", self._send, log.name, fresh)

    def finish(self) -> None:
        if self._s3:
            for log in self._logs.values():
                self._tell("S3", self._put, log)

    def _tell(self, where: str, action: Any, *words: Any) -> None:
        try:
            action(*words)
        except (ClientError, BotoCoreError) as error:
            print(
                f"Log lines of job run {self._run.id} for {where} are lost: {error}",
                file=sys.stderr,
            )

    def _send(self, name: str, lines: list[tuple[int, str]]) -> None:
        logs = self._clients.get("logs", self._role)
        group, prefix = (
            self._cloudwatch["logGroupName"],
            self._cloudwatch.get("logStreamNamePrefix"),
        )
        stream = f"{prefix}/{name}" if prefix else name
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        for at in range(0, len(lines), MOST_EVENTS):
            part = lines[at : at + MOST_EVENTS]
            events = [{"timestamp": when, "message": text} for when, text in part if text]
            if events:
                logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def _put(self, log: _PodLog) -> None:
        place = urlsplit(self._s3["logUri"])
        key = f"{place.path.strip('/')}/{log.name}.gz".lstrip("/")
        text = "\n".join([*log.kept, ""]).encode()
        s3 = self._clients.get("s3", self._role)
        s3.put_object(Bucket=place.netloc, Key=key, Body=gzip.compress(text, mtime=0))


class _PodLog:
    """A growing file of stamped lines; ``kept`` is all that was read, without the stamps."""

    def __init__(self, name: str, path: Path):
        self.name, self._path = name, path
        self._offset = 0
        self.kept: list[str] = []

    def read(self) -> list[tuple[int, str]]:
        """What is new, whole lines only: milliseconds since 1970, and the text."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        found = []
        for line in data.decode(errors="replace").splitlines():
            stamp, _, text = line.partition(" ")
            at = datetime.fromisoformat(stamp[:26] + "+00:00")
            found.append((int(at.timestamp() * 1000), text))
            self.kept.append(text)
        return found


def _folder(meta: dict[str, Any]) -> str:
    """Spark's pods are kept under the id of their application, the submitter's is not."""
    application = meta["labels"].get(APPLICATION_LABEL)
    return f"{application}/" if application else ""
