"""The local cloud as a background process: found, started once, repaired, stopped for good."""

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError
from live import client, kill, processes_of, wait_for

from drydock import cloud, processes

LIB = Path(cloud.__file__).parents[1]
START = "from drydock import cloud; print(cloud.start({!r}, port=0).pid)"


def start_elsewhere(home):
    """Start it from a process of its own, as another notebook would; its pid."""
    done = subprocess.run(
        [sys.executable, "-c", START.format(str(home))], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.fixture
def taken_port():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        yield stranger.getsockname()[1]


def test_one_server_survives_who_started_it_and_leaves_nothing_when_stopped(home):
    assert cloud.status(home) is None
    with ThreadPoolExecutor() as pool:
        pids = set(pool.map(start_elsewhere, [home] * 3))
    assert len(pids) == 1, "three starts at once gave more than one server"
    info = cloud.start(home)
    assert (info.pid, info.started, info.home) == (*pids, False, home)
    assert cloud.status(home) == info
    client(info, "s3").create_bucket(Bucket="here")
    assert any("running at http://127.0.0.1" in line for line in cloud.status_lines(home))

    assert cloud.stop(home) is True
    assert processes_of(home) == []
    assert not (home / "server.json").exists()
    assert cloud.stop(home) is False
    assert "not running" in cloud.status_lines(home)[0]


def test_a_killed_server_is_started_again_with_a_message(home):
    first = cloud.start(home, port=0)
    kill(first)
    assert cloud.status(home) is None
    again = cloud.start(home, port=0)
    assert again.started
    assert again.messages == [
        f"The last local cloud (pid {first.pid}) was killed: started again from what it had saved"
    ]


def test_a_server_that_is_older_than_its_code_is_said(home, monkeypatch):
    cloud.start(home, port=0)
    record = processes.read_record(home)
    newest = max(file.stat().st_mtime for file in (LIB / "localcloud").rglob("*.py"))
    assert not processes.is_older_than_its_code(record | {"started": newest + 1})
    monkeypatch.setattr(processes, "read_record", lambda folder: record | {"started": newest - 1})
    (said,) = cloud.start(home).messages
    assert "older code" in said and "`drydock down`" in said
    assert said in cloud.status_lines(home)


def test_up_that_is_interrupted_while_the_server_starts_leaves_nothing(home):
    up = subprocess.Popen(
        [sys.executable, "-m", "drydock.cli", "up"],
        env=os.environ | {"DRYDOCK_HOME": str(home), "DRYDOCK_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: (home / "server.log").exists(), "the server's start")
    up.send_signal(signal.SIGINT)
    out, errors = up.communicate(timeout=60)
    assert (up.returncode, out) == (130, "")
    assert errors == "drydock: interrupted; type the command again to go on\n"
    assert processes_of(home) == []
    assert cloud.status(home) is None
    assert cloud.start(home, port=0).started


def test_an_interrupt_just_as_the_server_begins_leaves_nothing_either(home, monkeypatch):
    begin = subprocess.Popen

    def begin_and_interrupt(*what, **how):
        begun = begin(*what, **how)
        signal.raise_signal(signal.SIGINT)
        return begun

    monkeypatch.setattr(cloud.subprocess, "Popen", begin_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        cloud.start(home, port=0)
    assert processes_of(home) == []
    monkeypatch.undo()
    assert cloud.start(home, port=0).started


def test_a_size_is_told_although_files_come_and_go(home):
    (home / "state").mkdir()
    (home / "state" / "kept").write_bytes(b"x" * 2_000_000)
    listed = os.walk

    def walk(folder):
        for where, folders, names in listed(folder):
            yield where, folders, [*names, "gone-since-it-was-listed"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "walk", walk)
        lines = cloud.status_lines(home)
    assert any(line.startswith("     2.0 MB  state:") for line in lines)


@pytest.mark.parametrize("content", ['{"pid": 1', "", "[]", "7", '{"pid": 1}'])
def test_a_half_written_record_is_no_record(home, content):
    (home / "server.json").write_text(content)
    assert cloud.status(home) is None
    assert processes.read_record(home) is None


def test_a_half_written_record_is_repaired(home):
    (home / "server.json").write_text('{"pid": 1')
    info = cloud.start(home, port=0)
    assert info.started
    assert "its server.json is unreadable" in info.messages[0]
    assert json.loads((home / "server.json").read_text())["pid"] == info.pid


def test_a_stranger_with_the_dead_servers_pid_is_left_alone(home):
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        record = {"pid": stranger.pid, "started": 1.0, "port": 1, "endpoint": "e", "home": "h"}
        (home / "server.json").write_text(json.dumps(record))
        assert cloud.status(home) is None
        assert cloud.start(home, port=0).started
        assert cloud.stop(home)
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")


def test_a_lost_record_or_a_hung_server_is_said_and_stopped(home):
    info = cloud.start(home, port=0)
    (home / "server.json").unlink()
    with pytest.raises(cloud.CloudError, match=rf"pid {info.pid}\) does not answer: type `drydock"):
        cloud.start(home)
    assert cloud.stop(home)
    assert not psutil.pid_exists(info.pid) or processes_of(home) == []


def test_a_taken_port_is_an_error_when_asked_for_and_a_message_when_not(
    home, taken_port, monkeypatch
):
    with pytest.raises(cloud.CloudError, match=rf"Cannot listen on 127.0.0.1:{taken_port} .*held"):
        cloud.start(home, port=taken_port)
    monkeypatch.setenv("DRYDOCK_PORT", str(taken_port))
    with pytest.raises(cloud.CloudError, match=f"pid {os.getpid()}.*DRYDOCK_PORT"):
        cloud.start(home)
    monkeypatch.delenv("DRYDOCK_PORT")
    monkeypatch.setattr(cloud, "PORT", taken_port)
    info = cloud.start(home)
    assert info.port != taken_port
    assert info.messages[0].startswith(f"Port {taken_port} is taken (held by ")
    assert info.messages[0].endswith(f"listens on {info.port} instead")


@pytest.mark.parametrize("value", ["http", "-1", "70000"])
def test_a_port_that_is_none(home, monkeypatch, value):
    monkeypatch.setenv("DRYDOCK_PORT", value)
    with pytest.raises(cloud.CloudError, match=f"DRYDOCK_PORT={value} is not a port"):
        cloud.start(home)


def test_a_home_that_cannot_be_made(home):
    (home / "file").write_text("")
    with pytest.raises(cloud.CloudError, match=r"Not a directory.*set DRYDOCK_HOME"):
        cloud.start(home / "file" / "home")


def test_where_home_is(monkeypatch, tmp_path):
    monkeypatch.setenv("DRYDOCK_HOME", str(tmp_path))
    assert cloud.home_path() == tmp_path
    assert cloud.home_path("/elsewhere").as_posix() == "/elsewhere"
    monkeypatch.delenv("DRYDOCK_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert cloud.home_path().as_posix() == "/var/lib/drydock"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert cloud.home_path().name == "drydock"
    assert cloud.home_path().as_posix() != "/var/lib/drydock"


def test_the_shell_gets_what_an_sdk_needs(cloud):
    from drydock.cloud import shell_lines

    script = "\n".join([*shell_lines(cloud), "env"])
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert f"AWS_ENDPOINT_URL={cloud.endpoint}\n" in said
    assert "AWS_ACCESS_KEY_ID=drydock\n" in said
    assert "AWS_PROFILE" not in said


def test_a_server_killed_while_it_saves_is_only_behind_by_what_was_not_acknowledged(home):
    info = cloud.start(home, port=0)
    s3 = client(info, "s3")
    s3.create_bucket(Bucket="many")
    acknowledged = []

    def put(number):
        try:
            s3.put_object(Bucket="many", Key=f"{number:04}", Body=str(number).encode())
            acknowledged.append(number)
        except Exception:
            return

    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(put, number) for number in range(300)]
        pending[100].result()
        kill(info)
    s3 = client(cloud.start(home, port=0), "s3")
    for number in acknowledged:
        got = s3.get_object(Bucket="many", Key=f"{number:04}")["Body"].read()
        assert got == str(number).encode()


@pytest.fixture
def small_disk(home):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to fill")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0711", "tmpfs", home], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    yield home
    cloud.stop(home)
    # What a killed process held stays busy until the kernel has taken the process apart.
    wait_for(lambda: subprocess.run(["umount", home]).returncode == 0, "the disk to be free")


def test_a_full_disk_is_said_and_harms_nothing(small_disk):
    info = cloud.start(small_disk, port=0)
    s3 = client(info, "s3")
    s3.create_bucket(Bucket="full")
    s3.put_object(Bucket="full", Key="fits", Body=b"x" * 1000)
    with pytest.raises(ClientError, match="No space left on the disk") as refused:
        s3.put_object(Bucket="full", Key="does-not", Body=os.urandom(9 << 20))
    assert refused.value.response["Error"]["Code"] == "InsufficientStorage"
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(ClientError, match="No space left on the disk"):
        for number in range(200):
            client(info, "secretsmanager").create_secret(
                Name=f"s{number}", SecretString="x" * 60000
            )
    filler.unlink()
    s3.put_object(Bucket="full", Key="fits-again", Body=b"y")
    cloud.stop(small_disk)
    s3 = client(cloud.start(small_disk, port=0), "s3")
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket="full")["Contents"]]
    assert listed == ["fits", "fits-again"]
    assert s3.get_object(Bucket="full", Key="fits")["Body"].read() == b"x" * 1000
