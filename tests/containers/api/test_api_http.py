"""The API as its callers see it: answers, types, errors and the page about itself."""

import re
import time

import pytest
from api import app as app_module
from api import cursors
from api_support import flight

FLIGHTS = [
    flight(number=1),
    flight(number=2, dep_delay=20, arr_delay=None, air_time=None),
    flight(
        number=3,
        cancelled=True,
        dep_time=None,
        dep_delay=None,
        arr_time=None,
        arr_delay=None,
        air_time=None,
        tailnum=None,
    ),
    flight(number=4, carrier="9E", dest="BOS", origin="EWR", dest_name="Logan"),
]
LATER = [flight(number=5, month="2013-02", dep_delay=-3, arr_delay=0)]


@pytest.fixture
def full(bucket, refresher, client):
    bucket.publish("2013-01", FLIGHTS)
    bucket.publish("2013-02", LATER)
    refresher.refresh()
    return client


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    return body


def found(answer):
    assert answer.status_code == 200, answer.text
    return [row["flight"] for row in answer.json()["items"]]


@pytest.mark.parametrize("path", ["/healthz", "/flights", "/carriers", "/carriers/UA/delays"])
def test_without_data_the_answer_is_503_and_why(client, path):
    assert "has not been looked for yet" in problem(client.get(path), 503)["detail"]


def test_healthz_tells_what_is_served(full):
    assert full.get("/healthz").json() == {
        "status": "ok",
        "months": ["2013-01", "2013-02"],
        "rows": 5,
        "problem": None,
    }


def test_a_flight_has_every_field_in_its_type(full):
    (item,) = full.get("/flights?carrier=9E").json()["items"]
    assert item == {
        "flight_key": FLIGHTS[3]["flight_key"],
        "month": "2013-01",
        "flight_date": "2013-01-01",
        "sched_dep": "2013-01-01T12:00:00Z",
        "carrier": "9E",
        "carrier_name": "9E Airlines",
        "flight": 4,
        "tailnum": "N1",
        "origin": "EWR",
        "origin_name": None,
        "dest": "BOS",
        "dest_name": "Logan",
        "distance": 2475,
        "sched_dep_time": 700,
        "dep_time": 705,
        "dep_delay": 5,
        "sched_arr_time": 1000,
        "arr_time": 950,
        "arr_delay": -10,
        "air_time": 330,
        "cancelled": False,
    }


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 1, 2, 3, 5]),
        ("month=2013-02", [5]),
        ("month=2019-12", []),
        ("carrier=UA", [1, 2, 3, 5]),
        ("carrier=ZZ", []),
        ("origin=EWR", [4]),
        ("dest=BOS", [4]),
        ("cancelled=true", [3]),
        ("cancelled=false&carrier=UA&month=2013-01", [1, 2]),
        ("limit=1", [4]),
        ("limit=1000", [4, 1, 2, 3, 5]),
    ],
)
def test_filters(full, query, numbers):
    assert found(full.get(f"/flights?{query}")) == numbers


def test_next_leads_through_all_pages_and_is_null_at_the_end(full):
    numbers, cursor = [], None
    for _ in range(3):
        page = full.get("/flights", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        numbers += found(page)
        cursor = page.json()["next"]
    assert numbers == [4, 1, 2, 3, 5]
    assert cursor is None


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("month=2013-13", "month"),
        ("month=January", "month"),
        ("carrier=ua", "carrier"),
        ("carrier=", "carrier"),
        ("carrier=UA'%20OR%201=1--", "carrier"),
        ("origin=JFK;DROP%20TABLE%20flights", "origin"),
        ("cancelled=perhaps", "cancelled"),
        ("cursor=" + "A" * 101, "cursor"),
        ("carier=UA", "carier"),
    ],
)
def test_a_wrong_parameter_is_named(full, query, parameter):
    body = problem(full.get(f"/flights?{query}"), 422)
    assert [error["parameter"] for error in body["errors"]] == [parameter]
    assert parameter in body["detail"]
    assert found(full.get("/flights")) == [4, 1, 2, 3, 5]


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "é", "../../etc", cursors.encode(5, {"carrier": "UA"})]
)
def test_a_cursor_that_was_not_given_for_these_filters_is_400(full, cursor):
    assert "cursor" in problem(full.get("/flights", params={"cursor": cursor}), 400)["detail"]


def test_delays_of_a_carrier_count_only_what_is_known(full):
    assert full.get("/carriers/UA/delays").json() == {
        "carrier": "UA",
        "items": [
            {
                "month": "2013-01",
                "flights": 3,
                "cancelled": 1,
                "dep_delay_total": 25,
                "dep_delay_mean": 12.5,
                "arr_delay_total": -10,
                "arr_delay_mean": -10.0,
            },
            {
                "month": "2013-02",
                "flights": 1,
                "cancelled": 0,
                "dep_delay_total": -3,
                "dep_delay_mean": -3.0,
                "arr_delay_total": 0,
                "arr_delay_mean": 0.0,
            },
        ],
    }


def test_a_carrier_without_any_known_delay_has_no_mean(bucket, refresher, client):
    bucket.publish("2013-01", [FLIGHTS[2]])
    refresher.refresh()
    (month,) = client.get("/carriers/UA/delays").json()["items"]
    assert (month["dep_delay_total"], month["dep_delay_mean"]) == (0, None)


def test_carriers_add_up_all_months(full):
    items = full.get("/carriers").json()["items"]
    assert [(c["code"], c["name"], c["flights"], c["dep_delay_total"]) for c in items] == [
        ("9E", "9E Airlines", 1, 5),
        ("UA", "UA Airlines", 4, 22),
    ]


def test_an_unknown_carrier_is_404(full):
    assert "carrier ZZ" in problem(full.get("/carriers/ZZ/delays"), 404)["detail"]


@pytest.mark.parametrize("code", ["ua", "UAL", "U'"])
def test_a_code_that_is_no_carrier_code_is_422(full, code):
    assert "code" in problem(full.get(f"/carriers/{code}/delays"), 422)["detail"]


def test_other_paths_and_methods_are_problems_too(full):
    assert "/docs" in problem(full.get("/nothing"), 404)["detail"]
    assert "POST /flights" in problem(full.call("POST", "/flights"), 405)["detail"]


def test_a_bug_leaks_nothing(full, store, monkeypatch):
    def bug(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(store, "carriers", bug)
    answer = full.get("/carriers")
    assert problem(answer, 500)["detail"].startswith("this is a bug")
    assert "secret" not in answer.text


def test_a_query_has_its_time_and_no_more(full, store, monkeypatch):
    def slow(cursor):
        cursor.execute("SELECT count(*) FROM range(100000000000) a, range(1000) b").fetchall()

    def quick(cursor):
        time.sleep(0.3)
        return []

    monkeypatch.setattr(store, "carriers", quick)
    assert full.get("/carriers").json() == {"items": []}
    monkeypatch.setattr(app_module, "QUERY_SECONDS", 0.2)
    assert problem(full.get("/carriers"), 503)
    monkeypatch.setattr(store, "carriers", slow)
    answer = full.get("/carriers")
    assert "no answer within" in problem(answer, 503)["detail"]
    assert answer.headers["retry-after"] == "5"
    assert found(full.get("/flights?limit=1")) == [4]


def test_the_openapi_document_describes_problems_as_they_are(full):
    document = full.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/flights",
        "/flights/{flight_key}",
        "/carriers",
        "/carriers/{code}/delays",
        "/healthz",
    }
    responses = document["paths"]["/flights"]["get"]["responses"]
    assert set(responses) == {"200", "304", "400", "406", "413", "422", "503"}
    for status in ("400", "422", "503"):
        assert list(responses[status]["content"]) == ["application/problem+json"]
    names = set(document["components"]["schemas"])
    assert set(re.findall(r"#/components/schemas/(\w+)", full.get("/openapi.json").text)) <= names


def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(full):
    page = full.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in ("/flights", "/carriers", "/carriers/{code}/delays", "/healthz"):
        assert f"<code>{path}</code>" in page.text
    assert re.findall(r"""(?:src|href)=["'](?!openapi\.json|data:)""", page.text) == []
    assert "http" not in page.text.replace("openapi", "")
