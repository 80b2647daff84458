"""The autoscaler: its arithmetic equals the model's, and its loop follows what pods really use."""

import json
import random

from eks_lab import until

from drydock.model.scaling import hpa, hpa_behavior
from localcloud.kubernetes import autoscaler_rules as rules


def some_pods(chance: random.Random) -> list[rules.Sample]:
    return [
        rules.Sample(
            used=None if chance.random() < 0.15 else chance.randrange(0, 900),
            requested=chance.choice((100, 250, 500)),
            ready=chance.random() < 0.8,
            pending=chance.random() < 0.1,
            age=chance.choice((5.0, 100.0, 299.0, 400.0)),
            turned=chance.choice((0.0, 10.0, 60.0)),
            window=30.0,
            old=chance.choice((0.0, 15.0)),
        )
        for _ in range(chance.randrange(1, 8))
    ]


def as_models(one: rules.Sample) -> hpa.Pod:
    return hpa.Pod(
        usage=one.used,
        request=one.requested,
        ready=one.ready,
        phase="Pending" if one.pending else "Running",
        age=one.age,
        ready_changed=one.turned,
        metric_age=one.old,
        metric_window=one.window,
    )


def answer(function, *given, **more):
    try:
        found = function(*given, **more)
    except ValueError:
        return None
    return found[0] if isinstance(found, tuple) else found


def test_replicas_equal_the_models():
    chance = random.Random(7)
    for _ in range(3000):
        pods, current = some_pods(chance), chance.randrange(1, 12)
        models = [as_models(pod) for pod in pods]
        target, average = chance.choice((30, 50, 80, 120)), chance.choice((50, 200, 400))
        assert answer(rules.wanted, pods, current, target, True, True) == answer(
            hpa.resource_replicas, models, current, target
        )
        assert answer(rules.wanted, pods, current, average, False, True) == answer(
            hpa.pod_metric_replicas, models, current, average, resource="cpu"
        )


def test_brakes_equal_the_models():
    chance = random.Random(11)
    for _ in range(200):
        up = [{"type": "Pods", "value": 2, "periodSeconds": 60}]
        down = [{"type": "Percent", "value": 50, "periodSeconds": 60}]
        window, select = chance.choice((0, 60)), chance.choice(("Max", "Min", "Disabled"))
        spec = {"minReplicas": 2, "maxReplicas": 20}
        behavior = hpa_behavior.Behavior(minimum=2, maximum=20)
        if chance.random() < 0.7:
            spec["behavior"] = {
                "scaleUp": {"policies": up, "stabilizationWindowSeconds": window},
                "scaleDown": {"policies": down, "selectPolicy": select},
            }
            behavior = hpa_behavior.Behavior(
                2,
                20,
                hpa_behavior.Rules(window, (hpa_behavior.Policy("Pods", 2, 60),)),
                hpa_behavior.Rules(300, (hpa_behavior.Policy("Percent", 50, 60),), select),
            )
        memory, history, current = rules.Memory(), hpa_behavior.History(), 4
        for step in range(40):
            desired, now = chance.randrange(1, 30), 15.0 * step
            expected, history = hpa_behavior.decide(current, desired, now, behavior, history)
            assert rules.decide(current, desired, now, spec, memory)[0] == expected
            current = expected


BUSY = "import os\nwhile True: sum(range(10000))"


def busy(lab, name: str, requests: dict) -> None:
    container = {"resources": {"requests": requests, "limits": {"cpu": "200m"}}}
    spec = lab.pod(name, BUSY, restart="Always", container=container)["spec"]
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }
    lab.kubectl("apply", "-f", "-", given=json.dumps(document))
    lab.kubectl("autoscale", "deployment", name, "--min=1", "--max=3", "--cpu=50%")


def test_busy_pods_get_company(lab):
    busy(lab, "busy", {"cpu": "100m"})
    status = lambda: lab.scaling.read_namespaced_horizontal_pod_autoscaler("busy", "default").status  # noqa: E731
    until(lambda: status().current_replicas == 3, 60)
    conditions = {one.type: one.reason for one in status().conditions}
    assert conditions["ScalingActive"] == "ValidMetricFound"
    rescaled = [message for reason, message in lab.events("busy") if reason == "SuccessfulRescale"]
    assert rescaled[-1] == (
        "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    )
    assert "busy-" in lab.kubectl("top", "pods", "--no-headers")
    lab.kubectl("delete", "deployment,hpa", "busy")


def test_without_requests_there_is_no_percentage(lab):
    container = {"resources": {}}
    spec = lab.pod("bare", "import time; time.sleep(60)", restart="Always", container=container)
    labels = {"app": "bare"}
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bare"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec["spec"]},
        },
    }
    lab.kubectl("apply", "-f", "-", given=json.dumps(document))
    lab.kubectl("autoscale", "deployment", "bare", "--min=1", "--max=3", "--cpu=50%")
    said = lambda: [m for r, m in lab.events("bare") if "missing request for cpu" in m]  # noqa: E731
    assert "in container main of Pod bare-" in until(said)[0]
    lab.kubectl("delete", "deployment,hpa", "bare")
