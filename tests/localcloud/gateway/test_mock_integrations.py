"""REST APIs that answer by themselves: MOCK integrations, as for a preflight request."""

import pytest
from botocore.exceptions import ClientError
from rest_apis import RestApi, refusal

JSON = "application/json"
FAILED = (500, "Internal server error", "InternalServerErrorException")


@pytest.fixture
def mocked(cloud):
    """Makes a deployed API: its GET /flights with this template, and these responses."""
    api = RestApi(cloud)

    def make(templates, *responses, verb="GET", **more):
        where = {"restApiId": api.id, "resourceId": api.resource("/flights"), "httpMethod": verb}
        api.gateway.put_method(**where, authorizationType="NONE", apiKeyRequired=False)
        api.gateway.put_integration(**where, type="MOCK", requestTemplates=templates, **more)
        for response in responses:
            status = response["statusCode"]
            api.gateway.put_method_response(**where, statusCode=status)
            api.gateway.put_integration_response(**where, **response)
        api.deploy()
        return api

    yield make
    api.remove()


def response(status, body="", **more):
    return {"statusCode": status, "responseTemplates": {JSON: body}, **more}


def test_the_template_chooses_the_response(mocked):
    default, bad = response("200", '{"ok": true}'), response("500", "sorry", selectionPattern="5..")
    api = mocked({JSON: '{"statusCode": 200}'}, default, bad)
    answer = api.ask()
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert answer.headers["content-type"] == JSON
    api = mocked({JSON: '{"statusCode": 503}'}, default, bad)
    assert (api.ask().status_code, api.ask().text) == (500, "sorry")
    api = mocked({}, default, bad)
    assert api.ask().status_code == 200  # without a template the default is meant


def test_a_preflight_request_is_answered(mocked):
    """CORS of a REST API is an OPTIONS method of one's own."""
    headers = {"Allow-Origin": "https://lab.example", "Allow-Methods": "GET,OPTIONS"}
    named = {
        f"method.response.header.Access-Control-{name}": f"'{value}'"
        for name, value in headers.items()
    }
    allow = response("204", responseParameters=named)
    api = mocked({JSON: '{"statusCode": 204}'}, allow, verb="OPTIONS")
    answer = api.ask(verb="OPTIONS", headers={"Origin": "https://lab.example"})
    assert (answer.status_code, answer.content) == (204, b"")
    for name, value in headers.items():
        assert answer.headers[f"access-control-{name.lower()}"] == value


@pytest.mark.parametrize("template", ['{"status": 200}', "no json", '{"statusCode": "many"}', "[]"])
def test_a_template_without_a_status_is_500(mocked, template):
    assert refusal(mocked({JSON: template}, response("200")).ask()) == FAILED


def test_without_a_fitting_response_it_is_500(mocked):
    only = response("404", selectionPattern="404")
    assert refusal(mocked({JSON: '{"statusCode": 200}'}, only).ask()) == FAILED


@pytest.mark.parametrize(
    ("behaviour", "status"), [("WHEN_NO_MATCH", 200), ("WHEN_NO_TEMPLATES", 415), ("NEVER", 415)]
)
def test_a_content_type_without_template(mocked, behaviour, status):
    templates = {JSON: '{"statusCode": 200}'}
    api = mocked(templates, response("200"), verb="POST", passthroughBehavior=behaviour)
    plain = {"Content-Type": "text/plain"}
    assert api.ask(verb="POST", content=b"x", headers=plain).status_code == status
    of_json = {"Content-Type": f"{JSON}; charset=utf-8"}
    assert api.ask(verb="POST", content=b"{}", headers=of_json).status_code == 200


def test_velocity_is_refused_in_a_response_too(mocked):
    with pytest.raises(ClientError, match="no Velocity"):
        mocked({}, response("200", "#set($x = 1)"))
