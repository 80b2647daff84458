"""Pods: where they are placed, and what their containers see, say and end with."""

import pytest
from eks_lab import until
from kubernetes.client import V1ConfigMap, V1ObjectMeta


def state(pod, number=0):
    return pod.status.container_statuses[number].state


def test_the_exit_code_and_the_lines_are_the_programs(lab):
    pod = lab.run(lab.pod("fails", "import sys; print('one'); print('two'); sys.exit(3)"))
    ended = state(pod).terminated
    assert (pod.status.phase, ended.exit_code, ended.reason) == ("Failed", 3, "Error")
    assert lab.log("fails") == "one\ntwo\n"
    assert lab.log("fails", tail_lines=1) == "two\n"


def test_too_much_memory_is_oomkilled(lab):
    code = "x = []\nwhile True: x.append(bytearray(10**6))"
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    pod = lab.run(lab.pod("hungry", code, container=limits))
    ended = state(pod).terminated
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")
    assert pod.status.qos_class == "Burstable"


def test_a_pod_too_large_says_why_it_waits(lab):
    requests = {"resources": {"requests": {"cpu": "64"}}}
    lab.core.create_namespaced_pod("default", lab.pod("large", "", container=requests))

    def refused():
        pod = lab.core.read_namespaced_pod("large", "default")
        found = [c for c in pod.status.conditions or [] if c.reason == "Unschedulable"]
        return found and found[0].message

    message = until(refused)
    assert message == (
        "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
        "2 No preemption victims found for incoming pod."
    )
    assert lab.events("large") == [("FailedScheduling", message)]
    lab.core.delete_namespaced_pod("large", "default")


def test_a_selector_that_no_node_has_says_so(lab):
    pod = lab.pod("picky", "", nodeSelector={"disk": "ssd"})
    lab.core.create_namespaced_pod("default", pod)
    events = until(lambda: lab.events("picky"))
    assert events[0][1] == (
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: "
        "0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    lab.core.delete_namespaced_pod("picky", "default")


def test_an_image_that_is_not_there_backs_off(lab):
    image = lab.image.replace("python", "nowhere")
    lab.core.create_namespaced_pod("default", lab.pod("no-image", "", container={"image": image}))

    def waits():
        found = lab.core.read_namespaced_pod("no-image", "default").status.container_statuses
        waiting = found and found[0].state.waiting
        return waiting if waiting and waiting.reason == "ImagePullBackOff" else None

    assert f'Back-off pulling image "{image}"' in until(waits).message
    assert "ErrImagePull" in str(lab.events("no-image"))
    lab.core.delete_namespaced_pod("no-image", "default", grace_period_seconds=0)


def test_a_crashing_container_backs_off_and_shows_its_last_run(lab):
    pod = lab.pod("crash", "import sys; print('boom'); sys.exit(1)", restart="Always")
    lab.core.create_namespaced_pod("default", pod)

    def backs_off():
        found = lab.core.read_namespaced_pod("crash", "default").status.container_statuses
        one = found and found[0]
        waits = one and one.state.waiting and one.state.waiting.reason == "CrashLoopBackOff"
        return one if waits and one.restart_count >= 1 else None

    status = until(backs_off)
    assert status.last_state.terminated.exit_code == 1
    assert "restarting failed container=main pod=crash_default" in status.state.waiting.message
    assert lab.log("crash") == "boom\n"
    assert lab.log("crash", previous=True) == "boom\n"
    assert ("BackOff") in [reason for reason, _ in lab.events("crash")]
    lab.core.delete_namespaced_pod("crash", "default", grace_period_seconds=0)


def test_settings_come_from_config_maps_volumes_and_the_pod(lab):
    made = V1ConfigMap(metadata=V1ObjectMeta(name="settings"), data={"LEVEL": "7", "a.txt": "hi"})
    lab.core.create_namespaced_config_map("default", made)
    code = (
        "import os\n"
        "print(os.environ['LEVEL'], os.environ['NAME'], os.environ['BOTH'], os.environ['CPU'])\n"
        "print(open(os.environ['FOLDER'] + '/a.txt').read())\n"
        "open(os.environ['SCRATCH'] + '/x', 'w').write('kept')"
    )
    container = {
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "env": [
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "BOTH", "value": "$(NAME)-$(LEVEL)-$(NONE)"},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "FOLDER", "value": "/etc/settings"},
            {"name": "SCRATCH", "value": "/scratch"},
        ],
        "resources": {"limits": {"cpu": "1"}},
        "volumeMounts": [
            {"name": "settings", "mountPath": "/etc/settings"},
            {"name": "scratch", "mountPath": "/scratch"},
        ],
    }
    first = {
        "name": "first",
        "image": lab.image,
        "args": ["import os; print('x' in os.listdir(os.environ['S']))"],
        "env": [{"name": "S", "value": "/scratch"}],
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
    }
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "scratch"}]
    pod = lab.pod("set-up", code, container=container, initContainers=[first], volumes=volumes)
    assert lab.run(pod).status.phase == "Succeeded"
    assert lab.log("set-up", container="main") == "7 set-up set-up-7-$(NONE) 1\nhi\n"
    assert lab.log("set-up", container="first") == "False\n"


def test_a_secret_that_is_missing_holds_the_container_up(lab):
    source = {"secretKeyRef": {"name": "later", "key": "word"}}
    container = {"env": [{"name": "WORD", "valueFrom": source}]}
    code = "import os; print(os.environ['WORD'])"
    lab.core.create_namespaced_pod("default", lab.pod("waits", code, container=container))

    def waiting():
        found = lab.core.read_namespaced_pod("waits", "default").status.container_statuses
        one = found and found[0].state.waiting
        return one if one and one.reason == "CreateContainerConfigError" else None

    assert until(waiting).message == 'secret "later" not found'
    lab.kubectl("create", "secret", "generic", "later", "--from-literal=word=hush")
    assert lab.wait_for_pod("waits", ("Succeeded", "Failed")).status.phase == "Succeeded"
    assert lab.log("waits") == "hush\n"


def test_a_failing_init_container_keeps_the_others_from_starting(lab):
    first = {"name": "first", "image": lab.image, "args": ["import sys; sys.exit(4)"]}
    pod = lab.run(lab.pod("half", "print('never')", initContainers=[first]))
    assert pod.status.phase == "Failed"
    assert pod.status.init_container_statuses[0].state.terminated.exit_code == 4
    assert state(pod).waiting.reason == "PodInitializing"


def test_deleting_gives_the_program_its_grace(lab):
    code = (
        "import signal, sys, time\n"
        "def stop(*_): print('bye', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    lab.run(lab.pod("polite", code, terminationGracePeriodSeconds=20), ("Running",))
    until(lambda: "up" in lab.log("polite"))
    follow = lab.core.read_namespaced_pod_log(
        "polite", "default", follow=True, _preload_content=False
    )
    lab.core.delete_namespaced_pod("polite", "default")
    assert follow.read().decode() == "up\nbye\n"
    names = lambda: [p.metadata.name for p in lab.core.list_namespaced_pod("default").items]  # noqa: E731
    until(lambda: "polite" not in names())
    assert ("Killing", "Stopping container main") in lab.events("polite")


@pytest.mark.parametrize("kind", ["livenessProbe", "readinessProbe"])
def test_a_failing_probe_acts(lab, kind):
    name = f"probed-{kind[:4]}"
    failing = {"exec": {"command": ["python", "-c", "raise SystemExit(1)"]}}
    probe = {**failing, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 10}
    pod = lab.pod(name, "import time; time.sleep(60)", restart="Always", container={kind: probe})
    lab.core.create_namespaced_pod("default", pod)
    until(lambda: "Unhealthy" in [reason for reason, _ in lab.events(name)])

    def status():
        found = lab.core.read_namespaced_pod(name, "default").status.container_statuses
        return found[0] if found else None

    if kind == "livenessProbe":
        until(lambda: status() and status().restart_count >= 1)
        assert "Container main failed liveness probe, will be restarted" in str(lab.events(name))
    else:
        until(lambda: status() and status().state.running)
        assert not status().ready and status().restart_count == 0
    lab.core.delete_namespaced_pod(name, "default", grace_period_seconds=0)
