"""Networks of the container runtime: what has a door can be reached, and nothing else."""

import http.server
import socket
import threading
import urllib.error
import urllib.request

import pytest
from runs import Run, network, wait_until

from localcloud.runtimes.base import Network

FETCH = "import urllib.request\nprint(urllib.request.urlopen('{}', timeout=3).read().decode())\n"
SERVE = (
    "import http.server\n"
    "class Hello(http.server.BaseHTTPRequestHandler):\n"
    "  def do_GET(self):\n"
    "    self.send_response(200); self.end_headers(); self.wfile.write(b'hello ' * 200_000)\n"
    "print('up')\n"
    "http.server.HTTPServer(('0.0.0.0', 8000), Hello).serve_forever()\n"
)


class Greeting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"good day")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def greeter():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Greeting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address
    server.shutdown()
    server.server_close()


def test_only_what_may_be_reached_is(container_runtime, greeter):
    at = f"http://127.0.0.1:{greeter[1]}/"
    own = network("127.45.1.1", reach={greeter})
    allowed = Run(container_runtime, FETCH.format(at), network=own)
    assert allowed.end().code == 0
    assert allowed.lines == ["good day"]
    refused = Run(container_runtime, FETCH.format(at), network=network("127.45.1.2"))
    assert refused.end().code == 1
    assert any("Connection refused" in line for line in refused.lines)


def test_nothing_but_loopback_is_there(container_runtime):
    code = "import os, socket; print(os.listdir('/sys/class/net'))\n"
    code += "socket.create_connection(('192.0.2.1', 80), 2)"
    run = Run(container_runtime, code, network=network("127.45.1.3"))
    run.end()
    assert run.lines[0] == "['lo']"
    assert "unreachable" in run.lines[-1]


def test_what_may_be_reached_can_change(container_runtime, greeter):
    places = set()
    own = Network("127.45.1.4", (), lambda: set(places))
    code = (
        "import time, urllib.request\n"
        "def state():\n"
        f"  try: urllib.request.urlopen('http://127.0.0.1:{greeter[1]}/', timeout=3)\n"
        "  except OSError: return 'closed'\n"
        "  return 'open'\n"
        "last = None\n"
        "while True:\n"
        "  if (now := state()) != last: print(now)\n"
        "  last = now; time.sleep(0.1)\n"
    )
    run = Run(container_runtime, code, network=own)
    run.wait_for("closed")
    places.add(greeter)
    run.wait_for("open")
    places.clear()
    wait_until(lambda: run.lines == ["closed", "open", "closed"])
    run.container.kill()
    run.end()


def test_whose_connection_it_is_can_be_asked(container_runtime, greeter):
    seen = []

    class Asking(Greeting):
        def do_GET(self):
            seen.append(container_runtime.sandbox_of(self.client_address[1]))
            super().do_GET()

    server = http.server.HTTPServer(("127.0.0.1", 0), Asking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}/"
    own = network("127.45.1.5", reach={server.server_address})
    run = Run(container_runtime, FETCH.format(at), network=own)
    run.end()
    server.shutdown()
    server.server_close()
    assert seen == [run.sandbox.name]
    assert container_runtime.sandbox_of(1) is None


def test_a_port_of_the_sandbox_is_served_at_its_address(container_runtime):
    run = Run(container_runtime, SERVE, network=network("127.45.1.6", 8000))
    run.wait_for("up")
    wait_until(lambda: _size("http://127.45.1.6:8000/") == 1_200_000)
    run.container.kill()
    run.end()
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen("http://127.45.1.6:8000/", timeout=3)


def _size(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return len(answer.read())
    except OSError:
        return None


def test_containers_of_a_sandbox_share_its_network(container_runtime):
    first = Run(container_runtime, SERVE, network=network("127.45.1.7"))
    first.wait_for("up")
    code = "import time; time.sleep(0.5)\n" + FETCH.format("http://127.0.0.1:8000/")
    second = Run(container_runtime, code, sandbox=first.sandbox, name="second")
    assert second.container.wait(20).code == 0
    first.sandbox.remove()


def test_two_sandboxes_may_use_the_same_port(container_runtime):
    runs = [
        Run(container_runtime, SERVE, network=network(f"127.45.2.{number}", 8000))
        for number in (1, 2)
    ]
    for number, run in enumerate(runs, 1):
        run.wait_for("up")
        wait_until(lambda at=f"http://127.45.2.{number}:8000/": _size(at))
    for run in runs:
        run.sandbox.remove()


def test_a_port_that_another_door_leads_out_to_stays_free_for_two_tasks_of_one_group(
    container_runtime,
):
    """Both serve port 8000 on every address, and each may reach the other's."""
    addresses = ["127.45.3.1", "127.45.3.2"]
    runs = [
        Run(
            container_runtime,
            SERVE,
            network=network(address, 8000, reach={(other, 8000)}),
        )
        for address, other in zip(addresses, reversed(addresses), strict=True)
    ]
    for address, run in zip(addresses, runs, strict=True):
        run.wait_for("up")
        wait_until(lambda at=f"http://{address}:8000/": _size(at) == 1_200_000)
    for run in runs:
        run.sandbox.remove()


def test_no_connection_is_remembered_when_it_is_over(container_runtime, greeter):
    """Refused, answered, or cut off while it is being made: nothing of it stays."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        closed = ("127.0.0.1", _unused_port())
        places = {greeter, closed, deaf.getsockname()}
        code = (
            "import socket, urllib.request\n"
            f"urllib.request.urlopen('http://127.0.0.1:{greeter[1]}/', timeout=3)\n"
            f"refused = socket.create_connection({closed}); refused.recv(1)\n"
        )
        code = code.replace("refused.recv(1)", "")
        code += f"open_ones = [socket.create_connection({deaf.getsockname()}) for _ in range(9)]\n"
        code += "print('up')\nimport time; time.sleep(600)\n"
        run = Run(container_runtime, code, network=network("127.45.1.10", reach=places))
        run.wait_for("up")
        run.sandbox.remove()
    assert container_runtime._doors.peers == {}


def _unused_port():
    with socket.create_server(("127.0.0.1", 0)) as passing:
        return passing.getsockname()[1]
