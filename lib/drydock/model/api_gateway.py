"""Amazon API Gateway: REST, HTTP and WebSocket APIs, and the REST cache.

Prices of a month's requests, by tiers. Source: https://aws.amazon.com/api-gateway/pricing/
"""

import math
from decimal import Decimal

from drydock.model.network import data_transfer
from drydock.model.prices import Bill, Line, number, price
from drydock.model.tiers import tiered


def rest(requests, *, response_kb=0) -> Bill:
    """Return the bill of a REST API: requests, and data transfer of `response_kb` each.

    Here a GB is 1024 * 1024 KB, as in AWS's example; the free 100 GB are not taken off.
    """
    calls = number(requests, "requests")
    lines = tiered("REST requests", calls / 1_000_000, "api-gateway/rest/requests")
    gb = calls * number(response_kb, "response_kb") / 1024**2
    return Bill((*lines, *data_transfer(gb).lines))


def http(requests, *, request_kb=1) -> Bill:
    """Return the bill of an HTTP API, whose requests are metered by 512 KB each."""
    calls = _metered(requests, request_kb, "api-gateway/http/request-kb")
    return Bill(tuple(tiered("HTTP requests", calls, "api-gateway/http/requests")))


def websocket(messages, *, message_kb=1, connection_minutes=0) -> Bill:
    """Return the bill of a WebSocket API: messages, metered by 32 KB, and connection-minutes."""
    count = _metered(messages, message_kb, "api-gateway/websocket/message-kb")
    lines = tiered("WebSocket messages", count, "api-gateway/websocket/messages")
    minutes = number(connection_minutes, "connection_minutes") / 1_000_000
    if minutes:
        rate = price("api-gateway/websocket/connection-minutes")
        lines.append(Line("WebSocket connections", minutes, rate))
    return Bill(tuple(lines))


def cache(hours, *, gb="0.5") -> Bill:
    """Return the bill of a REST API's cache of `gb` GB for `hours`."""
    size = f"{number(gb, 'gb').normalize():f}"
    rate = price(f"api-gateway/cache/{size}-hour")
    return Bill((Line(f"cache of {size} GB", number(hours, "hours"), rate),))


def _metered(count, kb, step_name: str) -> Decimal:
    """Millions of metered units: each of `count` takes at least one step."""
    steps = max(math.ceil(number(kb, "size in KB") / price(step_name).value), 1)
    return number(count, "count") * steps / 1_000_000
