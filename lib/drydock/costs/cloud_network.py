"""The cloud's ways in and out, as items of a bill: addresses, balancers, NAT gateways, APIs.

Traffic is in no description: what it would add is told, where CloudWatch or an access log does not
hold it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

from drydock.costs.items import Item, seconds_since
from drydock.model import api_gateway, network
from drydock.model.prices import combined

DAY = 86_400


def public_addresses(session, tasks: Iterable[dict]) -> dict[str, bool | None]:
    """Return by task ARN whether it had a public IPv4 address, None where nobody knows any more.

    EC2 knows the interfaces of tasks that run. Those of others are gone: then a service still tells
    what it asks for its tasks, but for a task of RunTask nothing does.
    """
    tasks = list(tasks)
    interfaces = {task["taskArn"]: _interface(task) for task in tasks}
    known = _interfaces(session.client("ec2"), [one for one in interfaces.values() if one])
    services: dict[tuple[str, str], bool | None] = {}
    found: dict[str, bool | None] = {}
    for task in tasks:
        arn, group = task["taskArn"], task.get("group", "")
        found[arn] = known.get(interfaces[arn] or "")
        if found[arn] is None and group.startswith("service:"):
            key = (task["clusterArn"], group.removeprefix("service:"))
            if key not in services:
                services[key] = _service_asks(session.client("ecs"), *key)
            found[arn] = services[key]
    return found


def _interface(task: dict) -> str | None:
    details = [
        one
        for attachment in task.get("attachments", [])
        for one in attachment.get("details", [])
        if one["name"] == "networkInterfaceId"
    ]
    return details[0]["value"] if details else None


def _interfaces(ec2, ids: list[str]) -> dict[str, bool]:
    found = {}
    for start in range(0, len(ids), 200):  # EC2 takes 200 values in a filter
        some = [{"Name": "network-interface-id", "Values": ids[start : start + 200]}]
        for page in ec2.get_paginator("describe_network_interfaces").paginate(Filters=some):
            for one in page["NetworkInterfaces"]:
                address = one.get("Association", {}).get("PublicIp")
                found[one["NetworkInterfaceId"]] = bool(address)
    return found


def _service_asks(ecs, cluster: str, name: str) -> bool | None:
    for one in ecs.describe_services(cluster=cluster, services=[name])["services"]:
        asked = one.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        return asked.get("assignPublicIp") == "ENABLED"
    return None


def load_balancers(session, now: dt.datetime, _) -> Iterator[Item | str]:
    """An address in each zone of a balancer that faces the internet is billed, too."""
    pages = session.client("elbv2").get_paginator("describe_load_balancers").paginate()
    for one in (one for page in pages for one in page["LoadBalancers"]):
        name, kind = one["LoadBalancerName"], one["Type"]
        hours = Decimal(str(seconds_since(one["CreatedTime"], now))) / 3600
        if kind not in ("application", "network"):
            yield f"load balancer {name}: no price of a {kind} one is known"
            continue
        bill = network.alb(hours) if kind == "application" else network.nlb(hours)
        used = f"{kind}, {hours:.2f} h"
        if one.get("Scheme") == "internet-facing":
            zones = len(one["AvailabilityZones"])
            bill = combined((bill, network.public_ipv4(hours, addresses=zones)))
            used += f"; {zones} public addresses"
        yield Item(f"Load balancer: {name}", used, bill)
        yield f"load balancer {name}: the LCUs of its traffic"


def nat_gateways(session, now: dt.datetime, _) -> Iterator[Item | str]:
    pages = session.client("ec2").get_paginator("describe_nat_gateways").paginate()
    for one in (one for page in pages for one in page["NatGateways"]):
        if one["State"] != "available":
            continue
        name, public = one["NatGatewayId"], one.get("ConnectivityType", "public") == "public"
        hours = Decimal(str(seconds_since(one["CreateTime"], now))) / 3600
        bill = combined(
            (network.nat_gateway(hours), network.public_ipv4(hours, addresses=int(public)))
        )
        yield Item(f"NAT gateway: {name}", f"{hours:.2f} h", bill)
        yield f"NAT gateway {name}: the GB that went through it"


def apis(session, now: dt.datetime, _) -> Iterator[Item | str]:
    """Requests are those of CloudWatch's metric Count, or else the lines of access logs."""
    pages = session.client("apigatewayv2").get_paginator("get_apis").paginate()
    for one in (one for page in pages for one in page["Items"]):
        if one["ProtocolType"] != "HTTP":
            yield f"API {one['Name']}: messages and minutes of a {one['ProtocolType']} API"
            continue
        requests = _counted(session, one, now)
        where = "CloudWatch"
        if requests is None:
            requests, where = _logged(session, one["ApiId"]), "access logs"
        if requests is None:
            yield f"HTTP API {one['Name']}: its requests, neither measured nor in access logs"
        elif requests:
            used = f"{requests:,} requests by its {where}"
            yield Item(f"HTTP API: {one['Name']}", used, api_gateway.http(requests))
    for page in session.client("apigateway").get_paginator("get_rest_apis").paginate():
        for one in page["items"]:
            yield f"REST API {one['name']}: its requests, which are not counted here"


def _counted(session, api: dict, now: dt.datetime) -> int | None:
    points = session.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/ApiGateway",
        MetricName="Count",
        Dimensions=[{"Name": "ApiId", "Value": api["ApiId"]}],
        StartTime=api["CreatedDate"] - dt.timedelta(days=1),
        EndTime=now + dt.timedelta(days=1),
        Period=DAY,
        Statistics=["Sum"],
    )["Datapoints"]
    return int(sum(one["Sum"] for one in points)) if points else None


def _logged(session, api_id: str) -> int | None:
    """The lines of the access logs of its stages; None unless each stage has one."""
    stages = session.client("apigatewayv2").get_stages(ApiId=api_id)["Items"]
    groups = [one.get("AccessLogSettings", {}).get("DestinationArn", "") for one in stages]
    if not groups or not all(groups):
        return None
    logs, lines = session.client("logs"), 0
    for arn in set(groups):
        name = arn.removesuffix(":*").split(":log-group:")[-1]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
            lines += len(page["events"])
    return lines
