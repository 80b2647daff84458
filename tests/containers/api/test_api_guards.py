"""What is refused at the door, bodies too large and too many requests; and an orderly end."""

import asyncio
import threading
import time

import duckdb
import pytest
from api.guards import BODY_BYTES, Shedding
from api_support import flight


@pytest.fixture
def served(bucket, refresher, client):
    bucket.publish("2013-01", [flight()])
    refresher.refresh()
    return client


def test_a_body_is_taken_up_to_its_limit(served):
    answer = served.call("GET", "/flights", content=b"x" * BODY_BYTES)
    assert answer.status_code == 200
    answer = served.call("GET", "/flights", content=b"x" * (BODY_BYTES + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(BODY_BYTES) in answer.json()["detail"]
    assert answer.headers["x-request-id"]


class Slow:
    """An application that takes the event loop for itself."""

    async def __call__(self, scope, receive, send):
        time.sleep(0.1)
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def asked_together(paths):
    """What is answered to requests that came in one turn of the loop."""
    told, said = [], []
    app = Shedding(Slow(), lambda *seen: told.append(seen))

    async def send(message):
        if message["type"] == "http.response.start":
            said.append((message["status"], dict(message["headers"]).get(b"retry-after")))

    async with asyncio.TaskGroup() as tasks:
        for path in paths:
            tasks.create_task(app({"type": "http", "path": path, "headers": []}, None, send))
    assert [status for _, status, _ in told] == [s for s, _ in said if s == 503]
    return said


def test_who_waited_too_long_to_be_begun_is_refused():
    said = asyncio.run(asked_together(["/flights"] * 20))
    statuses = [status for status, _ in said]
    # 0.1 s each: those are begun within 0.25 s, unless this machine is slow
    answered = statuses.count(200)
    assert 1 <= answered <= 3
    assert statuses == [200] * answered + [503] * (20 - answered)
    assert said[-1] == (503, b"1")


def test_health_is_told_however_late_it_is():
    said = asyncio.run(asked_together(["/flights"] * 4 + ["/healthz"]))
    assert said[-1] == (200, None)


def test_who_comes_later_does_not_wait_for_them():
    async def one_by_one():
        return [await asked_together(["/flights"]) for _ in range(5)]

    assert asyncio.run(one_by_one()) == [[(200, None)]] * 5


def test_closing_waits_for_the_query_that_is_being_ended(store):
    cursor, begun, ended = store.cursor(), threading.Event(), []

    def ask():
        begun.set()
        try:
            cursor.execute("SELECT count(*) FROM range(100000000000) a, range(1000) b").fetchall()
        except duckdb.InterruptException:
            ended.append("interrupted")

    asking = threading.Thread(target=ask)
    asking.start()
    begun.wait()
    time.sleep(0.2)  # the query runs
    later = threading.Timer(0.5, cursor.interrupt)
    later.start()
    store.close()
    asking.join()
    assert ended == ["interrupted"]
