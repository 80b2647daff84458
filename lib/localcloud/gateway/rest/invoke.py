"""A request's way through a REST API: stage, resource, caller, key, throttles, integration, log."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from localcloud.functions.rules import RequestTooLarge, TooManyRequests
from localcloud.gateway import signatures
from localcloud.gateway.access_logs import AccessLogs
from localcloud.gateway.call import Call
from localcloud.gateway.functions import Lambda, NoFunction, NotLetIn
from localcloud.gateway.integrations import Http
from localcloud.gateway.invoke import read_body
from localcloud.gateway.refusals import Refused
from localcloud.gateway.rest import event, mock, plans, private, resources
from localcloud.gateway.rest.refusals import Declined
from localcloud.gateway.throttle import ACCOUNT_BURST, ACCOUNT_RATE, Throttles

LONGEST_MILLIS = 29_000
BY_STATUS = {413: "REQUEST_TOO_LARGE", 503: "INTEGRATION_FAILURE", 504: "INTEGRATION_TIMEOUT"}


@dataclass
class Target:
    """An HTTP_PROXY integration, as integrations.Http takes it."""

    integration_uri: str
    integration_method: str
    timeout_in_millis: int
    request_parameters: dict[str, str] = field(default_factory=dict)
    connection_type: str = "INTERNET"
    connection_id: str = ""


class RestInvoker:
    def __init__(self, http: Http, functions: Lambda, logs: AccessLogs, throttles: Throttles):
        self._http, self._functions = http, functions
        self._logs, self._throttles = logs, throttles

    async def answer(self, backend: Any, api: Any, request: web.BaseRequest) -> web.Response:
        first, _, rest = request.raw_path.partition("?")[0][1:].partition("/")
        stage = api.stages.get(first)
        call = Call(request, backend.account_id, backend.region_name, api, stage, f"/{rest}")
        call.noted["extendedRequestId"] = call.noted["requestId"][:15] + "="
        trouble = ""
        try:
            answer = await self._through(call, backend)
        except Declined as declined:
            answer, trouble = declined.answer(), str(declined)
        except Refused as refused:
            kind = BY_STATUS.get(refused.status, "API_CONFIGURATION_ERROR")
            answer, trouble = Declined(kind).answer(), str(refused)
        answer.headers["x-amzn-RequestId"] = call.noted["requestId"]
        answer.headers["x-amz-apigw-id"] = call.noted["extendedRequestId"]
        length = len(answer.body) if isinstance(answer.body, bytes) else 0
        call.ended(answer.status, length, trouble)
        if stage:
            self._logs.note(stage.access_log_settings, call.noted)
        return answer

    async def _through(self, call: Call, backend: Any) -> web.Response:
        if call.stage is None:
            raise Declined("UNKNOWN_STAGE", "there is no such stage")
        deployment = call.api.deployments.get(call.stage.deployment_id)
        served = getattr(deployment, "served", {})
        call.route, call.variables = resources.find(served, call.request.method, call.path)
        if call.route is None:
            raise Declined("MISSING_AUTHENTICATION_TOKEN", "no resource and method match")
        call.noted["resourcePath"] = call.route.path
        call.noted["resourceId"] = call.route.resource_id
        call.body = await read_body(call.request)
        await self._authorise(call)
        self._admit(call, backend)
        self._check_parameters(call)
        integration = call.route.method.method_integration
        if integration is None:
            raise Declined("API_CONFIGURATION_ERROR", "the method has no integration")
        if integration.integration_type == "MOCK":
            return mock.answer(call, integration)
        call.integrating = True
        if integration.integration_type == "AWS_PROXY":
            return await self._call_function(call, integration)
        return await self._http.answer(call, _target(call, integration))

    async def _authorise(self, call: Call) -> None:
        if call.route.method.authorization_type != "AWS_IAM":
            return
        asked = call.request
        if "Authorization" not in asked.headers:
            raise Declined("MISSING_AUTHENTICATION_TOKEN", "the request is not signed")
        arn = (
            f"arn:aws:execute-api:{call.region}:{call.account}:{call.api.api_id}/"
            f"{call.stage.name}/{asked.method}{call.path}"
        )
        url = f"http://{asked.headers.get('Host', '')}{asked.raw_path}"
        given = (asked.method, url, asked.headers, call.body)
        try:
            caller = await asyncio.to_thread(
                signatures.check, call.account, call.region, arn, *given
            )
        except Refused as refused:
            if "no policy allows" in str(refused):
                message = f"User is not authorized to perform: execute-api:Invoke on {arn}"
                raise Declined("ACCESS_DENIED", str(refused), message) from None
            raise Declined("INVALID_SIGNATURE", str(refused)) from None
        call.noted["identity.userArn"] = caller

    def _admit(self, call: Call, backend: Any) -> None:
        """The plan's limits come first, then the stage's, then the account's."""
        now = time.monotonic()
        method = call.request.method
        if call.route.method.api_key_required:
            value = call.request.headers.get("x-api-key")
            if not value:
                raise Declined("INVALID_API_KEY", "the method needs an API key in x-api-key")
            key, plan, entry = plans.key_and_plan(backend, call.api.id, call.stage.name, value)
            call.noted |= {"identity.apiKeyId": key.id, "identity.apiKey": key.value}
            where = f"{call.route.path}/{method}"
            plans.admit(self._throttles, key, plan, entry, where, now, plans.today())
        settings = call.stage.method_settings
        escaped = call.route.path.strip("/").replace("/", "~1")
        for name in (f"{escaped}/{method}", f"~1{escaped}/{method}", "*/*"):
            if name in settings:
                rate = float(settings[name]["throttlingRateLimit"])
                burst = float(settings[name]["throttlingBurstLimit"])
                where = (call.api.id, call.stage.name, name)
                if not self._throttles.take(where, rate, burst, now):
                    raise Declined("THROTTLED", f"the stage's setting {name} throttles")
                break
        if not self._throttles.take(("account",), ACCOUNT_RATE, ACCOUNT_BURST, now):
            raise Declined("THROTTLED", "the account's limit")

    def _check_parameters(self, call: Call) -> None:
        validator = call.api.request_validators.get(call.route.method.request_validator_id or "")
        if not validator or not validator.validate_request_parameters:
            return
        given = {
            "querystring": call.request.rel_url.query,
            "header": call.request.headers,
            "path": call.variables,
        }
        missing = []
        for name, required in (call.route.method.request_parameters or {}).items():
            _, _, kind, parameter = name.split(".", 3)
            if str(required).lower() == "true" and not given[kind].get(parameter):
                missing.append(parameter)
        if missing:
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            raise Declined("BAD_REQUEST_PARAMETERS", message, message)

    async def _call_function(self, call: Call, integration: Any) -> web.Response:
        if integration.http_method != "POST":
            raise Declined("API_CONFIGURATION_ERROR", "a function is called with POST")
        binary = call.api.binaryMediaTypes
        millis = int(integration.timeout_in_millis or LONGEST_MILLIS)
        try:
            function = self._functions.find(call, integration.uri)
            sent = event.of(call, binary)
            outcome = await self._functions.run(call, function, sent, millis / 1000)
        except TimeoutError:
            raise Declined("INTEGRATION_TIMEOUT", "the function took too long") from None
        except RequestTooLarge:
            why = "the event is larger than 6 MB"
            raise Declined("REQUEST_TOO_LARGE", why, "Request Too Long") from None
        except (NoFunction, NotLetIn, TooManyRequests) as error:
            raise Declined("API_CONFIGURATION_ERROR", str(error)) from None
        if outcome.failed:
            why = f"the function failed: {outcome.body.decode(errors='replace')}"
            raise Declined("BAD_INTEGRATION_ANSWER", why)
        return event.answer(outcome.body, call.request.headers.get("Accept", ""), binary)


def _target(call: Call, integration: Any) -> Target:
    """The integration's address with stage variables and mapped path parameters in it."""
    address = integration.uri
    for name, value in call.stage.stage_variables.items():
        address = address.replace(f"${{stageVariables.{name}}}", str(value))
    headers = {}
    for target, source in (integration.request_parameters or {}).items():
        value = call.value_of(_source(source))
        if target.startswith("integration.request.path."):
            address = address.replace(f"{{{target.rpartition('.')[2]}}}", value)
        elif target.startswith("integration.request.header."):
            name = target.removeprefix("integration.request.header.")
            headers[f"overwrite:header.{name}"] = value
    if "{" in address:
        raise Declined("API_CONFIGURATION_ERROR", f"{address} has a parameter without mapping")
    headers["overwrite:header.Host"] = urlsplit(address).netloc
    headers["overwrite:header.x-amzn-apigateway-api-id"] = call.api.api_id
    millis = int(integration.timeout_in_millis or LONGEST_MILLIS)
    if integration.connection_type == private.VPC_LINK:
        headers["overwrite:path"] = urlsplit(address).path or "/"
        through = (private.VPC_LINK, private.link(call, integration))
        address = private.listener(call, integration, address)
        return Target(address, integration.http_method, millis, headers, *through)
    return Target(address, integration.http_method, millis, headers)


def _source(text: str) -> str:
    """A REST API's mapping source as an HTTP API writes it; 'text' stands for itself."""
    if text.startswith("'"):
        return text.strip("'")
    if text.startswith("method.request."):
        return "$" + text.removeprefix("method.")
    return "$" + text
