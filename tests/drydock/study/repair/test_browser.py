"""What a browser lets a page have, by what the other origin answers."""

import http.server
import threading
from contextlib import contextmanager

import pytest

from drydock.study.repair.browser import Blocked, fetch

PAGE = "https://page.example"
RIGHT = {
    "Access-Control-Allow-Origin": PAGE,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET, PUT",
    "Access-Control-Allow-Headers": "Authorization,x-own",
}


@contextmanager
def origin(headers, preflight=204):
    """Another origin that answers everything with these headers; its address and what it saw."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.command, {n.lower(): v for n, v in self.headers.items()}))
            self.send_response(preflight if self.command == "OPTIONS" else 200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_OPTIONS = do_GET

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", seen
    finally:
        server.shutdown()
        server.server_close()


def put(address, credentials=True):
    return fetch(PAGE, address, "PUT", {"Authorization": "x", "X-Own": "y"}, credentials)


def test_a_preflight_names_method_and_headers_and_carries_none_of_them():
    with origin(RIGHT) as (address, seen):
        assert put(address).status_code == 200
    (first, asked), (second, sent) = seen
    assert (first, second) == ("OPTIONS", "PUT")
    assert asked["access-control-request-method"] == "PUT"
    assert asked["access-control-request-headers"] == "authorization,x-own"
    assert "authorization" not in asked and sent["authorization"] == "x"
    assert asked["origin"] == sent["origin"] == PAGE


def test_a_simple_request_has_no_preflight():
    with origin(RIGHT) as (address, seen):
        assert fetch(PAGE, address, "GET", {}, credentials=False).status_code == 200
    assert [method for method, _ in seen] == ["GET"]


@pytest.mark.parametrize(
    ("changed", "credentials", "why"),
    [
        ({"Access-Control-Allow-Origin": None}, False, "has no Access-Control-Allow-Origin"),
        ({"Access-Control-Allow-Origin": "*"}, True, r"is \*, and the page sends its cookies"),
        ({"Access-Control-Allow-Origin": "http://page.example"}, False, "names another origin"),
        ({"Access-Control-Allow-Credentials": None}, True, "Allow-Credentials is not true"),
        ({"Access-Control-Allow-Methods": "GET"}, False, "does not name PUT"),
        ({"Access-Control-Allow-Methods": "*"}, True, "does not name PUT"),
        ({"Access-Control-Allow-Headers": "authorization"}, False, "does not name x-own"),
        ({"Access-Control-Allow-Headers": "*"}, False, "does not name authorization"),
    ],
)
def test_what_is_not_allowed_is_blocked_with_the_reason(changed, credentials, why):
    answered = {name: value for name, value in (RIGHT | changed).items() if value}
    with origin(answered) as (address, seen), pytest.raises(Blocked, match=why):
        put(address, credentials)
    assert [method for method, _ in seen] == ["OPTIONS"]


def test_a_star_stands_for_everything_but_authorization_without_cookies():
    stars = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "*",
        "Access-Control-Allow-Headers": "*, authorization",
    }
    with origin(stars) as (address, _):
        assert put(address, credentials=False).status_code == 200


def test_a_preflight_that_fails_blocks():
    with origin(RIGHT, preflight=404) as (address, _), pytest.raises(Blocked, match="with 404"):
        put(address)
