"""What only the container runtime has: networks with doors, volumes, and an engine that may die."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from container_engine import BASE
from runs import BURN, TOUCH_MEMORY, Run, wait_until

from localcloud.runtimes import engine_client
from localcloud.runtimes.base import OUT_OF_MEMORY, CannotStart, Mount, Network
from localcloud.runtimes.engine import EngineRuntime
from localcloud.runtimes.process import ProcessRuntime

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


def network(address, *ports, reach=frozenset()):
    return Network(address, ports, lambda: set(reach))


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


def test_a_volume_is_shared_and_ends_with_its_sandbox(container_runtime):
    def mounts(read_only):
        return {"mounts": (Mount("shared", "/srv/data", read_only),)}

    write = "open('/srv/data/x', 'w').write('hi')"
    first = Run(container_runtime, write, **mounts(False))
    assert first.container.wait(20).code == 0
    read = "print(open('/srv/data/x').read())\nopen('/srv/data/y', 'w')"
    second = Run(container_runtime, read, sandbox=first.sandbox, name="second", **mounts(True))
    assert second.container.wait(20).code == 1
    assert second.lines[0] == "hi"
    assert "Read-only file system" in second.lines[-1]
    first.sandbox.remove()
    assert container_runtime.client.volumes.list() == []


def test_settings_are_honoured(container_runtime, tmp_path):
    (tmp_path / "given").write_text("of this machine")
    code = (
        "import os, resource\n"
        "print(os.getuid(), open('/given').read(), resource.getrlimit(resource.RLIMIT_NOFILE))\n"
        "open('/etc/x', 'w')"
    )
    run = Run(
        container_runtime,
        code,
        mounts=(Mount(str(tmp_path / "given"), "/given", read_only=True),),
        settings={
            "user": "nobody",
            "read_only": True,
            "ulimits": [
                {"name": "nofile", "soft": 100, "hard": 200},
                {"name": "nproc", "soft": 500, "hard": 500},
            ],
        },
    )
    run.end()
    assert run.lines[0] == "65534 of this machine (100, 200)"
    assert "Read-only file system" in run.lines[-1]


def test_an_unknown_user_is_said(container_runtime):
    with pytest.raises(CannotStart, match="unable to find user ghost"):
        Run(container_runtime, "", settings={"user": "ghost"})


def test_process_one_is_deaf_to_sigterm_unless_it_listens(container_runtime):
    code = "import time; print('up'); time.sleep(60)"
    run = Run(container_runtime, code, stop_timeout=0.5)
    run.wait_for("up")
    run.container.stop()
    assert run.end().code == 137


def test_an_engine_whose_groups_we_cannot_make(engine, tmp_path):
    """Then each container has the limits for itself, and this machine's network."""
    found = engine_client.look(engine.address)
    far = engine_client.Engine(found.address, found.name, groups=False, here=False)
    runtime = EngineRuntime(tmp_path, far)
    own = network("127.45.1.8")
    run = Run(runtime, TOUCH_MEMORY.format(300), memory=256, network=own)
    assert run.end().reason == OUT_OF_MEMORY
    code = "import time\nbegan = time.monotonic()\n" + BURN.format(0.5)
    run = Run(runtime, code + "print(time.monotonic() - began)", cpu=0.25)
    assert run.end().code == 0
    assert 0.5 / float(run.lines[0]) < 0.4
    run = Run(runtime, TOUCH_MEMORY.format(100) + "import time; time.sleep(5)", memory=256)
    wait_until(lambda: run.sandbox.usage().memory_peak_bytes > 100 << 20)
    assert run.end().code == 0
    runtime.close()


STARTER = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from localcloud.runtimes import engine_client
from localcloud.runtimes.base import Mount, Network
from localcloud.runtimes.engine import EngineRuntime
from localcloud.runtimes.process import ProcessRuntime
from runs import Run
runtime = EngineRuntime(Path({root!r}), engine_client.look({address!r}))
run = Run(runtime, "import time; print('up'); time.sleep(600)",
          network=Network("127.45.1.9", (), set), mounts=(Mount("shared", "/data"),))
run.wait_for("up")
print(run.container.pid, flush=True)
time.sleep(600)
"""


def killed_server(engine, root):
    """The process of a container whose server was killed."""
    code = STARTER.format(path=sys.path, root=str(root), address=engine.address)
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with server.stdout:
        pid = int(server.stdout.readline())
    server.kill()
    server.wait()
    assert not _has_ended(pid)
    return pid


def test_what_a_killed_server_left_is_swept(engine, tmp_path):
    pid = killed_server(engine, tmp_path)
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    runtime.sweep()
    assert _has_ended(pid)
    assert runtime.client.containers.list(all=True) == []
    assert runtime.client.volumes.list() == []
    assert list(tmp_path.iterdir()) == []
    runtime.close()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{runtime.home}"))


def test_a_server_that_goes_on_with_processes_ends_them_too(engine, tmp_path):
    pid = killed_server(engine, tmp_path)
    processes = ProcessRuntime(tmp_path)
    processes.sweep()
    wait_until(lambda: _has_ended(pid))
    processes.close()
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    runtime.sweep()
    runtime.close()


def _has_ended(pid):
    """Also as a zombie that nobody has asked about yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_engine_that_comes_back_loses_no_line(engine, tmp_path):
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    code = "import time\nfor i in range(40): print(i); time.sleep(0.1)\nexit(6)"
    run = Run(runtime, code)
    run.wait_for("5")
    engine.kill()
    time.sleep(0.5)
    engine.start()
    assert run.end(60).code == 6
    assert run.lines == [str(number) for number in range(40)]
    runtime.close()


def test_an_engine_that_stays_away_takes_its_containers_along(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("localcloud.runtimes.engine_container.PATIENCE_SECONDS", 1.0)
    runtime = EngineRuntime(tmp_path, engine_client.look(engine.address))
    run = Run(runtime, "import time; print('up'); time.sleep(600)")
    run.wait_for("up")
    engine.kill()
    try:
        status = run.container.wait(30)
        assert status.code == 137
        assert "engine stopped answering" in status.reason
        wait_until(lambda: _has_ended(run.container.pid))
        run.sandbox.remove()
        with pytest.raises(OSError, match="does not answer: start it again"):
            runtime.find_image(BASE)
    finally:
        engine.start()
    runtime.sweep()
    assert runtime.client.containers.list(all=True) == []
    runtime.close()


def test_the_program_that_holds_a_network_for_the_other_architecture(tmp_path):
    """Both programs wait until they are killed; the foreign one runs where its emulator is."""
    emulators = {"x86_64": None, "aarch64": "qemu-aarch64-static"}
    for machine, emulator in emulators.items():
        file = tmp_path / machine
        file.write_bytes(engine_client._elf(*engine_client.PAUSE_CODE[machine]))
        file.chmod(0o755)
        command = [str(file)] if machine == os.uname().machine else [emulator, str(file)]
        try:
            process = subprocess.Popen(command)
        except OSError:
            continue
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
