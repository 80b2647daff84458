"""Every pod finds its service account's token where clients look, unless it was told not to."""

from kubernetes.client import V1ObjectMeta, V1ServiceAccount

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
# A process sees the folder only where its command names it.
CODE = f"""
import json, ssl, urllib.request, os
folder = "{FOLDER}"
token = open(folder + "/token").read()
place = open(folder + "/namespace").read()
url = "https://%s:%s/api/v1/namespaces/%s/configmaps" % (
    os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"], place)
asked = urllib.request.Request(url, headers={{"Authorization": "Bearer " + token}})
trust = ssl.create_default_context(cafile=folder + "/ca.crt")
answer = json.load(urllib.request.urlopen(asked, context=trust))
print([one["metadata"]["name"] for one in answer["items"]])
"""


def mounts(pod) -> list[str]:
    return [one.mount_path for one in pod.spec.containers[0].volume_mounts or []]


def test_a_pod_asks_the_api_with_its_own_token(lab):
    pod = lab.run(lab.pod("asks", CODE))
    assert pod.status.phase == "Succeeded", lab.log("asks")
    assert "kube-root-ca.crt" in lab.log("asks")
    assert mounts(pod) == [FOLDER]


def test_a_pod_or_its_account_may_do_without(lab):
    meta = V1ObjectMeta(name="without")
    account = V1ServiceAccount(metadata=meta, automount_service_account_token=False)
    lab.core.create_namespaced_service_account("default", account)
    assert mounts(lab.run(lab.pod("no-token", "1", automountServiceAccountToken=False))) == []
    assert mounts(lab.run(lab.pod("of-account", "1", serviceAccountName="without"))) == []
    said = {"serviceAccountName": "without", "automountServiceAccountToken": True}
    assert mounts(lab.run(lab.pod("pod-decides", "1", **said))) == [FOLDER]


def test_a_place_that_is_taken_stays_as_it_is(lab):
    own = {"volumeMounts": [{"name": "own", "mountPath": FOLDER}]}
    pod = lab.run(lab.pod("own-mount", "1", container=own, volumes=[{"name": "own"}]))
    assert [one.name for one in pod.spec.volumes] == ["own"]


def test_network_policies_are_kept(lab):
    lab.kubectl(
        "apply",
        "-f",
        "-",
        given="{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: shut},"
        " spec: {podSelector: {}, policyTypes: [Ingress]}}",
    )
    found = lab.kubectl("get", "netpol", "shut", "-o", "jsonpath={.spec.policyTypes[0]}")
    assert found == "Ingress"
