"""Pods of the embedded Kubernetes in containers of an engine: volumes, identity, limits."""

import pytest
from eks_lab import Lab, make_role
from kubernetes.client import V1ConfigMap, V1ObjectMeta, V1ServiceAccount

from drydock import cloud


@pytest.fixture(scope="module")
def pods(tasks, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment(cloud.status()).items():
            patch.setenv(name, value)
        lab = Lab("engine", tmp_path_factory.mktemp("eks"))
        lab.image = tasks.image
        yield lab


def test_a_pod_is_a_container_with_its_volumes_and_its_role(pods):
    meta = V1ObjectMeta(name="inside")
    pods.core.create_namespaced_config_map("default", V1ConfigMap(metadata=meta, data={"a": "1"}))
    pods.core.create_namespaced_service_account("default", V1ServiceAccount(metadata=meta))
    pods.eks.create_pod_identity_association(
        clusterName=pods.name,
        namespace="default",
        serviceAccount="inside",
        roleArn=make_role("inside", "pods.eks.amazonaws.com"),
    )
    code = (
        "import json, os, urllib.request\n"
        "print(open('/etc/settings/a').read(), os.getpid(), os.environ['GREETING'])\n"
        "open('/scratch/x', 'w').close()\n"
        "token = open(os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']).read()\n"
        "address = os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']\n"
        "asked = urllib.request.Request(address, headers={'Authorization': token})\n"
        "print(sorted(json.load(urllib.request.urlopen(asked))))"
    )
    container = {
        "volumeMounts": [
            {"name": "settings", "mountPath": "/etc/settings"},
            {"name": "scratch", "mountPath": "/scratch"},
        ]
    }
    volumes = [{"name": "settings", "configMap": {"name": "inside"}}, {"name": "scratch"}]
    pod = pods.pod(
        "inside", code, container=container, volumes=volumes, serviceAccountName="inside"
    )
    ended = pods.run(pod, seconds=90)
    first, second = pods.log("inside").splitlines()
    assert ended.status.phase == "Succeeded"
    assert first == "1 1 from the image"
    assert "AccessKeyId" in second


def test_too_much_memory_is_oomkilled_in_a_container_too(pods):
    code = "x = []\nwhile True: x.append(bytearray(10**6))"
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    pod = pods.run(pods.pod("hungry", code, container=limits), seconds=90)
    ended = pod.status.container_statuses[0].state.terminated
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")
