"""Deployments, Services and disruption budgets: from one version to the next without a gap."""

import json
import urllib.request

import pytest
from eks_lab import until

# It answers for a second after SIGTERM, while the Service forgets the pod, as on any cluster.
SERVE = """
import http.server, os, signal, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (os.environ['VERSION'] + ' ' + os.environ['HOSTNAME']).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer((os.environ['HOST'], 8080), Answer)
signal.signal(signal.SIGTERM, lambda *_: threading.Timer(1, server.shutdown).start())
server.serve_forever()
"""


def deployment(lab, name: str, version: str, replicas: int = 2) -> dict:
    container = {
        "env": [{"name": "VERSION", "value": version}],
        "ports": [{"containerPort": 8080, "name": "web"}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1},
    }
    spec = lab.pod(name, SERVE, restart="Always", container=container)["spec"]
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        },
    }


@pytest.fixture(scope="module")
def web(lab):
    lab.kubectl("apply", "-f", "-", given=json.dumps(deployment(lab, "web", "one")))
    lab.kubectl("expose", "deployment", "web", "--port=80", "--target-port=web")
    lab.kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    address = lab.core.read_namespaced_service("web", "default").spec.cluster_ip
    return f"http://{address}/"


def get(url: str) -> list[str]:
    return urllib.request.urlopen(url, timeout=10).read().decode().split()


def test_a_service_leads_to_every_ready_pod(lab, web):
    assert len({get(web)[1] for _ in range(8)}) == 2
    slices = lab.kubectl(
        "get", "endpointslices", "web", "-o", "jsonpath={.endpoints[*].conditions}"
    )
    assert slices.count('"ready":true') == 2


def test_a_rollout_and_its_undoing_have_no_gap(lab, web):
    lab.kubectl("apply", "-f", "-", given=json.dumps(deployment(lab, "web", "two")))
    seen = set()

    def done():
        seen.add(get(web)[0])
        status = lab.apps.read_namespaced_deployment("web", "default").status
        return status.updated_replicas == status.replicas == status.available_replicas == 2

    until(done, 60)
    assert {get(web)[0] for _ in range(4)} == {"two"}
    history = lab.kubectl("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
    lab.kubectl("rollout", "undo", "deployment/web")
    lab.kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    assert get(web)[0] == "one"
    events = [message for reason, message in lab.events("web") if reason == "ScalingReplicaSet"]
    assert events[0].startswith("Scaled up replica set web-") and events[0].endswith("from 0 to 2")


def test_an_image_that_is_not_there_leaves_the_old_pods_alone(lab, web):
    lab.kubectl("set", "image", "deployment/web", "main=nothing:1")

    def stuck():
        pods = lab.core.list_namespaced_pod("default", label_selector="app=web").items
        states = [p.status.container_statuses for p in pods if p.status.container_statuses]
        reasons = [s[0].state.waiting.reason for s in states if s[0].state.waiting]
        return "ImagePullBackOff" in reasons

    until(stuck)
    assert get(web)[0] == "one"
    lab.kubectl("rollout", "undo", "deployment/web")
    lab.kubectl("rollout", "status", "deployment/web", "--timeout=50s")


def test_a_budget_holds_back_an_eviction(lab, web):
    lab.kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=2")
    policy = lambda: json.loads(lab.kubectl("get", "pdb", "web", "-o", "json"))["status"]  # noqa: E731
    until(lambda: policy().get("currentHealthy") == 2)
    pod = lab.core.list_namespaced_pod("default", label_selector="app=web").items[0]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.metadata.name, "namespace": "default"},
    }
    path = f"/api/v1/namespaces/default/pods/{pod.metadata.name}/eviction"
    said = lab.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(eviction), fails=True)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in said


def test_scaling_and_deleting_take_the_pods_along(lab):
    lab.kubectl("apply", "-f", "-", given=json.dumps(deployment(lab, "short", "one", 1)))
    lab.kubectl("scale", "deployment/short", "--replicas=3")
    count = lambda: len(lab.core.list_namespaced_pod("default", label_selector="app=short").items)  # noqa: E731
    until(lambda: count() == 3)
    lab.kubectl("delete", "deployment", "short")
    until(lambda: count() == 0)
