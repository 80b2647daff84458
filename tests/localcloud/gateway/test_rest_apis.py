"""REST APIs: resources, deployments, stages, integrations, limits."""

import datetime as dt
import subprocess

import pytest
from balancers import Echo
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from live import client, wait_for
from rest_apis import FORBIDDEN, NO_METHOD, THROTTLED, RestApi, refusal


@pytest.fixture
def rest(cloud, apis):
    """An API, and the address of a program that says what it was asked."""
    server = apis.server()
    api = RestApi(cloud)
    api.behind = f"http://{server.address}:{server.port}"
    yield api
    api.remove()


def said(answer):
    """The method and path that the integration saw."""
    assert answer.status_code == 200, answer.text
    return tuple(answer.text.split("\n")[:2])


def refused(call, *arguments, **given):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **given)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_the_most_specific_resource_and_then_its_method(rest):
    rest.method("GET", "/flights", f"{rest.behind}/list")
    rest.method("GET", "/flights/{id}", f"{rest.behind}/one/{{id}}")
    rest.method("GET", "/flights/latest", f"{rest.behind}/latest")
    rest.method("ANY", "/{proxy+}", f"{rest.behind}/rest/{{proxy}}")
    rest.deploy()
    assert said(rest.ask("/flights?x=1")) == ("GET", "/list?x=1")
    assert said(rest.ask("/flights/7")) == ("GET", "/one/7")
    assert said(rest.ask("/flights/latest")) == ("GET", "/latest")
    assert said(rest.ask("/planes/7", "POST")) == ("POST", "/rest/planes/7")
    assert refusal(rest.ask("/flights", "POST")) == NO_METHOD
    assert refusal(rest.ask("/")) == NO_METHOD
    assert refusal(rest.ask(stage="none")) == FORBIDDEN


def test_a_change_is_served_after_the_next_deployment(rest):
    rest.method("GET", "/flights", f"{rest.behind}/old")
    first = rest.deploy()
    rest.method("GET", "/flights", f"{rest.behind}/new")
    rest.method("GET", "/planes", f"{rest.behind}/planes")
    assert said(rest.ask()) == ("GET", "/old")
    assert refusal(rest.ask("/planes")) == NO_METHOD
    rest.deploy()
    assert said(rest.ask()) == ("GET", "/new")
    assert said(rest.ask("/planes")) == ("GET", "/planes")
    back = [{"op": "replace", "path": "/deploymentId", "value": first}]
    rest.gateway.update_stage(restApiId=rest.id, stageName="v1", patchOperations=back)
    assert said(rest.ask()) == ("GET", "/old")


def test_a_second_stage_serves_its_own_deployment(rest):
    rest.method("GET", "/flights", f"{rest.behind}/${{stageVariables.where}}")
    deployment = rest.deploy()
    rest.gateway.create_stage(
        restApiId=rest.id, stageName="test", deploymentId=deployment, variables={"where": "here"}
    )
    assert said(rest.ask(stage="test")) == ("GET", "/here")


def test_headers_are_mapped_and_a_body_goes_through(rest):
    mapped = {
        "integration.request.header.X-Who": "method.request.header.X-Own",
        "integration.request.header.X-Fixed": "'yes'",
    }
    rest.method("POST", "/flights", rest.behind, requestParameters=mapped)
    rest.deploy()
    answer = rest.ask(verb="POST", headers={"X-Own": "me"}, content=b"x" * 100_000)
    assert answer.text.endswith("x" * 100_000)
    assert "X-Who: me" in answer.text and "X-Fixed: yes" in answer.text
    assert f"Host: {rest.behind.removeprefix('http://')}" in answer.text


class Length(Echo):
    """Answers how many bytes it was sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(len(body)).encode())
        self.close_connection = True


def test_a_body_of_10_mb_and_one_byte_more(apis, rest):
    server = apis.server(Length)
    rest.method("POST", "/flights", f"http://{server.address}:{server.port}")
    rest.deploy()
    most = 10 * 1024 * 1024
    assert rest.ask(verb="POST", content=b"x" * most).text == str(most)
    assert refusal(rest.ask(verb="POST", content=b"x" * (most + 1))) == (
        413,
        "HTTP content length exceeded 10485760 bytes.",
        "RequestTooLargeException",
    )


def test_a_slow_and_an_absent_integration_are_504(rest):
    rest.method("GET", "/slow", f"{rest.behind}/slow/20", timeoutInMillis=50)
    rest.method("GET", "/absent", "http://127.4.255.254:9")
    rest.method("GET", "/error", f"{rest.behind}/status/500")
    rest.deploy()
    assert refusal(rest.ask("/slow"))[:2] == (504, "Endpoint request timed out")
    assert refusal(rest.ask("/absent"))[:2] == (504, "Network error communicating with endpoint")
    answer = rest.ask("/error")
    assert answer.status_code == 500 and "x-amzn-errortype" not in answer.headers


@pytest.mark.parametrize("millis", [50, 29_000])
def test_a_timeout_at_its_limits(rest, millis):
    rest.method("GET", "/flights", rest.behind, timeoutInMillis=millis)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"timeoutInMillis": 29_001}, "between 50 ms and 29000 ms"),
        ({"timeoutInMillis": 49}, "between 50 ms and 29000 ms"),
        ({"kind": "HTTP"}, "no HTTP integrations"),
        ({"kind": "MOCK", "requestTemplates": {"a/b": "$input.body"}}, "no Velocity"),
        ({"connectionType": "VPC_LINK", "connectionId": "abc"}, "needs connectionId and integr"),
        (
            {"connectionType": "VPC_LINK", "connectionId": "abc", "integrationTarget": "arn:a"},
            "no VPC link abc",
        ),
        ({"auth": "CUSTOM"}, "no CUSTOM authorisation"),
        ({"kind": "AWS_PROXY", "uri": "arn:aws:lambda:us-east-1:1:function:f"}, "ARN"),
    ],
)
def test_what_cannot_be_served_is_refused(rest, given, says):
    uri = given.pop("uri", rest.behind)
    code, message = refused(rest.method, "GET", "/flights", uri, **given)
    assert code == "BadRequestException" and says in message


def test_stages_need_a_good_name_and_a_deployment(rest):
    rest.method("GET", "/flights", rest.behind)
    assert "Stage name only allows" in refused(rest.deploy, "a b")[1]
    where = {"restApiId": rest.id, "stageName": "v2", "deploymentId": "none"}
    assert refused(rest.gateway.create_stage, **where)[0] == "NotFoundException"
    assert refused(rest.gateway.delete_rest_api, restApiId="none")[0] == "NotFoundException"


def test_required_parameters_are_checked_where_a_validator_says_so(rest):
    validator = rest.gateway.create_request_validator(
        restApiId=rest.id, name="parameters", validateRequestParameters=True
    )["id"]
    needs = {"method.request.querystring.carrier": True, "method.request.header.X-Own": False}
    rest.method("GET", "/flights", rest.behind, needs=needs, requestValidatorId=validator)
    rest.deploy()
    assert rest.ask("/flights?carrier=UA").status_code == 200
    answer = rest.ask("/flights?other=1")
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Missing required request parameters: [carrier]",
    )


def test_a_stage_throttles_a_method(rest):
    rest.method("GET", "/flights", rest.behind)
    rest.method("GET", "/planes/{id}", rest.behind + "/{id}")
    rest.deploy()

    def throttle(where, rate, burst):
        changes = [
            {"op": "replace", "path": f"/{where}/throttling/rateLimit", "value": str(rate)},
            {"op": "replace", "path": f"/{where}/throttling/burstLimit", "value": str(burst)},
        ]
        rest.gateway.update_stage(restApiId=rest.id, stageName="v1", patchOperations=changes)

    throttle("~1planes~1{id}/GET", 0.001, 2)
    answers = [rest.ask("/planes/7") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert refusal(answers[2]) == THROTTLED
    assert rest.ask().status_code == 200
    rest.deploy()
    assert rest.ask("/planes/7").status_code == 429
    throttle("*/*", 0.001, 1)
    assert [rest.ask().status_code for _ in range(2)] == [200, 429]


def test_iam_wants_a_good_signature(rest):
    rest.method("GET", "/flights", rest.behind, auth="AWS_IAM")
    rest.deploy()
    asked = AWSRequest("GET", f"{rest.address}/v1/flights")
    SigV4Auth(Credentials("drydock", "drydock"), "execute-api", "us-east-1").add_auth(asked)
    good = dict(asked.headers.items())
    assert rest.ask(headers=good).status_code == 200
    assert refusal(rest.ask()) == NO_METHOD
    bad = {**good, "Authorization": good["Authorization"][:-4] + "0000"}
    assert refusal(rest.ask(headers=bad))[::2] == (403, "InvalidSignatureException")


def test_the_access_log_has_a_line_for_each_request(cloud, rest):
    logs, group = client(cloud, "logs"), f"/rest/{rest.id}"
    logs.create_log_group(logGroupName=group)
    rest.method("GET", "/flights/{id}", rest.behind + "/{id}")
    rest.deploy()
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    form = "$context.httpMethod $context.resourcePath $context.status $context.error.message"
    settings = {"destinationArn": arn, "format": form}
    rest.gateway.update_stage(
        restApiId=rest.id,
        stageName="v1",
        patchOperations=[
            {"op": "replace", "path": f"/accessLogSettings/{name}", "value": value}
            for name, value in settings.items()
        ],
    )
    rest.ask("/flights/7")
    rest.ask("/none")

    def lines():
        return [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]]

    wait_for(lambda: len(lines()) == 2, "two lines")
    assert lines() == ["GET /flights/{id} 200 -", "GET - 403 no resource and method match"]


def test_curl_gets_it_with_and_without_a_key(rest):
    rest.method("GET", "/flights", rest.behind, key=True)
    rest.deploy()
    key, value = rest.key()
    rest.plan(key)

    def curl(*more):
        url = f"{rest.address}/v1/flights"
        command = ["curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}", *more, url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert curl("-H", f"x-api-key: {value}").endswith("\n200")
    assert curl() == '{"message":"Forbidden"}\n403'


def test_it_is_served_at_its_address_until_it_is_deleted(cloud, apis):
    api = RestApi(cloud, binaryMediaTypes=["*/*"])
    found = api.gateway.get_rest_api(restApiId=api.id)
    assert found["tags"]["localcloud:endpoint"] == api.address
    assert found["binaryMediaTypes"] == ["*/*"]
    assert isinstance(found["createdDate"], dt.datetime)
    assert refusal(api.ask()) == FORBIDDEN
    api.remove()
    with pytest.raises(Exception, match="refused"):
        api.ask()
