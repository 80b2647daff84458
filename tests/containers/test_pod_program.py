"""The program of lesson 4, run as its image's entry point runs it."""

import http.client
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

PROGRAM = Path(__file__).parents[2] / "lib" / "containers" / "pod" / "pod.py"


@contextmanager
def started(*words, **variables):
    """The program while it runs."""
    keys = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**keys, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **variables},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def address():
    """A loopback address of this test's own: the port is always 8000."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    return f"127.88.{number // 256}.{number % 254 + 1}"


@contextmanager
def serving(address, milliseconds):
    with started("serve", milliseconds, HOST=address) as process:
        assert process.stdout.readline() == f"{milliseconds} ms of CPU for each request\n"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as door:
                if not door.connect_ex((address, 8000)):
                    break
            time.sleep(0.02)
        yield process


def ask(address, path="/"):
    connection = http.client.HTTPConnection(address, 8000, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def cpu(process):
    used = psutil.Process(process.pid).cpu_times()
    return used.user + used.system


def test_a_request_costs_its_cpu_time_and_a_health_check_does_not(address):
    with serving(address, "200") as process:
        before = cpu(process)
        assert [ask(address, "/healthz") for _ in range(3)] == [(200, b"well\n")] * 3
        between = cpu(process)
        assert [ask(address) for _ in range(3)] == [(200, b"done\n")] * 3
        assert between - before < 0.2
        assert cpu(process) - between >= 0.55  # 0.6 s, read in hundredths


def test_the_caller_sends_its_rate_and_not_more():
    came = []

    class Counter(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            came.append(time.monotonic())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = {"WORK_ER_SERVICE_HOST": "127.0.0.1", "WORK_ER_SERVICE_PORT": str(server.server_port)}
    with started("call", "work-er", "20", **names) as caller:
        assert caller.stdout.readline() == "20 requests a second to work-er\n"
        deadline = time.monotonic() + 60
        while len(came) < 30 and time.monotonic() < deadline:
            time.sleep(0.05)
    server.shutdown()
    server.server_close()
    assert len(came) >= 30
    # Each tick is 50 ms after the one before; some may have waited for a worker or a core.
    assert came[-1] - came[0] > (len(came) - 1 - 8) * 0.05 * 0.8


def test_without_a_role_it_says_so():
    with started("whoami") as process:
        assert process.communicate(timeout=30)[0] == "no credentials\n"
    with started("read", "bucket", "key") as process:
        assert process.communicate(timeout=30)[0] == "read key: no credentials\n"
        assert process.returncode == 1


def test_unknown_words_say_what_it_can_do():
    with started("sing") as process:
        _, said = process.communicate(timeout=20)
    assert "pod.py whoami" in said and "Traceback" not in said
    assert process.returncode == 2


def test_sigterm_ends_it(address):
    with serving(address, "1") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 143
