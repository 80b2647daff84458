"""The API as clients use it: kubectl and the official Python client, unchanged."""

import json
import threading

import pytest
import yaml
from eks_lab import until
from kubernetes import watch
from kubernetes.client import ApiException, V1ConfigMap, V1ObjectMeta


def config_map(name: str, **data: str) -> V1ConfigMap:
    return V1ConfigMap(metadata=V1ObjectMeta(name=name, labels={"set": "api"}), data=data)


def refusal(error: ApiException) -> tuple[int, str, str]:
    said = json.loads(error.body)
    assert said["kind"] == "Status"
    return said["code"], said["reason"], said["message"]


def test_an_old_version_is_a_conflict(lab):
    made = lab.core.create_namespaced_config_map("default", config_map("race", a="1"))
    made.data["a"] = "2"
    newer = lab.core.replace_namespaced_config_map("race", "default", made)
    assert int(newer.metadata.resource_version) > int(made.metadata.resource_version)
    with pytest.raises(ApiException) as caught:
        lab.core.replace_namespaced_config_map("race", "default", made)
    assert refusal(caught.value) == (
        409,
        "Conflict",
        'Operation cannot be fulfilled on configmaps "race": the object has been modified; please '
        "apply your changes to the latest version and try again",
    )
    with pytest.raises(ApiException) as caught:
        lab.core.create_namespaced_config_map("default", config_map("race"))
    assert refusal(caught.value)[1:] == ("AlreadyExists", 'configmaps "race" already exists')


def test_a_generated_name_is_new_each_time(lab):
    meta = V1ObjectMeta(generate_name="many-")
    names = {
        lab.core.create_namespaced_config_map("default", V1ConfigMap(metadata=meta)).metadata.name
        for _ in range(5)
    }
    assert len(names) == 5 and all(name.startswith("many-") for name in names)


def test_selectors_choose(lab):
    for name, labels in (("sel-a", {"app": "x"}), ("sel-b", {"app": "y"}), ("sel-c", {})):
        labels = {"of": "selectors", **labels}
        made = V1ConfigMap(metadata=V1ObjectMeta(name=name, labels=labels))
        lab.core.create_namespaced_config_map("default", made)

    def chosen(**query):
        found = lab.core.list_namespaced_config_map("default", **query).items
        return [one.metadata.name for one in found]

    assert chosen(label_selector="of=selectors,app in (x, y)") == ["sel-a", "sel-b"]
    assert chosen(label_selector="of=selectors,!app") == ["sel-c"]
    assert chosen(label_selector="of=selectors,app!=x") == ["sel-b", "sel-c"]
    assert chosen(field_selector="metadata.name=sel-b") == ["sel-b"]
    with pytest.raises(ApiException) as caught:
        chosen(field_selector="data.a=b")
    assert refusal(caught.value) == (400, "BadRequest", "field label not supported: data.a")


def test_a_watch_sees_what_enters_and_leaves_its_selector(lab):
    lab.core.create_namespaced_config_map("default", config_map("seen", a="1"))
    start = lab.core.list_namespaced_config_map("default").metadata.resource_version
    seen = []

    def follow():
        stream = watch.Watch().stream(
            lab.core.list_namespaced_config_map,
            "default",
            label_selector="watched=yes",
            resource_version=start,
            timeout_seconds=20,
        )
        for event in stream:
            seen.append((event["type"], event["object"].metadata.name))
            if event["type"] == "DELETED":
                return

    thread = threading.Thread(target=follow)
    thread.start()
    for value in ("yes", "yes2", None):
        patch = {"metadata": {"labels": {"watched": value}}}
        lab.core.patch_namespaced_config_map("seen", "default", patch)
    thread.join(timeout=20)
    assert seen == [("ADDED", "seen"), ("DELETED", "seen")]


def test_a_watch_from_too_long_ago_says_so(lab):
    with pytest.raises(ApiException) as caught:
        stream = watch.Watch().stream(
            lab.core.list_namespaced_config_map, "default", resource_version="1", timeout_seconds=5
        )
        # Only a version older than all that is remembered is too old.
        lab.core.list_namespaced_config_map("default")
        for _ in stream:
            raise ApiException(status=410)
    assert caught.value.status == 410


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        (
            {"spec": {"containers": []}},
            "Invalid",
            'Pod "bad" is invalid: spec.containers: Required value',
        ),
        (
            {"spec": {"restartPolicy": "Sometimes"}},
            "Invalid",
            'Pod "bad" is invalid: spec.restartPolicy: Unsupported value: "Sometimes": supported '
            'values: "Always", "OnFailure", "Never"',
        ),
        (
            {"container": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}},
            "Invalid",
            'Pod "bad" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must '
            "be less than or equal to cpu limit of 1",
        ),
        (
            {"container": {"volumeMounts": [{"name": "x", "mountPath": "/x"}]}},
            "Invalid",
            'Pod "bad" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "x"',
        ),
        (
            {"container": {"image": 7}},
            "BadRequest",
            'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go '
            "struct field Container.spec.containers.image of type string",
        ),
    ],
)
def test_a_bad_pod_is_refused_in_kubernetes_words(lab, change, reason, message):
    pod = lab.pod("bad", "", container=change.get("container"))
    pod["spec"] |= change.get("spec", {})
    with pytest.raises(ApiException) as caught:
        lab.core.create_namespaced_pod("default", pod)
    assert refusal(caught.value)[1:] == (reason, message)


def test_kubectl_names_the_field_that_is_not_one(lab):
    pod = lab.pod("typo", "")
    pod["spec"]["restartpolicy"] = "Never"
    said = lab.kubectl("apply", "-f", "-", given=json.dumps(pod), fails=True)
    assert 'strict decoding error: unknown field "spec.restartpolicy"' in said


def test_kubectl_applies_twice_and_removes_what_is_gone(lab):
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "applied"},
        "data": {"a": "1", "b": "2"},
    }
    assert lab.kubectl("apply", "-f", "-", given=json.dumps(document)).endswith("created\n")
    assert lab.kubectl("apply", "-f", "-", given=json.dumps(document)).endswith("unchanged\n")
    document["data"] = {"a": "3"}
    assert lab.kubectl("apply", "-f", "-", given=json.dumps(document)).endswith("configured\n")
    assert lab.core.read_namespaced_config_map("applied", "default").data == {"a": "3"}


def test_server_side_apply_knows_who_owns_a_field(lab):
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "owned"},
        "data": {"a": "1", "b": "1"},
    }
    apply = ("apply", "--server-side", "-f", "-")
    lab.kubectl(*apply, "--field-manager=one", given=json.dumps(document))
    document["data"] = {"b": "2"}
    said = lab.kubectl(*apply, "--field-manager=two", given=json.dumps(document), fails=True)
    assert 'Apply failed with 1 conflict: conflict with "one": .data.b' in said
    lab.kubectl(*apply, "--field-manager=two", "--force-conflicts", given=json.dumps(document))
    document["data"] = {}
    lab.kubectl(*apply, "--field-manager=one", given=json.dumps(document))
    assert lab.core.read_namespaced_config_map("owned", "default").data == {"b": "2"}


def test_kubectl_creates_what_it_sends_as_protobuf(lab):
    lab.kubectl("create", "secret", "generic", "sent", "--from-literal=word=hush")
    secret = lab.core.read_namespaced_secret("sent", "default")
    assert (secret.type, secret.data) == ("Opaque", {"word": "aHVzaA=="})
    said = lab.kubectl(
        "create", "job", "sent", f"--image={lab.image}", "--", "python", "-c", "print(1)"
    )
    assert said == "job.batch/sent created\n"
    lab.wait_for_job("sent")
    assert lab.kubectl("logs", "job/sent") == "1\n"


def test_kubectl_shows_tables_and_descriptions(lab):
    lab.run(lab.pod("shown", "print('x')"))
    header, row = lab.kubectl("get", "pod", "shown").splitlines()
    assert header.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row.split()[:4] == ["shown", "0/1", "Completed", "0"]
    described = lab.kubectl("describe", "pod", "shown")
    assert "Successfully assigned default/shown to ip-" in described
    assert yaml.safe_load(lab.kubectl("get", "pod", "shown", "-o", "yaml"))["kind"] == "Pod"
    assert "Container image name" in lab.kubectl("explain", "pod.spec.containers.image")
    assert lab.kubectl("api-resources", "--api-group=batch", "-o", "name").split() == [
        "cronjobs.batch",
        "jobs.batch",
    ]


def test_a_namespace_takes_all_that_is_in_it_along(lab):
    lab.kubectl("create", "namespace", "brief")
    lab.kubectl("create", "configmap", "inside", "-n", "brief")
    lab.kubectl("delete", "namespace", "brief", "--timeout=20s")
    names = [one.metadata.name for one in lab.core.list_namespace().items]
    assert "brief" not in names
    said = lab.kubectl("create", "configmap", "x", "-n", "brief", fails=True)
    assert 'namespaces "brief" not found' in said


def test_who_has_no_token_is_not_let_in(lab):
    said = lab.kubectl("get", "pods", "--token=nonsense", fails=True)
    assert "You must be logged in to the server" in said


def test_a_quota_refuses_what_is_too_much(lab):
    lab.kubectl("create", "namespace", "small")
    lab.kubectl("create", "quota", "few", "--hard=pods=1,requests.cpu=1", "-n", "small")
    pod = lab.pod("one", "import time;time.sleep(60)")
    said = lab.kubectl("apply", "-n", "small", "-f", "-", given=json.dumps(pod), fails=True)
    assert "failed quota: few: must specify requests.cpu for: main" in said
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "400m"}}
    lab.kubectl("apply", "-n", "small", "-f", "-", given=json.dumps(pod))
    pod["metadata"]["name"] = "two"
    said = lab.kubectl("apply", "-n", "small", "-f", "-", given=json.dumps(pod), fails=True)
    assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in said
    until(
        lambda: lab.core.read_namespaced_resource_quota("few", "small").status.used["pods"] == "1"
    )
    lab.kubectl("delete", "namespace", "small", "--timeout=30s")
