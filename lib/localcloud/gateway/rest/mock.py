"""MOCK integrations: the gateway answers by itself, as for a preflight request or a landing page.

The request's template tells a status code, which chooses an integration response by its pattern;
the one without a pattern is the default. Templates are text here: Velocity is refused.
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
Both read on 2026-11-24.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from localcloud.gateway.call import Call
from localcloud.gateway.rest.refusals import Declined

JSON = "application/json"
VELOCITY = re.compile(r"[#$]\{?!?[A-Za-z]")
HEADER = "method.response.header."


def check_templates(templates: Mapping[str, str | None] | None) -> str:
    """What is wrong with these templates; nothing, as a rule."""
    for kind, text in (templates or {}).items():
        if VELOCITY.search(text or ""):
            return f"The local cloud runs no Velocity: make the template of {kind} plain text"
    return ""


def answer(call: Call, integration: Any) -> web.Response:
    """The answer. Raises Declined: 415, or 500 where no response is set up for the status."""
    status = _status(call, integration)
    chosen = _response(integration.integration_responses or {}, status)
    call.noted["integration.status"] = status or "-"
    templates = chosen.response_templates or {}
    kind = JSON if JSON in templates or not templates else next(iter(templates))
    body = (templates.get(kind) or "").encode()
    made = web.Response(status=int(chosen.status_code), body=body)
    made.headers["Content-Type"] = kind
    for name, source in (chosen.response_parameters or {}).items():
        if name.startswith(HEADER) and source.startswith("'"):
            made.headers[name.removeprefix(HEADER)] = source[1:-1]
    return made


def _status(call: Call, integration: Any) -> int | None:
    """What the request's template says; None without one: the default response is meant."""
    templates = integration.request_templates or {}
    kind = call.request.content_type if "Content-Type" in call.request.headers else JSON
    if kind not in templates:
        behaviour = integration.passthrough_behaviour or "WHEN_NO_MATCH"
        if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and templates):
            raise Declined("UNSUPPORTED_MEDIA_TYPE", f"there is no template for {kind}")
        return None
    try:
        return int(json.loads(templates[kind] or "")["statusCode"])
    except (ValueError, TypeError, KeyError):
        raise Declined("API_CONFIGURATION_ERROR", "the template tells no statusCode") from None


def _response(responses: Mapping[str, Any], status: int | None) -> Any:
    default = None
    for one in responses.values():
        if not one.selection_pattern:
            default = one
        elif status is not None and re.fullmatch(one.selection_pattern, str(status)):
            return one
    if default is None:
        why = "No match for output mapping and no default endpoint response configured"
        raise Declined("API_CONFIGURATION_ERROR", why)
    return default
