"""Every HTTP door of the lab, told what two readers could understand in two ways, or too much."""

import base64
import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from doors import Door, request, tell
from fuzzed_lab import Lab
from live import client, temporary_home

from drydock import cloud

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d" % len(SECOND)
CHUNKED, END = b"Transfer-Encoding: chunked", b"0\r\n\r\n"
NAMES = ("server", "HTTP API", "REST API", "load balancer", "Kubernetes")

AMBIGUOUS = {
    "a length and chunks": ((b"Content-Length: 4", CHUNKED), END + SECOND),
    "two lengths": ((b"Content-Length: 0", LENGTH), SECOND),
    "a list of lengths": ((b"Content-Length: 0, 36",), SECOND),
    "a length with a sign": ((b"Content-Length: +0",), SECOND),
    "a length below zero": ((b"Content-Length: -1",), SECOND),
    "a length with an underscore": ((b"Content-Length: 1_0",), b"x" * 10 + SECOND),
    "a length in hexadecimal": ((b"Content-Length: 0x0",), SECOND),
    "a length in other digits": (("Content-Length: ²".encode(),), SECOND),
    "a coding that nobody knows": ((b"Transfer-Encoding: xchunked",), END + SECOND),
    "two codings": ((CHUNKED, b"Transfer-Encoding: identity"), END + SECOND),
    "a space before the colon": ((b"Transfer-Encoding : chunked",), END + SECOND),
    "a folded header": ((b"X: a", b" Content-Length: 36"), SECOND),
    "a folded coding": ((b"Transfer-Encoding:", b" chunked"), END + SECOND),
    "a bare LF": ((b"X: a\n" + LENGTH,), SECOND),
    "a bare CR": ((b"X: a\r" + LENGTH,), SECOND),
    "a NUL": ((b"X: a\0b",), b""),
    "a header without a colon": ((b"nonsense",), b""),
    "two hosts": ((b"Host: other",), b""),
    "a chunk of no size": ((CHUNKED,), b"zz\r\n\r\n" + SECOND),
    "a chunk of less than nothing": ((CHUNKED,), b"-1\r\n\r\n" + SECOND),
    "a chunk that is too long": ((CHUNKED,), b"1\r\naX0\r\n\r\n" + SECOND),
}
TOO_MUCH = {
    "a long header": (b"X: " + b"a" * 200_000,),
    "many headers": tuple(b"X-%d: 1" % number for number in range(2000)),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with temporary_home() as home:
        yield Lab(cloud.start(home, port=0), ("eks", "apigateway", "apigatewayv2", "elbv2"))


@pytest.fixture(scope="module")
def doors(lab) -> dict[str, Door]:
    def door(name: str, address: str, path: str) -> Door:
        parts = urlsplit(address)
        tls = parts.scheme == "https"
        return Door(name, parts.hostname, parts.port or (443 if tls else 80), path, tls)

    [api] = client(lab.info, "apigateway").get_rest_apis()["items"]
    [balancer] = client(lab.info, "elbv2").describe_load_balancers()["LoadBalancers"]
    cluster = client(lab.info, "eks").describe_cluster(name="kept")["cluster"]
    found = (
        door("server", lab.info.endpoint, "/_localcloud/health"),
        door("HTTP API", lab.http, "/kept"),
        door("REST API", api["tags"]["localcloud:endpoint"], "/none"),
        door("load balancer", f"http://{balancer['DNSName']}", "/"),
        door("Kubernetes", cluster["endpoint"], "/version"),
    )
    return {one.name: one for one in found}


@pytest.fixture(params=NAMES)
def one(request, doors) -> Door:
    return doors[request.param]


def test_what_is_ambiguous_is_refused_and_nothing_after_it_is_answered(one):
    for what, (lines, body) in AMBIGUOUS.items():
        said = tell(one, request(one, *lines, body=body))
        assert said.statuses in ((400,), (501,)), (what, said)
        assert said.closed, what


def test_what_is_too_much_is_refused(one):
    for what, lines in TOO_MUCH.items():
        said = tell(one, request(one, *lines, verb=b"GET"))
        assert said.statuses in ((400,), (431,)), (what, said)
        assert said.closed, what
    said = tell(one, b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert said.statuses in ((400,), (414,)) and said.closed, said


@pytest.mark.parametrize("path", [b"/../../../../etc/passwd", b"/%2e%2e/%2e%2e/..%2f/etc/passwd"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "load balancer"])
def test_a_path_leads_nowhere_else(doors, name, path):
    """A load balancer only passes a path on."""
    one = doors[name]
    said = tell(one, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"root:" not in said.text
    [code] = said.statuses
    assert 400 <= code < 500


@pytest.mark.parametrize("name", ["server", "Kubernetes"])
def test_a_body_that_would_fill_the_memory_is_refused(doors, name):
    said = tell(doors[name], request(doors[name], b"Content-Length: 1000000000000000"))
    assert said.statuses == (413,) and said.closed


def test_the_registry_keeps_to_its_own_files(lab, doors):
    """A tag, digest or upload that climbs out of the registry finds nothing."""
    ecr, server = client(lab.info, "ecr"), doors["server"]
    with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName="kept")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    for path in (
        b"/v2/kept/blobs/sha256:../../../../etc/passwd",
        b"/v2/kept/manifests/..%2f..%2f..%2fetc%2fpasswd",
        b"/v2/../../etc/passwd/manifests/1",
        b"/v2/kept/blobs/uploads/../../../../etc/passwd",
    ):
        said = tell(
            server,
            b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + token.encode() + b""
            b"\r\nConnection: close\r\n\r\n",
        )
        assert b"root:" not in said.text
        assert len(said.statuses) == 1 and 400 <= said.statuses[0] < 500, (path, said)


def test_the_server_was_never_surprised(lab):
    """What a door refuses is no failure: the log of the server has no traceback of ours."""
    log = (lab.info.home / "server.log").read_text()
    assert "localcloud/" not in log, log
