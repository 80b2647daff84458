"""Stored answers of the lab pending_cpu."""


def solve(lab, case):
    # Two of them fit into what is left while the old ones still run.
    container = {"name": "web", "resources": {"requests": {"cpu": "50m"}}}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    case.apps.patch_namespaced_deployment("web", "default", change)


def be_content_with_two(lab, case):
    case.apps.patch_namespaced_deployment("web", "default", {"spec": {"replicas": 2}})


def buy_another_machine(lab, case):
    lab.client("eks").update_nodegroup_config(
        clusterName=case.cluster,
        nodegroupName="workers",
        scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 2},
    )


def request_nothing(lab, case):
    container = {"name": "web", "resources": {"requests": {"cpu": None}}}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    case.apps.patch_namespaced_deployment("web", "default", change)


WRONG = (
    (be_content_with_two, "available"),
    (buy_another_machine, "one_machine"),
    (request_nothing, "requests"),
)
