"""`kubectl exec`, and the same from Python: streams, exit codes, what cannot be."""

import os
import pty
import subprocess

import pytest
from eks_lab import KUBECTL, until
from kubernetes.stream import stream

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def sleeper(lab):
    """A pod that waits, with a variable and a mounted ConfigMap."""
    lab.core.create_namespaced_config_map(
        "default", {"metadata": {"name": "given"}, "data": {"a.txt": "hello"}}
    )
    container = {
        "env": [{"name": "COLOUR", "value": "green"}],
        "volumeMounts": [{"name": "given", "mountPath": "/etc/given"}],
    }
    volumes = [{"name": "given", "configMap": {"name": "given"}}]
    lab.run(lab.pod("sleeper", SLEEPS, container=container, volumes=volumes), ("Running",))
    until(lambda: "up" in lab.log("sleeper"))
    yield "sleeper"
    lab.core.delete_namespaced_pod("sleeper", "default", grace_period_seconds=0)


def run(lab, *words, given=None):
    environment = {**os.environ, "KUBECONFIG": str(lab.config), "HOME": str(lab.folder)}
    return subprocess.run(
        [str(KUBECTL), "exec", *words],
        input=given,
        capture_output=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_a_command_sees_the_container_and_its_streams_are_apart(lab, sleeper):
    code = "import os, sys; print(os.environ['COLOUR']); print('to err', file=sys.stderr)"
    done = run(lab, sleeper, "--", "python", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"green\n", b"to err\n")
    assert run(lab, sleeper, "--", "cat", "/etc/given/a.txt").stdout == b"hello"


def test_the_exit_code_comes_back(lab, sleeper):
    done = run(lab, sleeper, "--", "sh", "-c", "exit 7")
    assert done.returncode == 7
    assert b"command terminated with exit code 7" in done.stderr


def test_what_is_typed_goes_in_and_its_end_too(lab, sleeper):
    given = b"".join(b"line %d\n" % number for number in range(50_000))
    done = run(lab, "-i", sleeper, "--", "sort", "-r", given=given)
    assert done.returncode == 0
    assert done.stdout == b"".join(sorted(given.splitlines(keepends=True), reverse=True))


def test_a_terminal_is_one(lab, sleeper):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "KUBECONFIG": str(lab.config), "HOME": str(lab.folder)}
    words = [str(KUBECTL), "exec", "-it", sleeper, "--", "sh", "-c"]
    words.append("test -t 0 && test -t 1 && echo a terminal; read answer; echo got $answer")
    process = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    while b"a terminal" not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"blue\n")
    while b"got blue" not in shown:
        shown += os.read(ours, 1000)
    assert process.wait(30) == 0
    os.close(ours)


def test_what_cannot_be_executed_is_said(lab, sleeper):
    done = run(lab, sleeper, "--", "no-such-program")
    assert done.returncode == 1
    assert b'exec: "no-such-program": executable file not found in $PATH' in done.stderr
    done = run(lab, sleeper, "-c", "other", "--", "true")
    assert b"container other is not valid for pod sleeper" in done.stderr or (
        b"container other not found in pod sleeper" in done.stderr
    )


def test_the_python_client_executes_too(lab, sleeper):
    said = stream(
        lab.core.connect_get_namespaced_pod_exec,
        sleeper,
        "default",
        command=["echo", "from", "python"],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
    )
    assert said == "from python\n"


def test_a_pod_that_has_ended_is_refused(lab):
    lab.run(lab.pod("ended", "print('over')"))
    done = run(lab, "ended", "--", "true")
    assert done.returncode == 1
    assert b"cannot exec into a container in a completed pod" in done.stderr


def test_what_a_client_leaves_behind_is_killed(lab, sleeper):
    environment = {**os.environ, "KUBECONFIG": str(lab.config), "HOME": str(lab.folder)}
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    process = subprocess.Popen(
        [str(KUBECTL), "exec", sleeper, "--", "python", "-c", code],
        stdout=subprocess.PIPE,
        env=environment,
    )
    number = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not os.path.exists(f"/proc/{number}"))
