"""Stored answers of the lab hpa_without_requests."""


def _patch(case, resources, **spec):
    container = {"name": "worker", "resources": resources}
    change = {"spec": {"template": {"spec": {"containers": [container]}}, **spec}}
    case.apps.patch_namespaced_deployment("worker", "default", change)


def solve(lab, case):
    container = {"name": "worker", "resources": {"requests": {"cpu": "100m"}}}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    case.apps.patch_namespaced_deployment("worker", "default", change)


def by_hand(lab, case):
    case.apps.patch_namespaced_deployment("worker", "default", {"spec": {"replicas": 4}})


def far_too_much(lab, case):
    _patch(case, {"requests": {"cpu": "1500m"}})


def another_minimum(lab, case):
    _patch(case, {"requests": {"cpu": "100m"}})
    case.scaling.patch_namespaced_horizontal_pod_autoscaler(
        "worker", "default", {"spec": {"minReplicas": 3}}
    )


WRONG = (
    (by_hand, "grows"),
    (far_too_much, "grows"),
    (another_minimum, "same"),
)
