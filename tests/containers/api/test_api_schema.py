"""schemathesis: what the OpenAPI document allows is answered as it says, and what it forbids is a
4xx that leaks nothing."""

import httpx
import pytest
import schemathesis
from api_support import Bucket, flight
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from test_api_lookups import database  # noqa: F401
from test_api_program import health, running
from test_api_program import settings as environment

EXAMPLES = 40
FLIGHTS = [flight(number=n, carrier="UA" if n % 3 else "9E") for n in range(1, 60)]


@pytest.fixture(scope="module")
def served(s3, s3_endpoint, database, tmp_path_factory):  # noqa: F811
    """The API as a process, with flights and the lookup tables."""
    bucket = Bucket(s3, "schemathesis")
    bucket.publish("2013-01", FLIGHTS)
    ca = tmp_path_factory.mktemp("schema") / "ca.pem"
    ca.write_text(database[2])
    more = {"DB_SECRET": database[1], "PGSSLROOTCERT": str(ca)}
    with running(environment(s3_endpoint, bucket.name, **more)) as (_, url):
        health(url, lambda answer: answer.status_code == 200)
        yield url


@pytest.fixture(scope="module")
def document(served):
    return schemathesis.openapi.from_url(f"{served}/openapi.json")


PATHS = (
    "/flights",
    "/flights/{flight_key}",
    "/carriers",
    "/carriers/{code}/delays",
    "/healthz",
)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_the_document_says(document, path, mode):
    operation = document[path]["GET"]
    if mode.is_negative and not list(operation.iter_parameters()):
        return  # there is nothing to do wrong

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case):
        if mode.is_positive:
            # The document cannot say that a cursor must be one that the API gave.
            (case.query or {}).pop("cursor", None)
        answer = case.call()
        case.validate_response(answer)
        assert b"Traceback" not in answer.content

    check()


def test_the_document_is_openapi_3_1_and_names_every_route(served):
    found = httpx.get(f"{served}/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    assert set(found["paths"]) == set(PATHS)
