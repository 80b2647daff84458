"""Payload format 1.0: a request as an event to a function, and its answer back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from localcloud.gateway.call import Call
from localcloud.gateway.rest.refusals import Declined

KNOWN = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def of(call: Call, binary: list[str]) -> dict[str, Any]:
    """The event. Bodies of the ``binary`` media types are sent in base64."""
    request, noted = call.request, call.noted
    headers = several(request.headers.items())
    query = several(request.rel_url.query.items())
    encoded = bool(call.body) and _is_one_of(request.content_type, binary)
    text = base64.b64encode(call.body) if encoded else call.body
    return {
        "resource": call.route.path,
        "path": unquote(call.path),
        "httpMethod": request.method,
        "headers": last(headers),
        "multiValueHeaders": headers or None,
        "queryStringParameters": last(query),
        "multiValueQueryStringParameters": query or None,
        "pathParameters": call.variables or None,
        "stageVariables": call.stage.stage_variables or None,
        "requestContext": {
            "resourceId": call.route.resource_id,
            "resourcePath": call.route.path,
            "httpMethod": request.method,
            "extendedRequestId": noted["extendedRequestId"],
            "requestTime": noted["requestTime"],
            "path": call.sent_path,
            "accountId": call.account,
            "protocol": "HTTP/1.1",
            "stage": call.stage.name,
            "domainPrefix": call.api.api_id,
            "requestTimeEpoch": noted["requestTimeEpoch"],
            "requestId": noted["requestId"],
            "identity": {
                "apiKey": noted.get("identity.apiKey"),
                "apiKeyId": noted.get("identity.apiKeyId"),
                "sourceIp": request.remote,
                "userAgent": request.headers.get("User-Agent"),
                "userArn": noted.get("identity.userArn"),
            },
            "domainName": noted["domainName"],
            "apiId": call.api.api_id,
        },
        "body": text.decode(errors="replace") or None,
        "isBase64Encoded": encoded,
    }


def answer(
    body: bytes, accept: str, binary: list[str], kind: str = "application/json"
) -> web.Response:
    """What the function said. Base64 is decoded if the first type the client accepts is binary.
    ``kind`` is the content type where it names none.

    Raises Declined for what is no answer: 502.
    """
    try:
        said = json.loads(body)
        if not isinstance(said, dict) or said.keys() - KNOWN:
            raise ValueError(f"it may have only {', '.join(sorted(KNOWN))}")
        content = said.get("body") or ""
        if not isinstance(content, str):
            raise ValueError("its body is no text")
        first = accept.partition(",")[0].partition(";")[0].strip()
        decode = said.get("isBase64Encoded") and _is_one_of(first, binary)
        data = base64.b64decode(content, validate=True) if decode else content.encode()
        made = web.Response(status=int(said.get("statusCode") or 200), body=data)
        made.headers["Content-Type"] = kind
        for name, value in (said.get("headers") or {}).items():
            if name.lower() != "content-length":
                made.headers[name] = str(value)
        for name, values in (said.get("multiValueHeaders") or {}).items():
            made.headers.popall(name, None)
            for value in values:
                made.headers.add(name, str(value))
        return made
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        why = f"Malformed Lambda proxy response: {error}"
        raise Declined("BAD_INTEGRATION_ANSWER", why) from None


def _is_one_of(kind: str, binary: list[str]) -> bool:
    main = kind.partition("/")[0]
    return bool(kind) and any(one in (kind, "*/*", f"{main}/*") for one in binary)


def several(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each name."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def last(values: dict[str, list[str]]) -> dict[str, str] | None:
    """The last value of each name; None where there is none."""
    return {name: given[-1] for name, given in values.items()} or None
