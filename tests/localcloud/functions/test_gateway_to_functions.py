"""HTTP APIs in front of functions: the event, the answer, the permission, the failures."""

import io
import json
import sys
import uuid
import zipfile
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError
from functions_lab import zipped
from live import client

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "tests" / "containers" / "api"))
sys.path.append(str(ROOT / "lib" / "containers" / "etl"))

from api_support import Bucket, flight  # noqa: E402

ECHO = "def handler(event, context):\n    return event"
ANSWER = "import json\ndef handler(event, context):\n    return json.loads(event['body'])"


class Front:
    """A function behind a route of an HTTP API."""

    def __init__(self, cloud, functions, name, key, allow, version, stage):
        self.gateway = client(cloud, "apigatewayv2")
        api = self.gateway.create_api(Name=name, ProtocolType="HTTP")
        self.api, self.url = api["ApiId"], api["ApiEndpoint"]
        self.gateway.create_stage(ApiId=self.api, StageName=stage, AutoDeploy=True)
        integration = self.gateway.create_integration(
            ApiId=self.api,
            IntegrationType="AWS_PROXY",
            PayloadFormatVersion=version,
            IntegrationUri=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        )["IntegrationId"]
        target = f"integrations/{integration}"
        self.gateway.create_route(ApiId=self.api, RouteKey=key, Target=target)
        if allow:
            functions.client.add_permission(
                FunctionName=name,
                StatementId="api",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{self.api}/{allow}",
            )

    def ask(self, method, path, **more):
        return httpx.request(method, self.url + path, trust_env=False, timeout=60, **more)


@pytest.fixture(scope="module")
def front(cloud, functions):
    fronts = []

    def make(code, key="ANY /x/{id}", allow="*/*", version="2.0", stage="$default", **more):
        name = functions.make(code, **more)
        fronts.append(Front(cloud, functions, name, key, allow, version, stage))
        return fronts[-1]

    yield make
    for one in fronts:
        one.gateway.delete_api(ApiId=one.api)


@pytest.fixture(scope="module")
def answering(front):
    return front(ANSWER)


def test_the_event_is_of_format_2(front):
    echo = front(ECHO)
    headers = {"X-Own": "1", "Cookie": "a=1; b=2", "Content-Type": "text/plain"}
    event = echo.ask("POST", "/x/7?q=1&q=2", headers=headers, content=b"hello").json()
    assert (event["version"], event["routeKey"], event["rawPath"]) == (
        "2.0",
        "ANY /x/{id}",
        "/x/7",
    )
    assert event["rawQueryString"] == "q=1&q=2"
    assert event["queryStringParameters"] == {"q": "1,2"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["cookies"] == ["a=1", "b=2"] and event["headers"]["x-own"] == "1"
    assert (event["body"], event["isBase64Encoded"]) == ("hello", False)
    assert event["requestContext"]["http"]["method"] == "POST"
    binary = echo.ask("POST", "/x/7", content=b"\xff\x00").json()
    assert (binary["body"], binary["isBase64Encoded"]) == ("/wA=", True)
    assert "body" not in echo.ask("GET", "/x/7").json()


def test_the_event_may_be_of_format_1(front):
    code = """
import json

def handler(event, context):
    several = {"Set-Cookie": ["a=1", "b=2"]}
    return {"statusCode": 201, "body": json.dumps(event), "multiValueHeaders": several}
"""
    one = front(code, version="1.0", stage="v1")
    headers = {"X-Own": "1", "Content-Type": "text/plain"}
    answer = one.ask("POST", "/v1/x/7%208?q=1&q=2", headers=headers, content=b"hi")
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/plain;charset=utf-8")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    event = answer.json()
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/x/{id}", "/v1/x/7 8")
    assert (event["httpMethod"], event["pathParameters"]) == ("POST", {"id": "7 8"})
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["headers"]["x-own"] == "1" and event["multiValueHeaders"]["x-own"] == ["1"]
    assert (event["body"], event["isBase64Encoded"]) == ("hi", False)
    context = event["requestContext"]
    assert (context["resourcePath"], context["stage"]) == ("/x/{id}", "v1")
    binary = one.ask("POST", "/v1/x/7", content=b"\xff\x00").json()
    assert (binary["body"], binary["isBase64Encoded"]) == ("/wA=", True)
    plain = one.ask("GET", "/v1/x/7").json()
    assert (plain["body"], plain["queryStringParameters"], plain["stageVariables"]) == (None,) * 3


def test_an_answer_of_format_1_needs_its_form(front):
    one = front(ANSWER, version="1.0")
    binary = {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}
    assert one.ask("POST", "/x/1", json=binary).content == b"\xff\x00"
    for said in ({"rows": 3}, [1], {"statusCode": "many"}):
        answer = one.ask("POST", "/x/1", json=said)
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_the_answer_is_what_the_function_says(answering):
    said = {"statusCode": 418, "headers": {"X-Own": "tea"}, "cookies": ["a=1", "b=2"], "body": "!"}
    answer = answering.ask("POST", "/x/1", json=said)
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (418, "!", "tea")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    binary = {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}
    assert answering.ask("POST", "/x/1", json=binary).content == b"\xff\x00"
    assert answering.ask("POST", "/x/1", json={"rows": 3}).json() == {"rows": 3}


@pytest.mark.parametrize(
    "said",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"no": "text"}},
        {"statusCode": 200, "body": "###", "isBase64Encoded": True},
    ],
)
def test_a_malformed_answer_is_500(answering, said):
    answer = answering.ask("POST", "/x/1", json=said)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_that_fails_is_500(answering):
    answer = answering.ask("POST", "/x/1", content=b"no json")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize("allow", [None, "*/GET/other", "prod/*"])
def test_without_the_permission_it_is_500(front, allow):
    closed = front(ECHO, allow=allow)
    answer = closed.ask("GET", "/x/1")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_that_is_too_slow_or_throttled_is_503(front, functions):
    slow = front("import time\ndef handler(event, context):\n    time.sleep(30)")
    known = slow.gateway.get_integrations(ApiId=slow.api)["Items"][0]
    slow.gateway.update_integration(
        ApiId=slow.api, IntegrationId=known["IntegrationId"], TimeoutInMillis=50
    )
    answer = slow.ask("GET", "/x/1")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    name = known["IntegrationUri"].rpartition(":")[2]
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    answer = slow.ask("GET", "/x/1")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_an_event_of_6_mb_is_the_largest(front):
    length = front("import json\ndef handler(event, context):\n    return len(json.dumps(event))")

    def ask(size):
        return length.ask(
            "POST", "/x/1", content="x" * size, headers={"Content-Type": "text/plain"}
        )

    size = 6_280_000
    fits = size + 6_291_456 - int(ask(size).text)
    assert ask(fits).text == "6291456"
    answer = ask(fits + 1)
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"PayloadFormatVersion": "3.0"}, "must be 1.0 or 2.0"),
        ({"IntegrationUri": "https://example.com"}, "ARN of a function"),
        ({"CredentialsArn": "arn:aws:iam::123456789012:role/r"}, "AddPermission"),
        ({"IntegrationType": "MOCK"}, "no MOCK integrations"),
    ],
)
def test_an_integration_is_not_changed_into_what_cannot_run(answering, change, says):
    where = {"ApiId": answering.api}
    known = answering.gateway.get_integrations(**where)["Items"][0]
    with pytest.raises(ClientError, match=says):
        answering.gateway.update_integration(
            **where, IntegrationId=known["IntegrationId"], **change
        )
    assert answering.gateway.get_integrations(**where)["Items"][0] == known
    answering.gateway.update_integration(
        **where, IntegrationId=known["IntegrationId"], TimeoutInMillis=30_000
    )


def test_the_data_api_gives_the_same_rows_through_lambda(cloud, functions, front):
    bucket = Bucket(client(cloud, "s3"), f"lake-{uuid.uuid4().hex[:8]}")
    rows = [flight(number=n, carrier="UA" if n % 3 else "9E") for n in range(1, 21)]
    bucket.publish("2013-01", rows)
    functions.iam.attach_role_policy(
        RoleName=functions.role.rpartition("/")[2],
        PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    )
    content = io.BytesIO(zipped(""))
    with zipfile.ZipFile(content, "a") as archive:
        for path in sorted((ROOT / "lib/containers/api/api").iterdir()):
            if path.is_file():
                archive.write(path, f"api/{path.name}")
    served = front(
        "",
        key="$default",
        allow="*",
        Handler="api.lambda_handler.handler",
        Code={"ZipFile": content.getvalue()},
        MemorySize=1769,
        Environment={"Variables": {"LAKE_BUCKET": bucket.name}},
    )
    answer = served.ask("GET", "/flights?carrier=9E&limit=50")
    assert answer.status_code == 200, answer.text
    wanted = [row["flight"] for row in rows if row["carrier"] == "9E"]
    assert [row["flight"] for row in answer.json()["items"]] == wanted
    assert served.ask("GET", "/flights?limit=0").status_code == 422
    assert json.loads(served.ask("GET", "/healthz").text)["rows"] == len(rows)
