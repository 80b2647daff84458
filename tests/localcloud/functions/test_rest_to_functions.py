"""REST APIs in front of functions: payload format 1.0, the permission, the failures."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "gateway"))

from rest_apis import RestApi, refusal

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""
ANSWER = "import json\ndef handler(event, context):\n    return json.loads(event['body'])"
FAILED = (502, "Internal server error", "InternalServerErrorException")
MISCONFIGURED = (500, "Internal server error", "InternalServerErrorException")


def uri(name):
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


@pytest.fixture(scope="module")
def front(cloud, functions):
    """Makes a REST API whose ANY /x/{id} is a function's."""
    made = []

    def make(code, allow="*/*", verb="ANY", api=None, method=None, **more):
        name = functions.make(code, **more)
        rest = RestApi(cloud, **(api or {}))
        made.append(rest)
        rest.method(verb, "/x/{id}", uri(name), kind="AWS_PROXY", **(method or {}))
        rest.deploy()
        if allow:
            functions.client.add_permission(
                FunctionName=name,
                StatementId="api",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{rest.id}/{allow}",
            )
        rest.name = name
        return rest

    yield make
    for one in made:
        one.remove()


@pytest.fixture(scope="module")
def answering(front):
    return front(ANSWER)


def test_the_event_is_of_format_1(front):
    rest = front(ECHO, method={"key": True})
    key, value = rest.key()
    rest.plan(key)
    headers = {"X-Own": "1", "Content-Type": "text/plain"}
    event = rest.ask("/x/7%208?q=1&q=2", "POST", key=value, headers=headers, content=b"hi").json()
    assert (event["resource"], event["path"]) == ("/x/{id}", "/x/7 8")
    assert (event["httpMethod"], event["pathParameters"]) == ("POST", {"id": "7 8"})
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["headers"]["X-Own"] == "1" and event["multiValueHeaders"]["X-Own"] == ["1"]
    assert (event["body"], event["isBase64Encoded"]) == ("hi", False)
    context = event["requestContext"]
    assert (context["resourcePath"], context["stage"], context["path"]) == (
        "/x/{id}",
        "v1",
        "/v1/x/7%208",
    )
    assert context["identity"]["apiKeyId"] == key
    plain = rest.ask("/x/7", key=value).json()
    assert (plain["body"], plain["queryStringParameters"], plain["stageVariables"]) == (None,) * 3


def test_the_answer_is_what_the_function_says(answering):
    said = {
        "statusCode": 418,
        "headers": {"X-Own": "tea"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "!",
    }
    answer = answering.ask("/x/1", "POST", json=said)
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (418, "!", "tea")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answering.ask("/x/1", "POST", json={}).status_code == 200


def test_binary_goes_through_only_with_binary_media_types(answering, front):
    said = {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}
    assert answering.ask("/x/1", "POST", json=said).content == b"/wA="
    code = (
        "def handler(event, context):\n"
        "    return {'body': event['body'], 'isBase64Encoded': event['isBase64Encoded']}"
    )
    binary = front(code, api={"binaryMediaTypes": ["application/octet-stream"]})
    kind = "application/octet-stream"
    headers = {"Content-Type": kind, "Accept": f"{kind}, text/plain"}
    sent = b"\xff\x00" * 100
    assert binary.ask("/x/1", "POST", headers=headers, content=sent).content == sent


@pytest.mark.parametrize(
    "said",
    [
        {"rows": 3},
        {"statusCode": "many"},
        {"body": {"no": "text"}},
        [1],
    ],
)
def test_a_malformed_answer_is_502(answering, said):
    assert refusal(answering.ask("/x/1", "POST", json=said)) == FAILED


def test_a_function_that_fails_is_502(answering):
    assert refusal(answering.ask("/x/1", "POST", content=b"no json")) == FAILED


def test_a_function_slower_than_the_integration_is_504(front):
    code = "import time\ndef handler(event, context):\n    time.sleep(30)"
    rest = front(code, method={"timeoutInMillis": 50})
    assert refusal(rest.ask("/x/1"))[:2] == (504, "Endpoint request timed out")


def test_a_throttled_function_is_500(front, functions):
    rest = front(ECHO)
    functions.client.put_function_concurrency(
        FunctionName=rest.name, ReservedConcurrentExecutions=0
    )
    assert refusal(rest.ask("/x/1")) == MISCONFIGURED


@pytest.mark.parametrize("allow", [None, "*/GET/other", "prod/*"])
def test_without_the_permission_it_is_500(front, allow):
    assert refusal(front(ECHO, allow=allow).ask("/x/1")) == MISCONFIGURED


def test_a_function_is_called_with_post_whatever_the_method(front):
    rest = front(ECHO, verb="GET", method={"integrationHttpMethod": "GET"})
    assert refusal(rest.ask("/x/1")) == MISCONFIGURED


def test_an_event_of_6_mb_is_the_largest(front):
    size = "return {'body': str(len(json.dumps(event)))}"
    length = front(f"import json\ndef handler(event, context):\n    {size}")

    def ask(size):
        return length.ask("/x/1", "POST", content=b"x" * size)

    size = 6_280_000
    fits = size + 6_291_456 - int(ask(size).text)
    assert ask(fits).text == "6291456"
    assert refusal(ask(fits + 1))[:2] == (413, "Request Too Long")
