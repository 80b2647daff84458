"""One flight with what the lookup tables know of it, over a pool of few connections."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from api.lookups import CONNECTIONS, Secret, WrongSecret
from api_support import flight
from postgres_server import running as postgres
from test_api_program import health, running, settings

TABLES = """
CREATE TABLE airlines (carrier text PRIMARY KEY, name text NOT NULL);
CREATE TABLE airports (faa text PRIMARY KEY, name text, lat float8, lon float8, tzone text);
CREATE TABLE planes (tailnum text PRIMARY KEY, year integer, manufacturer text, model text,
                     engines integer, seats integer);
INSERT INTO airlines VALUES ('UA', 'United');
INSERT INTO airports VALUES ('JFK', 'Kennedy', 40.6, -73.8, 'America/New_York');
INSERT INTO planes VALUES ('N1', NULL, 'BOEING', '737', 2, 149);
"""
KNOWN = flight(number=1)
UNKNOWN = flight(number=2, carrier="9E", tailnum=None)


@pytest.fixture(scope="module")
def database():
    with postgres() as (port, password, certificate):
        secret = {"host": "127.0.0.1", "port": port, "username": "postgres", "dbname": "postgres"}
        connection = psycopg.connect(
            f"host=127.0.0.1 port={port} user=postgres sslmode=require",
            password=password,
            autocommit=True,
        )
        with connection:
            connection.execute(TABLES)
            yield connection, json.dumps(secret | {"password": password}), certificate


@pytest.fixture
def started(bucket, s3_endpoint, database, tmp_path):
    """Start the API with this secret; its address."""
    bucket.publish("2013-01", [KNOWN, UNKNOWN])
    ca = tmp_path / "ca.pem"
    ca.write_text(database[2])

    def start(secret):
        found = settings(s3_endpoint, bucket.name, DB_SECRET=secret, PGSSLROOTCERT=str(ca))
        return running(found)

    return start


def test_what_is_known_is_expanded_and_what_is_not_is_null(started, database):
    with started(database[1]) as (_, url), httpx.Client(base_url=url) as client:
        health(url, lambda answer: answer.status_code == 200)
        plain = client.get(f"/flights/{KNOWN['flight_key']}")
        assert plain.status_code == 200
        assert "airline" not in plain.json()
        everything = "airline,origin_airport,dest_airport,plane"
        found = client.get(f"/flights/{KNOWN['flight_key']}?expand={everything}").json()
        assert found["airline"] == {"carrier": "UA", "name": "United"}
        assert found["origin_airport"]["tzone"] == "America/New_York"
        assert found["dest_airport"] is None
        assert (found["plane"]["year"], found["plane"]["seats"]) == (None, 149)
        unknown = client.get(f"/flights/{UNKNOWN['flight_key']}?expand=airline,plane").json()
        assert (unknown["airline"], unknown["plane"]) == (None, None)
        assert client.get("/flights/1").status_code == 404
        for wrong in ("airlines", "airline,", "airline;DROP TABLE airlines", ""):
            answer = client.get(f"/flights/{KNOWN['flight_key']}", params={"expand": wrong})
            assert answer.status_code == 422


def test_a_pool_that_is_exhausted_says_when_to_come_back(started, database):
    connection, secret, _ = database
    with started(secret) as (_, url):
        health(url, lambda answer: answer.status_code == 200)

        def ask(_):
            return httpx.get(f"{url}/flights/{KNOWN['flight_key']}?expand=airline", timeout=20)

        with connection.transaction():
            connection.execute("LOCK TABLE airlines")  # nobody else can read it
            with ThreadPoolExecutor(CONNECTIONS + 3) as people:
                answers = list(people.map(ask, range(CONNECTIONS + 3)))
        statuses = sorted(answer.status_code for answer in answers)
        assert set(statuses) == {503, 504}
        assert statuses.count(504) <= CONNECTIONS
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == "1"
        assert "no connection to the database comes free" in refused.json()["detail"]
        assert ask(0).json()["airline"]["name"] == "United"
        used = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'data-api'"
        ).fetchone()[0]
        assert used <= CONNECTIONS


def test_without_the_database_flights_are_still_served(started, database):
    gone = json.loads(database[1]) | {"port": 1}
    with started(json.dumps(gone)) as (process, url):
        health(url, lambda answer: answer.status_code == 200)
        assert httpx.get(f"{url}/flights/{KNOWN['flight_key']}").status_code == 200
        answer = httpx.get(f"{url}/flights/{KNOWN['flight_key']}?expand=plane", timeout=20)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        process.terminate()
        process.wait(20)
        assert json.loads(database[1])["password"] not in process.stdout.read()


def test_without_a_secret_there_is_nothing_to_expand(bucket, refresher, client):
    bucket.publish("2013-01", [KNOWN])
    refresher.refresh()
    assert client.get(f"/flights/{KNOWN['flight_key']}").json()["flight"] == 1
    answer = client.get(f"/flights/{KNOWN['flight_key']}?expand=airline")
    assert (answer.status_code, "DB_SECRET" in answer.json()["detail"]) == (501, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hunter2", "DB_SECRET is not the JSON of a secret"),
        ('["hunter2"]', "DB_SECRET is not the JSON of a secret"),
        ('{"host": "h", "port": "hunter2"}', "DB_SECRET is not the JSON of a secret"),
        ('{"host": "h", "port": 1, "password": "hunter2"}', "DB_SECRET has no username"),
    ],
)
def test_a_wrong_secret_is_told_without_its_content(text, said):
    with pytest.raises(WrongSecret) as wrong:
        Secret.parse(text)
    assert str(wrong.value) == said
    good = Secret.parse('{"host":"h","port":"5","username":"u","password":"hunter2","dbname":"d"}')
    assert (good.port, "hunter2" in repr(good)) == (5, False)
