"""Private integrations of REST APIs: through a VPC link to a listener of a load balancer.

As AWS has them since November 2025: a VPC link of apigatewayv2, the load balancer's ARN as
integrationTarget, and in the uri the listener's port, the path and the Host header.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-private-integration.html and,
for the uri, https://github.com/aws-samples/serverless-patterns/pull/2868; read on 2026-11-24.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.elbv2.models import elbv2_backends

from localcloud.gateway.call import Call
from localcloud.gateway.rest.refusals import Declined

VPC_LINK = "VPC_LINK"
PORTS = {"http": 80, "https": 443}
# connectionId and integrationTarget of the request that is being answered; moto hands on neither.
asked: ContextVar[tuple[str | None, str | None]] = ContextVar("asked", default=(None, None))


def trouble(backend: Any) -> str:
    """What is wrong with what was asked; nothing, as a rule."""
    link, target = asked.get()
    account, region = backend.account_id, backend.region_name
    if not link or not target:
        return "A private integration needs connectionId and integrationTarget"
    known = apigatewayv2_backends[account][region].vpc_links
    if link not in known and "${stageVariables." not in link:
        return f"There is no VPC link {link}: make one with apigatewayv2's create_vpc_link"
    if target not in elbv2_backends[account][region].load_balancers:
        return f"There is no Application Load Balancer {target}"
    return ""


def listener(call: Call, integration: Any, uri: str) -> str:
    """The ARN of the listener at the uri's port. Raises Declined."""
    balancers = elbv2_backends[call.account][call.region].load_balancers
    balancer = balancers.get(integration.integration_target)
    parts = urlsplit(uri)
    port = parts.port or PORTS.get(parts.scheme)
    for arn, one in (balancer.listeners if balancer else {}).items():
        if int(one.port) == port:
            return arn
    why = f"{integration.integration_target} has no listener on port {port}"
    raise Declined("INTEGRATION_FAILURE", why)


def link(call: Call, integration: Any) -> str:
    """The VPC link's id, which may stand in a stage variable."""
    found = integration.connection_id
    for name, value in call.stage.stage_variables.items():
        found = found.replace(f"${{stageVariables.{name}}}", str(value))
    return found
