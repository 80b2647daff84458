"""Stored answers of the lab crash_loop."""


def solve(lab, case):
    change = {"data": {"RATE_LIMIT": "100", "RATE-LIMIT": None}}
    case.core.patch_namespaced_config_map("web", "default", change)
    # The waits between restarts grow: new pods start at once.
    stamp = {"metadata": {"annotations": {"restarted": "because the ConfigMap has changed"}}}
    case.apps.patch_namespaced_deployment("web", "default", {"spec": {"template": stamp}})


def back_to_version_1(lab, case):
    case.core.patch_namespaced_config_map("web", "default", {"data": {"VERSION": "1"}})
    stamp = {"metadata": {"annotations": {"restarted": "yes"}}}
    case.apps.patch_namespaced_deployment("web", "default", {"spec": {"template": stamp}})


def into_the_deployment(lab, case):
    container = {"name": "web", "env": [{"name": "RATE_LIMIT", "value": "100"}]}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    case.apps.patch_namespaced_deployment("web", "default", change)


def start_it_again(lab, case):
    stamp = {"metadata": {"annotations": {"restarted": "yes"}}}
    case.apps.patch_namespaced_deployment("web", "default", {"spec": {"template": stamp}})


WRONG = (
    (back_to_version_1, "version"),
    (into_the_deployment, "from_config_map"),
    (start_it_again, "available"),
)
