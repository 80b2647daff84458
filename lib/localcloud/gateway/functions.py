"""AWS_PROXY integrations: a request as an event to a Lambda function, and its answer back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Failures: 500 with Internal Server Error
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html),
and 503 with Service Unavailable for a function that takes too long
(https://github.com/serverless/serverless/issues/11222); read on 2026-11-23.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError

from localcloud.functions import Functions
from localcloud.functions.environment import Outcome
from localcloud.functions.policy import lets_in
from localcloud.functions.rules import LARGEST_SYNC, RequestTooLarge, TooManyRequests
from localcloud.gateway import payload_one
from localcloud.gateway.call import Call
from localcloud.gateway.integrations import LONGEST_SECONDS
from localcloud.gateway.refusals import Refused

SERVICE = "apigateway.amazonaws.com"
TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml)|application/javascript")


# More than may run at once: what is over the limit is to be told so, not to wait.
CALLS_AT_ONCE = 64


class NoFunction(Exception):
    """The integration names a function that does not exist."""


class NotLetIn(Exception):
    """The function's resource policy does not let the API call it."""


class Lambda:
    def __init__(self, functions: Functions):
        self._functions = functions
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, "gateway-lambda")

    async def answer(self, call: Call, integration: Any) -> web.Response:
        """An HTTP API's. Raises Refused."""
        one = integration.payload_format_version == "1.0"
        seconds = (integration.timeout_in_millis or LONGEST_SECONDS * 1000) / 1000
        try:
            function = self.find(call, integration.integration_uri)
            sent = payload_one.event(call, _is_text(call)) if one else _event(call)
            outcome = await self.run(call, function, sent, seconds)
        except (NoFunction, NotLetIn) as error:
            raise Refused(500, str(error)) from None
        except RequestTooLarge:
            raise Refused(413, "the event is larger than 6 MB") from None
        except TimeoutError:
            raise Refused(503, "the function took too long") from None
        except TooManyRequests:
            raise Refused(503, "the function is throttled") from None
        if outcome.failed:
            raise Refused(500, f"the function failed: {outcome.body.decode(errors='replace')}")
        return payload_one.response(outcome.body) if one else _response(outcome.body)

    def find(self, call: Call, uri: str) -> Any:
        """The function that a URI names. Raises NoFunction, NotLetIn."""
        arn = uri.partition("/functions/")[2].removesuffix("/invocations") or uri
        try:
            function = lambda_backends[call.account][call.region].get_function(arn)
        except JsonRESTError:
            raise NoFunction(f"there is no function {arn}") from None
        if not _lets_in(function, call):
            raise NotLetIn(
                "The IAM role configured on the integration or API Gateway doesn't have "
                "permissions to call the integration. Check the permissions and try again."
            )
        return function

    async def run(
        self, call: Call, function: Any, event: dict[str, Any], seconds: float
    ) -> Outcome:
        """Raises RequestTooLarge, TimeoutError, TooManyRequests."""
        payload = json.dumps(event).encode()
        if len(payload) > LARGEST_SYNC:
            raise RequestTooLarge(LARGEST_SYNC)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._functions.invoke, function, payload)
        outcome = await asyncio.wait_for(work, seconds)
        call.noted["integration.requestId"] = outcome.request_id
        call.noted["integrationStatus"] = call.noted["integration.status"] = 200
        return outcome


def _lets_in(function: Any, call: Call) -> bool:
    """Whether the function's resource policy lets this API's route call it."""
    method, _, path = call.route.route_key.partition(" ")
    where = f"{'*' if method == 'ANY' else method}{path}" if path else method
    source = (
        f"arn:aws:execute-api:{call.region}:{call.account}:"
        f"{call.api.api_id}/{call.stage.name}/{where}"
    )
    return lets_in(function, SERVICE, source, call.account)


def _event(call: Call) -> dict[str, Any]:
    """Payload format 2.0: no field where there is nothing to say."""
    request, noted = call.request, call.noted
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        if key != "cookie":
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    query: dict[str, str] = {}
    for name, value in request.rel_url.query.items():
        query[name] = f"{query[name]},{value}" if name in query else value
    context: dict[str, Any] = {
        "accountId": call.account,
        "apiId": call.api.api_id,
        "domainName": noted["domainName"],
        "domainPrefix": call.api.api_id,
        "http": {
            "method": request.method,
            "path": call.sent_path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.remote,
            "userAgent": request.headers.get("User-Agent", ""),
        },
        "requestId": noted["requestId"],
        "routeKey": call.route.route_key,
        "stage": call.stage.name,
        "time": noted["requestTime"],
        "timeEpoch": noted["requestTimeEpoch"],
    }
    if call.claims:
        claims = {name: str(value) for name, value in call.claims.items()}
        context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    text = _is_text(call)
    event = {
        "version": "2.0",
        "routeKey": call.route.route_key,
        "rawPath": unquote(call.sent_path),
        "rawQueryString": call.query,
        "cookies": [one.strip() for one in request.headers.get("Cookie", "").split(";") if one],
        "headers": headers,
        "queryStringParameters": query,
        "requestContext": context,
        "pathParameters": call.variables,
        "stageVariables": call.stage.stage_variables,
        "body": (call.body.decode(errors="replace") if text else _encoded(call.body)) or None,
        "isBase64Encoded": bool(call.body) and not text,
    }
    always = ("rawQueryString", "isBase64Encoded")
    return {name: value for name, value in event.items() if value or name in always}


def _is_text(call: Call) -> bool:
    return TEXT.fullmatch(call.request.content_type) is not None


def _encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _response(body: bytes) -> web.Response:
    """What the function answered. Without a statusCode, it is the body of a 200."""
    try:
        said = json.loads(body)
        if not isinstance(said, dict) or "statusCode" not in said:
            kind = {"Content-Type": "application/json"}
            text = said if isinstance(said, str) else body.decode()
            return web.Response(status=200, body=text.encode(), headers=kind)
        content = said.get("body") or ""
        if not isinstance(content, str):
            raise ValueError("its body is no text")
        encoded = said.get("isBase64Encoded")
        data = base64.b64decode(content, validate=True) if encoded else content.encode()
        answer = web.Response(status=int(said["statusCode"]), body=data)
        answer.headers["Content-Type"] = "text/plain;charset=utf-8"
        for name, value in (said.get("headers") or {}).items():
            if name.lower() != "content-length":
                answer.headers[name] = str(value)
        for cookie in said.get("cookies") or ():
            answer.headers.add("Set-Cookie", cookie)
        return answer
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise Refused(500, f"the function's answer is malformed: {error}") from None
