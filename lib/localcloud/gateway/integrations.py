"""Where a route leads: a public address, a load balancer behind a VPC link, or a function."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.elbv2.models import elbv2_backends
from yarl import URL

from localcloud.elb.forward import passed_on
from localcloud.elb.groups import place_of
from localcloud.gateway.call import Call
from localcloud.gateway.refusals import Refused
from localcloud.network import defaults, reachability, vpc

LONGEST_SECONDS = 30.0
LARGEST_BYTES = 10 * 1024 * 1024
NOT_PASSED = {"host", "content-length", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"}


class Http:
    """HTTP_PROXY integrations. ``inside`` connects from the VPC, ``outside`` from the internet."""

    def __init__(self, inside: aiohttp.ClientSession, outside: aiohttp.ClientSession):
        self._inside, self._outside = inside, outside

    async def answer(self, call: Call, integration: Any) -> web.Response:
        private = integration.connection_type == "VPC_LINK"
        base = _listener(call, integration) if private else _filled(integration, call)
        path, headers = _mapped(integration, call, call.sent_path if private else None)
        url = URL(base + (path or "") + (f"?{call.query}" if call.query else ""), encoded=True)
        session = self._inside if private else self._outside
        seconds = (integration.timeout_in_millis or LONGEST_SECONDS * 1000) / 1000
        method = integration.integration_method
        try:
            async with session.request(
                call.request.method if method in (None, "ANY") or private else method,
                url,
                headers=headers,
                data=call.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as answer:
                call.noted["integrationStatus"] = call.noted["integration.status"] = answer.status
                content = await _limited(answer)
                response = web.Response(status=answer.status, reason=answer.reason, body=content)
                own = [
                    (n, v) for n, v in passed_on(answer.headers) if n.lower() != "content-length"
                ]
                response.headers.clear()
                response.headers.extend(own)
                return response
        except TimeoutError:
            raise Refused(504, "the integration took too long") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Refused(503, f"the integration cannot be reached: {error}") from None


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    content = b""
    async for block in answer.content.iter_chunked(1 << 18):
        content += block
        if len(content) > LARGEST_BYTES:
            raise Refused(500, "the integration's answer is larger than 10 MB")
    return content


def _listener(call: Call, integration: Any) -> str:
    """The address of the listener behind the VPC link, if its security groups let the link in."""
    backend = apigatewayv2_backends[call.account][call.region]
    link = backend.vpc_links.get(integration.connection_id)
    balancers = elbv2_backends[call.account][call.region].load_balancers
    for balancer in list(balancers.values()):
        listener = balancer.listeners.get(integration.integration_uri)
        if listener is None or link is None:
            continue
        ec2 = defaults.backend(call.account, call.region)
        groups = link.sg_ids or [vpc.default_group(ec2, balancer.vpc_id)]
        here = vpc.Place(tuple(link.subnet_ids), tuple(groups))
        port = int(listener.port)
        found = reachability.to_place(ec2, here, place_of(balancer, ec2), port)
        if not found:
            raise Refused(503, f"VPC link {link.id}: {found.why}")
        if listener.protocol != "HTTP":
            raise Refused(500, "the local cloud's private integrations lead to HTTP listeners")
        return f"http://{balancer.dns_name}:{port}"
    raise Refused(500, "the integration's listener or VPC link does not exist")


def _filled(integration: Any, call: Call) -> str:
    """The integration's address, with the path's variables in it."""
    address = integration.integration_uri
    for name, value in call.variables.items():
        address = address.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
    if urlsplit(address).scheme not in ("http", "https"):
        raise Refused(500, f"{address} is no address")
    return address


def _mapped(integration: Any, call: Call, path: str | None) -> tuple[str | None, list]:
    """The path and the headers to send, by the integration's requestParameters.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
    """
    asked = call.request.headers
    headers = [(n, v) for n, v in passed_on(asked) if n.lower() not in NOT_PASSED]
    came_by = ", ".join(filter(None, [asked.get("X-Forwarded-For"), call.request.remote]))
    scheme = "https" if call.request.secure else "http"
    headers += [
        ("Host", asked.get("Host", "")),
        ("X-Forwarded-For", came_by),
        ("X-Forwarded-Proto", scheme),
        ("Forwarded", f"for={call.request.remote};host={asked.get('Host', '')};proto={scheme}"),
        ("Via", "HTTP/1.1 AmazonAPIGateway"),
    ]
    for target, source in (integration.request_parameters or {}).items():
        action, _, where = target.partition(":")
        value = call.value_of(source)
        kind, _, name = where.partition(".")
        if kind == "path" and action == "overwrite":
            path = value
        elif kind == "header":
            if action in ("overwrite", "remove"):
                headers = [(n, v) for n, v in headers if n.lower() != name.lower()]
            if action in ("overwrite", "append"):
                headers.append((name, value))
    return path, headers
