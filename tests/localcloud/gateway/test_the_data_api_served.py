"""The data API as it is served: task, load balancer, API Gateway, functions, RDS Data API and a
pre-signed object give the same rows, and a rolling deployment under load loses no request."""

import io
import json
import threading

import httpx
import polars as pl
import pytest
from in_lambda import InLambda
from live import wait_for
from served_api import InAurora, Served, Signed


@pytest.fixture(scope="module")
def served(cloud, lab):
    from http_apis import Apis

    apis = Apis(cloud)
    try:
        yield Served(apis, lab)
    finally:
        apis.remove()


@pytest.fixture(scope="module")
def functions(served):
    made = InLambda(served.apis, served.bucket.name, list(READ)[2:])
    yield made
    made.remove()


@pytest.mark.slow
def test_the_four_ways_answer_one_question_with_the_same_rows(served, functions):
    aurora = InAurora(served.apis.cloud, served.apis.name())
    ways = {
        "a task": (served.task(), {}),
        "the load balancer": (served.url, {}),
        "API Gateway to ECS": (served.gateway(), {"auth": Signed()}),
        "API Gateway to Lambda": (functions.url, {}),
        "a REST API to Lambda": (
            f"{functions.rest.address}/v1",
            {"headers": {"x-api-key": functions.key}},
        ),
    }
    try:
        whole = served.whole_file()
        for carrier, many in (("UA", 80), ("9E", 40), ("ZZ", 0)):
            wanted = aurora.flights(carrier)
            assert len(wanted) == many
            chosen = whole.filter(pl.col("carrier") == carrier).sort("flight_key")
            assert chosen.select(aurora.columns).to_dicts() == wanted
            for way, how in ways.items():
                assert aurora.asked(how, carrier).to_dict("records") == wanted, way
    finally:
        aurora.remove()


READ = {
    "application/json": lambda body: pl.DataFrame(json.loads(body)["items"]),
    "text/csv": lambda body: pl.read_csv(io.BytesIO(body)),
    "application/vnd.apache.arrow.stream": lambda body: pl.read_ipc_stream(io.BytesIO(body)),
    "application/vnd.apache.parquet": lambda body: pl.read_parquet(io.BytesIO(body)),
}
QUESTIONS = {
    "/flights?limit=50": 50,
    "/flights?carrier=9E&limit=100": 40,
    "/flights?carrier=UA&fields=flight,carrier,dep_delay&limit=7": 7,
    "/flights?carrier=ZZ": 0,
}


@pytest.mark.slow
def test_tasks_and_functions_give_the_same_rows_in_every_format(served, functions):
    ways = [
        (served.url, {}),
        (functions.url, {}),
        (f"{functions.rest.address}/v1", {"x-api-key": functions.key}),
    ]
    with httpx.Client(trust_env=False, timeout=60) as http:
        for question, many in QUESTIONS.items():
            for kind, read in READ.items():
                answers = [
                    http.get(address + question, headers={"Accept": kind, **headers})
                    for address, headers in ways
                ]
                assert [one.status_code for one in answers] == [200] * 3
                assert {one.headers["content-type"].split(";")[0] for one in answers} == {kind}
                tasks, function, rest = [read(one.content) for one in answers]
                assert tasks.equals(function) and tasks.equals(rest)
                assert len(tasks) == many
        wrong = [http.get(f"{a}/flights?limit=0", headers=h) for a, h in ways]
        assert [one.status_code for one in wrong] == [422] * 3


@pytest.mark.slow
def test_no_request_fails_while_another_definition_is_rolled_out(served):
    """Two tasks, asked all the time at the load balancer and through API Gateway."""
    answers, trouble, stop = [], [], threading.Event()

    def ask(address, auth):
        with httpx.Client(trust_env=False, timeout=20, auth=auth) as http:
            while not stop.is_set():
                try:
                    answer = http.get(f"{address}/flights?limit=20")
                    answers.append((answer.status_code, len(answer.json()["items"])))
                except (httpx.HTTPError, ValueError, KeyError) as error:
                    trouble.append(repr(error))
                stop.wait(0.05)

    ways = [(served.url, None), (served.url, None), (served.gateway(), Signed())]
    threads = [threading.Thread(target=ask, args=way) for way in ways]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(answers) > 10, "answers")
        old = served.tasks()
        served.roll_out()
        served.stable()
        assert served.deployment()[0]["taskDefinition"] == served.definition
        assert len(served.tasks()) == 2 and not old & served.tasks()
        seen = len(answers)
        wait_for(lambda: len(answers) > seen + 20, "answers of the new tasks")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert trouble == []
    assert set(answers) == {(200, 20)}
