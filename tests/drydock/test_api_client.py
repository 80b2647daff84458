"""The data API's client, against servers that really answer, also badly."""

import http.server
import json
import random
import threading
import time
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.progress import Progress

from drydock.api_client import ApiError, DataApi, backoff

ROWS = [{"flight": n, "carrier": "UA"} for n in range(1, 8)]


@pytest.fixture
def api():
    """A server: `answers` are given first, one a request, as (status, headers, body)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            server.asked.append((self.path, dict(self.headers)))
            status, headers, body = server.answers.pop(0) if server.answers else self.page()
            if status == 0:
                self.connection.close()
                self.close_connection = True
                return
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def page(self):
            query = {n: v[0] for n, v in parse_qs(urlsplit(self.path).query).items()}
            first, size = int(query.get("cursor", 0)), int(query["limit"])
            following = str(first + size) if first + size < len(ROWS) else None
            return 200, {}, {"items": ROWS[first : first + size], "next": following}

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.asked = [], []
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(api, waits):
    with DataApi(api.url + "/", sleep=waits.append) as made:
        yield made


def test_pages_and_all_of_them(api, client):
    assert [len(page) for page in client.pages(limit=3)] == [3, 3, 1]
    found = client.flights(limit=2, carrier="UA", month=None)
    assert found["flight"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert "carrier=UA" in api.asked[-1][0]
    assert "month" not in api.asked[-1][0]


def test_progress_tells_flights_and_pages_where_asked(client, monkeypatch):
    told = []
    update = Progress.update

    def listen(bar, *arguments, description, **more):
        told.append((description, bar.disable))
        update(bar, *arguments, description=description, **more)

    monkeypatch.setattr(Progress, "update", listen)
    client.flights(limit=3, progress=True)
    assert told == [(f"{n} flights in {p} pages", False) for n, p in ((3, 1), (6, 2), (7, 3))]
    client.flights(limit=3)
    assert {off for _, off in told[3:]} == {True}


def test_no_rows_still_have_columns(api, client):
    api.answers.append((200, {}, {"items": [], "next": None}))
    found = client.flights(fields=["flight", "carrier"])
    assert (list(found.columns), len(found)) == (["flight", "carrier"], 0)


@pytest.mark.parametrize("status", [429, 502, 503, 504, 0])
def test_what_passes_is_tried_again(api, client, waits, status):
    api.answers += [(status, {}, b"<html>"), (status, {}, b"")]
    assert len(client.flights(limit=100)) == 7
    assert client.retried == len(waits) == 2
    assert 0 <= waits[0] <= 0.2
    assert 0 <= waits[1] <= 0.4


def test_retry_after_is_the_least_wait(api, client, waits):
    later = formatdate(time.time() + 30, usegmt=True)
    api.answers += [(429, {"Retry-After": "7"}, {}), (503, {"Retry-After": later}, {})]
    client.flights(limit=100)
    assert 7 <= waits[0] <= 7.2
    assert 25 < waits[1] <= 30.4


@pytest.mark.parametrize("said", ["soon", "-5", "", "1e9"])
def test_a_retry_after_that_says_nothing_is_none(api, client, waits, said):
    api.answers.append((429, {"Retry-After": said}, {}))
    client.flights(limit=100)
    assert 0 <= waits[0] <= 0.2


def test_a_wait_of_hours_is_the_callers_decision(api, client, waits):
    api.answers.append((429, {"Retry-After": "86400"}, {"message": "Limit Exceeded"}))
    with pytest.raises(ApiError, match=r"Limit Exceeded \(and to come back in 86400 s\)"):
        client.get("/flights")
    assert waits == []


def test_waits_are_drawn_anew_and_do_not_grow_for_ever(waits):
    random.seed(1)
    assert [backoff(tried) for tried in (1, 2, 3, 8, 50)] == [0.2, 0.4, 0.8, 20.0, 20.0]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"detail": "cursor: not one that this API gave"}, "cursor: not one"),
        (401, {"message": "Unauthorized"}, "Unauthorized"),
        (404, b"<html>", "answered 404: Not Found"),
        (500, {"detail": "this is a bug of the API"}, "a bug"),
        (403, ["odd"], "answered 403"),
    ],
)
def test_what_stays_is_said_at_once(api, client, waits, status, body, words):
    api.answers.append((status, {}, body))
    with pytest.raises(ApiError, match=words) as caught:
        client.get("/flights", limit=1)
    assert caught.value.status == status
    assert waits == []


def test_the_last_try_says_how_often(api, waits):
    api.answers += [(429, {}, {"message": "Too Many Requests"})] * 3
    with (
        DataApi(api.url, tries=3, sleep=waits.append) as client,
        pytest.raises(ApiError, match="answered 429 after 3 tries: Too Many Requests"),
    ):
        client.get("/flights")
    assert len(waits) == 2


def test_nobody_there_is_one_line(waits):
    with (
        DataApi("http://127.0.0.1:9", tries=2, sleep=waits.append) as client,
        pytest.raises(ApiError, match="no answer in 2 tries") as caught,
    ):
        client.get("/flights")
    assert caught.value.status is None


def test_headers_go_with_every_request(api):
    with DataApi(api.url, headers={"Authorization": "Bearer x"}) as client:
        client.flights(limit=4)
    assert {headers["Authorization"] for _, headers in api.asked} == {"Bearer x"}


def test_no_tries_are_refused():
    with pytest.raises(ValueError, match="tries is 0"):
        DataApi("http://x", tries=0)
