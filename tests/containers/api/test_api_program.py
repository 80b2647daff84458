"""`python -m api` as a process: starts without data, finds it later, stops at once."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest
from api_support import CONTAINER, flight


def settings(endpoint, bucket, **more):
    return {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LAKE_BUCKET": bucket,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "PYTHONUNBUFFERED": "1",
    } | more


@contextmanager
def running(environment):
    """The program, once it has said where it listens; and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api"],
        cwd=CONTAINER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for line in process.stdout:
            if match := re.search(r"listening on (\S+)", line):
                yield process, match[1]
                break
        else:
            pytest.fail("the API ended before it listened")
    finally:
        process.kill()
        process.communicate()


def health(url, until, seconds=20):
    """Ask until `until(answer)` holds, and return that answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = httpx.get(f"{url}/healthz")
            if until(answer):
                return answer
            last = answer.text
        except httpx.TransportError as error:
            last = repr(error)
        assert time.monotonic() < deadline, last
        time.sleep(0.1)


def test_it_waits_for_data_serves_it_and_stops_when_told(bucket, s3_endpoint, tmp_path):
    environment = settings(s3_endpoint, bucket.name, TMPDIR=str(tmp_path))
    with running(environment) as (process, url):
        empty = health(url, lambda answer: "no published month" in answer.text)
        assert empty.status_code == 503
        bucket.publish("2013-01", [flight()])
        served = health(url, lambda answer: answer.status_code == 200)
        assert served.json()["rows"] == 1
        assert len(httpx.get(f"{url}/flights").json()["items"]) == 1
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143
        assert time.monotonic() - started < 5
        assert "Traceback" not in process.stdout.read()
    assert list(tmp_path.iterdir()) == []


def test_answers_are_sent_without_waiting_for_acknowledgements(bucket, s3_endpoint):
    bucket.publish("2013-01", [flight()])
    with running(settings(s3_endpoint, bucket.name)) as (_, url), httpx.Client() as client:
        health(url, lambda answer: answer.status_code == 200)
        seconds = []
        for _ in range(20):
            started = time.perf_counter()
            client.get(f"{url}/healthz")
            seconds.append(time.perf_counter() - started)
        # Nagle's algorithm would make it 0.04 s nearly each time, on any machine.
        assert min(seconds) < 0.03


def test_it_survives_an_s3_that_is_down_or_has_no_such_bucket(s3_endpoint):
    for endpoint, reason in (
        ("http://127.0.0.1:9", "Could not connect"),
        (s3_endpoint, "NoSuchBucket"),
    ):
        with running(settings(endpoint, "no-such-bucket")) as (process, url):
            answer = health(url, lambda answer, reason=reason: reason in answer.text)
            assert answer.status_code == 503
            assert "s3://no-such-bucket" in answer.json()["detail"]
            assert process.poll() is None


def test_check_tells_whether_it_answers(bucket, s3_endpoint):
    def check(port):
        environment = settings(s3_endpoint, bucket.name, PORT=port)
        command = [sys.executable, "-m", "api", "check"]
        return subprocess.run(command, cwd=CONTAINER, env=environment, capture_output=True)

    with running(settings(s3_endpoint, bucket.name)) as (_, url):
        port = url.rsplit(":", 1)[1]
        assert check(port).returncode == 0
    dead = check(port)
    assert dead.returncode == 1
    assert dead.stderr.startswith(b"api: no answer")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"LAKE_BUCKET": ""}, "LAKE_BUCKET is not set"),
        ({"PORT": "http"}, "PORT is 'http'"),
        ({"PORT": "70000"}, "PORT is '70000'"),
    ],
)
def test_a_wrong_setting_is_one_line_and_code_2(change, says):
    environment = settings("http://127.0.0.1:9", "lake") | change
    done = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=CONTAINER,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_taken_port_is_one_line_and_code_3():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "api"],
            cwd=CONTAINER,
            env=settings("http://127.0.0.1:9", "lake", PORT=port),
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stderr) == (
        3,
        f"api: cannot listen on 127.0.0.1:{port} (HOST, PORT): Address already in use\n",
    )


def test_the_image_installs_the_locked_versions():
    lock = (CONTAINER.parents[2] / "requirements.lock").read_text()
    pins = re.findall(r"^\S+==\S+$", (CONTAINER / "requirements.txt").read_text(), re.MULTILINE)
    assert pins
    missing = [pin for pin in pins if not re.search(rf"^{re.escape(pin)}\b", lock, re.MULTILINE)]
    assert missing == []
