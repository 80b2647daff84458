"""Payload format 1.0 of HTTP APIs: nearly a REST API's event, with names of headers in lower case.

Where a stage has a name, ``path`` begins with it, which a REST API's does not.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://github.com/dougmoscrop/serverless-http/pull/143 (the stage); both read on 2026-11-24.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from localcloud.gateway.call import Call
from localcloud.gateway.refusals import Refused
from localcloud.gateway.rest import event as rest_event
from localcloud.gateway.rest.refusals import Declined

PLAIN = "text/plain;charset=utf-8"


def event(call: Call, text: bool) -> dict[str, Any]:
    """The event of a request; a body that is no ``text`` is sent in base64."""
    request, noted = call.request, call.noted
    headers = rest_event.several((n.lower(), v) for n, v in request.headers.items())
    query = rest_event.several(request.rel_url.query.items())
    method, _, resource = call.route.route_key.partition(" ")
    body = call.body if text else base64.b64encode(call.body)
    context = {
        "accountId": call.account,
        "apiId": call.api.api_id,
        "domainName": noted["domainName"],
        "domainPrefix": call.api.api_id,
        "extendedRequestId": noted["requestId"],
        "httpMethod": request.method,
        "identity": {
            "sourceIp": request.remote,
            "userAgent": request.headers.get("User-Agent", ""),
            "userArn": noted.get("identity.userArn"),
        },
        "path": call.sent_path,
        "protocol": "HTTP/1.1",
        "requestId": noted["requestId"],
        "requestTime": noted["requestTime"],
        "requestTimeEpoch": noted["requestTimeEpoch"],
        "resourceId": None,
        "resourcePath": resource or method,
        "stage": call.stage.name,
    }
    if call.claims:
        claims = {name: str(value) for name, value in call.claims.items()}
        context["authorizer"] = {"claims": claims, "scopes": None}
    return {
        "version": "1.0",
        "resource": resource or method,
        "path": unquote(call.sent_path),
        "httpMethod": request.method,
        "headers": rest_event.last(headers),
        "multiValueHeaders": headers or None,
        "queryStringParameters": rest_event.last(query),
        "multiValueQueryStringParameters": query or None,
        "requestContext": context,
        "pathParameters": call.variables or None,
        "stageVariables": call.stage.stage_variables or None,
        "body": body.decode(errors="replace") or None,
        "isBase64Encoded": bool(call.body) and not text,
    }


def response(body: bytes) -> web.Response:
    """What the function answered; nothing is guessed, unlike in format 2.0. Raises Refused."""
    try:
        return rest_event.answer(body, "*/*", ["*/*"], PLAIN)
    except Declined as declined:
        raise Refused(500, str(declined)) from None
