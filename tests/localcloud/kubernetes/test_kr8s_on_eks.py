"""kr8s, the other Python client that people use: the same stories, through another library."""

import kr8s
import pytest
from eks_lab import until
from kr8s.objects import ConfigMap, Deployment, Job, Pod


@pytest.fixture(scope="module")
def api(lab):
    return kr8s.api(kubeconfig=str(lab.config))


def test_it_finds_version_nodes_and_namespaces(api):
    assert api.version()["gitVersion"].startswith("v1.36.")
    assert len(list(api.get("nodes"))) == 2
    assert "default" in {one.name for one in api.get("namespaces")}


def test_a_pod_runs_to_its_end_and_its_log_is_read(lab, api):
    pod = Pod(lab.pod("kr8s-pod", "print('said by a pod')"), api=api)
    pod.create()
    until(lambda: (pod.refresh(), pod.status.phase == "Succeeded")[1])
    assert list(pod.logs()) == ["said by a pod"]
    pod.delete()
    until(lambda: not pod.exists())


def test_a_deployment_is_scaled_and_its_pods_are_found(lab, api):
    labels = {"app": "kr8s"}
    spec = lab.pod("x", "import time; time.sleep(600)", restart="Always")["spec"]
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "kr8s"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    made = Deployment(document, api=api)
    made.create()
    made.wait("condition=Available", timeout=60)
    made.scale(3)
    until(lambda: (made.refresh(), made.ready())[1] and len(made.pods()) == 3)
    made.delete()
    until(lambda: not list(api.get("pods", label_selector=labels)))


def test_a_job_that_fails_is_seen_to_fail(lab, api):
    job = Job(lab.job("kr8s-job", "raise SystemExit(3)", backoffLimit=0), api=api)
    job.create()
    job.wait("condition=Failed", timeout=60)
    [condition] = [one for one in job.status.conditions if one.type == "Failed"]
    assert condition.reason == "BackoffLimitExceeded"
    job.delete(propagation_policy="Foreground")


def test_patch_label_and_a_conflict(api):
    found = ConfigMap({"metadata": {"name": "kr8s"}, "data": {"a": "1"}}, api=api)
    found.create()
    found.patch({"data": {"b": "2"}})
    assert dict(found.data) == {"a": "1", "b": "2"}
    found.label({"team": "etl"})
    assert [one.name for one in api.get("configmaps", label_selector="team=etl")] == ["kr8s"]
    with pytest.raises(kr8s.ServerError, match="already exists"):
        ConfigMap({"metadata": {"name": "kr8s"}, "data": {}}, api=api).create()
    found.delete()
    with pytest.raises(kr8s.NotFoundError):
        ConfigMap.get("kr8s", api=api)


def test_a_watch_tells_what_happens(lab, api):
    seen = []
    pod = Pod(lab.pod("kr8s-watched", "print(1)"), api=api)
    pod.create()
    for kind, one in api.watch("pods", field_selector="metadata.name=kr8s-watched"):
        seen.append((kind, one.status.phase))
        if one.status.phase == "Succeeded":
            break
    assert seen[-1][1] == "Succeeded"
    assert {kind for kind, _ in seen} <= {"ADDED", "MODIFIED"}
    pod.delete()
