"""What a client may choose: fields, form, and not to be told again what it knows."""

import io
import json
import logging

import polars as pl
import pytest
from api import app as app_module
from api_support import flight

FLIGHTS = [flight(number=n, dep_delay=n if n % 2 else None) for n in range(1, 8)]
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def served(bucket, refresher, client):
    bucket.publish("2013-01", FLIGHTS)
    refresher.refresh()
    return client


def read(answer):
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"].partition(";")[0]
    body = io.BytesIO(answer.content)
    if kind == ARROW:
        return pl.read_ipc_stream(body)
    return pl.read_parquet(body) if kind == PARQUET else pl.read_csv(body)


@pytest.mark.parametrize("kind", [ARROW, PARQUET, "text/csv"])
def test_every_form_has_the_same_rows(served, kind):
    plain = served.get("/flights?limit=5&fields=flight,dep_delay,carrier").json()
    answer = served.get(
        "/flights?limit=5&fields=flight,dep_delay,carrier", headers={"Accept": kind}
    )
    assert answer.headers["content-type"].startswith(kind)
    assert read(answer).to_dicts() == plain["items"]
    assert "cursor=" + plain["next"].replace("=", "%3D") in answer.headers["link"]


def test_arrow_keeps_types(served):
    found = read(served.get("/flights", headers={"Accept": ARROW}))
    assert found.schema["sched_dep"] == pl.Datetime("us", "UTC")
    assert found.schema["dep_delay"] == pl.Int16
    assert found.schema["flight_date"] == pl.Date


def test_link_leads_through_all_pages(served):
    numbers, url = [], "/flights?limit=3&fields=flight"
    while url:
        answer = served.get(url, headers={"Accept": "text/csv"})
        numbers += read(answer)["flight"].to_list()
        link = answer.headers.get("link")
        url = "/flights" + link.partition(">")[0].removeprefix("<") if link else None
    assert numbers == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/html, text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("application/json;q=0, */*;q=0.1", "text/csv"),
    ],
)
def test_accept(served, accept, kind):
    answer = served.get("/flights?limit=1", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "text/csv;q=no"])
def test_a_form_that_there_is_not_is_406(served, accept):
    answer = served.get("/flights", headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"


def test_fields_are_answered_in_the_order_asked(served):
    items = served.get("/flights?fields=dep_delay,flight&limit=1").json()["items"]
    assert list(items[0].items()) == [("dep_delay", 1), ("flight", 1)]


@pytest.mark.parametrize(
    "fields",
    ["", "nothing", "flight,", "*", "flight;DROP TABLE flights", "position"],
)
def test_wrong_fields_are_422(served, fields):
    answer = served.get("/flights", params={"fields": fields})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "fields"


def test_an_unchanged_page_is_304_until_the_data_changes(served, bucket, refresher):
    first = served.get("/flights?limit=2")
    known = {"If-None-Match": first.headers["etag"]}
    again = served.get("/flights?limit=2", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert served.get("/flights?limit=3", headers=known).status_code == 200
    assert (
        served.get("/flights?limit=2", headers={**known, "Accept": "text/csv"}).status_code == 200
    )
    bucket.publish("2013-01", FLIGHTS[:3])
    refresher.refresh()
    assert served.get("/flights?limit=2", headers=known).status_code == 200


def test_without_data_nothing_is_unmodified(client):
    assert client.get("/flights", headers={"If-None-Match": "*"}).status_code == 503


def test_request_ids_are_kept_or_made_and_logged(served, caplog):
    caplog.set_level(logging.INFO, logger="api.requests")
    assert (
        served.get("/carriers", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"]
        == "mine-1"
    )
    made = served.get("/nothing", headers={"X-Request-Id": "two words"}).headers["x-request-id"]
    assert len(made) == 36
    lines = [json.loads(record.message) for record in caplog.records]
    assert [(one["request"], one["path"], one["status"]) for one in lines] == [
        ("mine-1", "/carriers", 200),
        (made, "/nothing", 404),
    ]


def test_too_many_waiting_are_refused_at_once(served, monkeypatch):
    monkeypatch.setattr(app_module, "WAITING_AT_MOST", 0)
    answer = served.get("/carriers")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_field_that_is_named_twice_is_answered_once(served):
    items = served.get("/flights?fields=flight,carrier,flight&limit=1").json()["items"]
    assert list(items[0]) == ["flight", "carrier"]
