"""The server as a process and as an HTTP server."""

import http.client
import ipaddress
import json
import os
import signal
import subprocess
import sys
import urllib.request

import psutil
import pytest
from botocore.exceptions import ClientError
from live import client, wait_for


@pytest.fixture
def connection(cloud):
    opened = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)
    yield opened
    opened.close()


def serve(home, *more):
    command = [sys.executable, "-m", "localcloud", "serve", "--home", str(home), "--port", "0"]
    return subprocess.Popen([*command, *more], stderr=subprocess.PIPE, text=True)


def test_health(cloud, connection):
    connection.request("GET", "/_localcloud/health")
    said = json.load(connection.getresponse())
    assert said["status"] == "ok"
    assert said["pid"] == cloud.pid
    assert said["home"] == str(cloud.home)


def test_it_listens_on_loopback_only(cloud):
    sockets = psutil.Process(cloud.pid).net_connections("tcp")
    addresses = {s.laddr.ip for s in sockets if s.status == "LISTEN"}
    assert "127.0.0.1" in addresses
    # Balancers and databases have loopback addresses of their own.
    assert all(ipaddress.ip_address(address).is_loopback for address in addresses)


def test_a_connection_stays_open_whatever_the_last_request_left_unread(cloud, connection):
    connection.connect()
    first = connection.sock.getsockname()
    for method, path, body in (
        ("POST", "/_localcloud/health", b"nobody reads this"),
        ("GET", "/_localcloud/health", None),
        ("HEAD", "/no-such-bucket", None),
        ("PUT", "/no-such-bucket/key", b"x" * 100_000),
        ("GET", "/_localcloud/health", None),
    ):
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        content = answer.read()
        assert connection.sock.getsockname() == first
    assert json.loads(content)["status"] == "ok"


def test_a_body_of_unknown_length_arrives(cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="chunked")
    address = s3.generate_presigned_url("put_object", {"Bucket": "chunked", "Key": "k"})
    chunks = (part for part in (b"one ", b"two ", b"three"))
    headers = {"Content-Type": "text/plain"}
    urllib.request.urlopen(
        urllib.request.Request(address, data=chunks, method="PUT", headers=headers)
    )
    assert s3.get_object(Bucket="chunked", Key="k")["Body"].read() == b"one two three"
    assert s3.get_object(Bucket="chunked", Key="k", Range="bytes=4-6")["Body"].read() == b"two"


def test_a_name_with_an_underscore_keeps_its_metadata(cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="metadata")
    s3.put_object(Bucket="metadata", Key="k", Body=b"", Metadata={"run_id": "7"})
    assert s3.head_object(Bucket="metadata", Key="k")["Metadata"] == {"run_id": "7"}


def test_nonsense_is_refused_and_the_server_goes_on(cloud, connection):
    for headers in ({"Content-Length": "many"}, {"Authorization": "AWS4-HMAC-SHA256 nonsense"}):
        connection.putrequest("PUT", "/no-such-bucket/key")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status >= 400
        connection.close()
    with pytest.raises(ClientError, match="NoSuchBucket"):
        client(cloud, "s3").list_objects_v2(Bucket="no-such-bucket")


def test_what_a_person_set_for_aws_does_not_reach_the_server(home, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    server = serve(home)
    try:
        record = home / "server.json"
        wait_for(record.exists, "server.json")
        assert json.loads(record.read_text())["pid"] == server.pid
        second = serve(home)
        _, said = second.communicate(timeout=30)
        assert second.returncode == 1
        assert said == (
            f"localcloud: Another local cloud (pid {server.pid}) already serves {home}: "
            "`drydock down` stops it\n"
        )
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    assert said.startswith(f"Serving {home} at http://127.0.0.1:")
    assert len(said.splitlines()) == 1, "moto or a library of its printed something"
    assert not record.exists()


def test_a_privileged_port_is_said(home):
    if os.geteuid() == 0:
        pytest.skip("root may listen everywhere")
    server = serve(home, "--port", "1")
    _, said = server.communicate(timeout=30)
    assert "Cannot listen on 127.0.0.1:1 (Permission denied" in said
