"""Load balancers, NAT gateways, VPC endpoints, public addresses and data transfer.

Part of an hour is billed as a whole hour. Sources: https://aws.amazon.com/elasticloadbalancing/pricing/,
https://aws.amazon.com/vpc/pricing/, https://aws.amazon.com/privatelink/pricing/
"""

import math
from decimal import Decimal

from drydock.model.prices import Bill, Line, number, price, whole
from drydock.model.tiers import beyond_free, tiered

FLAT = ("zone", "us-east-2", "region")


def lcus(
    *,
    new_connections=0,
    connection_seconds=0,
    gb_per_hour=0,
    lambda_gb_per_hour=0,
    requests=0,
    rules=0,
    mutual_tls: bool = False,
) -> Decimal:
    """Return the load balancer capacity units (LCU) of an Application Load Balancer.

    The largest of four dimensions counts: `new_connections` a second, connections active at once
    (new ones times `connection_seconds`), GB an hour, and rule evaluations: `requests` a second
    times the `rules` beyond the 10 that are free. A GB is 1,000,000 KB in AWS's example.
    """
    started = number(new_connections, "new_connections")
    active = started * number(connection_seconds, "connection_seconds")
    paid_rules = max(Decimal(0), number(rules, "rules") - _unit("rules-free"))
    return max(
        started / _unit("new-connections"),
        active / _unit("active-connections-mtls" if mutual_tls else "active-connections"),
        number(gb_per_hour, "gb_per_hour") / _unit("gb")
        + number(lambda_gb_per_hour, "lambda_gb_per_hour") / _unit("lambda-gb"),
        number(requests, "requests") * paid_rules / _unit("rule-evaluations"),
    )


def alb(hours, *, processed_gb=0, **traffic) -> Bill:
    """Return the bill of an Application Load Balancer for `hours`.

    `processed_gb` is spread evenly over the hours; the other arguments are those of `lcus`.
    """
    time = _whole_hours(hours)
    gb = number(processed_gb, "processed_gb")
    if gb and not time:
        raise ValueError("hours is 0 but processed_gb is not: type how long it ran")
    if gb:
        traffic["gb_per_hour"] = gb / time
    used = lcus(**traffic) * time
    return Bill(
        (Line("ALB", time, price("alb/hour")), Line("ALB LCU", used, price("alb/lcu-hour")))
    )


def nlb(hours, *, lcu_hours=0) -> Bill:
    """Return the bill of a Network Load Balancer for `hours` with `lcu_hours` in all."""
    used = number(lcu_hours, "lcu_hours")
    time = _whole_hours(hours)
    return Bill(
        (Line("NLB", time, price("nlb/hour")), Line("NLB LCU", used, price("nlb/lcu-hour")))
    )


def nat_gateway(hours, *, gb=0, gateways=1) -> Bill:
    """Return the bill of NAT gateways for `hours` each, and of `gb` processed in all."""
    time = _whole_hours(hours) * whole(gateways, "gateways")
    lines = [Line("NAT gateway", time, price("nat/hour"))]
    if number(gb, "gb"):
        lines.append(Line("NAT processing", number(gb, "gb"), price("nat/gb")))
    return Bill(tuple(lines))


def interface_endpoints(hours, *, endpoints=1, zones=1, gb=0) -> Bill:
    """Return the bill of interface endpoints in `zones` each, with `gb` processed in the month.

    Gateway endpoints (S3, DynamoDB) cost nothing. A PB is 1,000,000 GB in the tiers.
    """
    count = whole(endpoints, "endpoints") * whole(zones, "zones")
    lines = [Line("VPC endpoints", _whole_hours(hours) * count, price("vpc-endpoint/hour"))]
    return Bill((*lines, *tiered("VPC endpoint data", gb, "vpc-endpoint/gb")))


def public_ipv4(hours, *, addresses=1) -> Bill:
    """Return the bill of public IPv4 addresses, in use or idle, for `hours` each."""
    time = number(hours, "hours") * whole(addresses, "addresses")
    return Bill((Line("public IPv4", time, price("public-ipv4/hour")),))


def data_transfer(gb, *, to: str = "internet", free_tier: bool = False) -> Bill:
    """Return the bill of `gb` sent in a month to the "internet", or to another "zone" or region.

    "zone" is billed in each direction: count the bytes twice if both ends are yours. "us-east-2"
    is cheaper than another "region". `free_tier` takes the account's free 100 GB off.
    """
    if to == "internet":
        sent = beyond_free(gb, "data-transfer/internet-free", free_tier, what="gb")
        return Bill(tuple(tiered("data transfer out", sent, "data-transfer/internet/gb")))
    if to not in FLAT:
        raise ValueError(f"to is {to!r}: type 'internet', 'zone', 'us-east-2' or 'region'")
    return Bill(
        (Line(f"data transfer to {to}", number(gb, "gb"), price(f"data-transfer/{to}/gb")),)
    )


def _unit(name: str) -> Decimal:
    return price(f"alb/lcu/{name}").value


def _whole_hours(hours) -> int:
    return math.ceil(number(hours, "hours"))
