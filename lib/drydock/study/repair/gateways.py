"""What labs need of API Gateway: an HTTP API, what stands behind it, its log, and their removal."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from botocore.exceptions import ClientError

from drydock import function_package
from drydock.study.repair import making
from drydock.study.repair.cleaning import remove_role

if TYPE_CHECKING:
    from drydock.study.repair.case import Case

STAGE = "v1"
LOG_FORMAT = json.dumps({"route": "$context.routeKey", "status": "$context.status"})
WAIT_SECONDS = 120.0
TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
LAMBDA_LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def create(case: Case, **stage) -> str:
    """An HTTP API named after the lab, its stage with an access log in the lab's group; its id.

    `stage` are further parameters of `apigatewayv2.create_stage`.
    """
    gateway = case.client("apigatewayv2")
    made = gateway.create_api(Name=case.prefix, ProtocolType="HTTP")["ApiId"]
    place = f"{case.lab.region}:{case.lab.account_id}:log-group:{case.log_group}"
    gateway.create_stage(
        ApiId=made,
        StageName=STAGE,
        AutoDeploy=True,
        AccessLogSettings={"DestinationArn": f"arn:aws:logs:{place}", "Format": LOG_FORMAT},
        **stage,
    )
    return made


def described(case: Case) -> dict | None:
    """The lab's HTTP API as API Gateway describes it; None if there is none."""
    pages = case.client("apigatewayv2").get_paginator("get_apis").paginate()
    found = [one for page in pages for one in page["Items"]]
    return next((one for one in found if one["Name"] == case.prefix), None)


def url(case: Case) -> str:
    """Where the lab's stage is called."""
    return f"{described(case)['ApiEndpoint']}/{STAGE}"


def ask(address: str, method: str = "GET", headers: dict | None = None) -> httpx.Response:
    """One request with no proxy between, by a client that waits longer than any API does."""
    return httpx.request(method, address, headers=headers, timeout=60, trust_env=False)


def function(case: Case, program: str, *route_keys: str) -> None:
    """Put lib/containers/labs/`program` into a function behind these routes of the lab's API.

    The folder has a module of the program's name, and a function `handler` in it.
    """
    gateway, functions = case.client("apigatewayv2"), case.client("lambda")
    api = described(case)["ApiId"]
    made = functions.create_function(
        FunctionName=case.prefix,
        Runtime="python3.13",
        Handler=f"{program}.{program}.handler",
        Role=making.role(case.lab, _role(case), managed=LAMBDA_LOGS, trust=TRUST_LAMBDA),
        Code={"ZipFile": function_package.zipped(making.PROGRAMS / program)},
        MemorySize=256,
        Timeout=20,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=case.prefix)
    place = f"{case.lab.region}:{case.lab.account_id}:{api}"
    functions.add_permission(
        FunctionName=case.prefix,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{place}/*",
    )
    target = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        PayloadFormatVersion="2.0",
        IntegrationUri=made["FunctionArn"],
    )["IntegrationId"]
    for key in route_keys:
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{target}")


def private(case: Case, listener: str, milliseconds: int, *paths: str) -> str:
    """Lead GET requests of these paths over a VPC link to a load balancer's listener, which has so
    long to answer; the integration's id."""
    gateway, network = case.client("apigatewayv2"), case.lab.network()["awsvpcConfiguration"]
    api = described(case)["ApiId"]
    link = gateway.create_vpc_link(
        Name=case.prefix,
        SubnetIds=network["subnets"],
        SecurityGroupIds=network["securityGroups"],
    )
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=listener,
        ConnectionType="VPC_LINK",
        ConnectionId=link["VpcLinkId"],
        PayloadFormatVersion="1.0",
        RequestParameters={"overwrite:path": "$request.path"},
        TimeoutInMillis=milliseconds,
    )["IntegrationId"]
    for path in paths:
        gateway.create_route(
            ApiId=api, RouteKey=f"GET {path}", Target=f"integrations/{integration}"
        )
    return integration


def statuses(case: Case, since_milliseconds: int = 0) -> list[int]:
    """The status of each request in the access log, oldest first."""
    paginator = case.client("logs").get_paginator("filter_log_events")
    pages = paginator.paginate(logGroupName=case.log_group, startTime=since_milliseconds)
    lines = [event["message"] for page in pages for event in page["events"]]
    # A task of the lab writes into the same group, in words.
    return [int(json.loads(line)["status"]) for line in lines if line.startswith("{")]


def clean(case: Case) -> None:
    """Remove what the functions above have made; what is not there is passed over."""
    gateway, functions, logs = (case.client(n) for n in ("apigatewayv2", "lambda", "logs"))
    if found := described(case):
        gateway.delete_api(ApiId=found["ApiId"])
    for link in gateway.get_vpc_links()["Items"]:
        if link["Name"] == case.prefix:
            gateway.delete_vpc_link(VpcLinkId=link["VpcLinkId"])
    with suppress(functions.exceptions.ResourceNotFoundException):
        functions.delete_function(FunctionName=case.prefix)
    remove_role(case, _role(case))
    with suppress(ClientError):
        logs.delete_log_group(logGroupName=f"/aws/lambda/{case.prefix}")


def _role(case: Case) -> str:
    return f"{case.prefix}-function"
