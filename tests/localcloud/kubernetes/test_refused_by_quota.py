"""A controller that may not make a pod says so in an event, and goes on when it may."""

from eks_lab import until


def test_a_job_and_a_deployment_tell_why_they_have_no_pods(lab):
    lab.core.create_namespace({"metadata": {"name": "tight"}})
    hard = {"spec": {"hard": {"limits.memory": "64Mi"}}}
    lab.core.create_namespaced_resource_quota("tight", {"metadata": {"name": "q"}, **hard})
    container = {"resources": {"limits": {"memory": "128Mi"}}}
    job = lab.job("large", "print(1)", container=container)
    lab.batch.create_namespaced_job("tight", job)
    labels = {"app": "large"}
    pod = lab.pod("x", "print(1)", restart="Always", container=container)["spec"]
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    lab.apps.create_namespaced_deployment("tight", {"metadata": {"name": "d"}, "spec": spec})

    def told():
        events = lab.core.list_namespaced_event("tight").items
        return {
            event.involved_object.kind: event.message
            for event in events
            if event.reason == "FailedCreate" and event.type == "Warning"
        }

    until(lambda: set(told()) == {"Job", "ReplicaSet"})
    for message in told().values():
        assert message.startswith('Error creating: pods "')
        assert "exceeded quota: q, requested: limits.memory=128Mi" in message
    assert lab.core.list_namespaced_pod("tight").items == []
    lab.core.patch_namespaced_resource_quota(
        "q", "tight", {"spec": {"hard": {"limits.memory": "1Gi"}}}
    )
    until(lambda: lab.batch.read_namespaced_job("large", "tight").status.succeeded == 1)
    until(lambda: lab.core.list_namespaced_pod("tight", label_selector="app=large").items)
    lab.core.delete_namespace("tight")


def test_a_pod_and_an_autoscaler_are_whole_in_the_answer_to_their_creation(lab):
    container = {"resources": {"limits": {"cpu": "100m", "memory": "32Mi"}}}
    made = lab.core.create_namespaced_pod("default", lab.pod("fresh", "0", container=container))
    assert (made.status.phase, made.status.qos_class) == ("Pending", "Guaranteed")
    lab.core.delete_namespaced_pod("fresh", "default", grace_period_seconds=0)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3}
    made = lab.scaling.create_namespaced_horizontal_pod_autoscaler(
        "default", {"metadata": {"name": "fresh"}, "spec": spec}
    )
    assert (made.spec.min_replicas, made.status.desired_replicas) == (1, 0)
    lab.scaling.delete_namespaced_horizontal_pod_autoscaler("fresh", "default")
