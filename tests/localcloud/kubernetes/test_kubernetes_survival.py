"""A server killed in the middle of a Job of 100 pods: every index is done, none is lost."""

import os
import signal

import pytest
from eks_lab import Lab, until
from live import temporary_home

from drydock import cloud


@pytest.fixture
def home():
    with temporary_home() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_HOME", str(folder))
        patch.setenv("DRYDOCK_PORT", "0")
        info = cloud.start(folder, port=0)
        for name, value in cloud.environment(info).items():
            patch.setenv(name, value)
        yield folder, info, patch


def test_a_kill_loses_no_index_and_doubles_none(home, tmp_path):
    folder, info, patch = home
    lab = Lab("doomed", tmp_path, nodes=2, kind="m5.4xlarge")
    code = "import os; print(os.environ['JOB_COMPLETION_INDEX'])"
    job = lab.job("hundred", code, completions=100, parallelism=10, completionMode="Indexed")
    lab.batch.create_namespaced_job("default", job)
    lab.kubectl("create", "configmap", "kept", "--from-literal=a=1")
    done = lambda: lab.batch.read_namespaced_job("hundred", "default").status.succeeded or 0  # noqa: E731
    until(lambda: done() >= 20, 90)
    os.kill(info.pid, signal.SIGKILL)
    info = cloud.start(folder, port=0)
    patch.setenv("AWS_ENDPOINT_URL", info.endpoint)
    again = Lab.__new__(Lab)
    again.__dict__.update(lab.__dict__)
    again.connect()
    assert again.core.read_namespaced_config_map("kept", "default").data == {"a": "1"}
    ended, condition = again.wait_for_job("hundred", 120)
    assert (condition.type, ended.status.completed_indexes) == ("Complete", "0-99")
    assert ended.status.succeeded == 100
    pods = again.core.list_namespaced_pod("default", label_selector="job-name=hundred").items
    good = [p for p in pods if p.status.phase == "Succeeded"]
    indexes = [p.metadata.labels["batch.kubernetes.io/job-completion-index"] for p in good]
    assert sorted(map(int, indexes)) == list(range(100))
    for pod in {p.metadata.name for p in pods} - {p.metadata.name for p in good}:
        lost = again.core.read_namespaced_pod(pod, "default").status
        assert (lost.phase, lost.reason) == ("Failed", "Terminated")
