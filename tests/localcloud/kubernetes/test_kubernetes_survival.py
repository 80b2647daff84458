"""A server killed in the middle: every index of a Job is done once, a machine still arrives."""

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


def started_again(folder, patch, lab):
    info = cloud.start(folder, port=0)
    patch.setenv("AWS_ENDPOINT_URL", info.endpoint)
    again = Lab.__new__(Lab)
    again.__dict__.update(lab.__dict__)
    again.connect()
    return again


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
    again = started_again(folder, patch, lab)
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


PARTS = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: eks-node
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{id: %s}]
  securityGroupSelectorTerms: [{name: default}]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
      - {key: karpenter.k8s.aws/instance-family, operator: In, values: [m6i]}
"""


def test_a_machine_on_its_way_arrives_after_a_kill(home, tmp_path):
    folder, info, patch = home
    lab = Lab("grown", tmp_path, nodes=0)
    lab.kubectl("apply", "-f", "-", given=PARTS % lab.subnets[0])
    container = {"resources": {"requests": {"cpu": "500m"}}}
    lab.core.create_namespaced_pod("default", lab.pod("waits", "print('ran')", container=container))
    launched = lambda lab: "aws:///" in lab.kubectl("get", "nodeclaims", "-o", "yaml")  # noqa: E731
    until(lambda: launched(lab))
    os.kill(info.pid, signal.SIGKILL)
    again = started_again(folder, patch, lab)
    assert again.wait_for_pod("waits", ("Succeeded",), 60).status.phase == "Succeeded"
    # One machine was decided on, not two, and it goes when nothing is left to run.
    decided = lambda event: event.reason == "RegisteredNode"  # noqa: E731
    events = again.core.list_namespaced_event("default").items
    assert len({one.involved_object.name for one in events if decided(one)}) == 1
    until(lambda: not launched(again), 60)
    assert again.core.list_node().items == []
