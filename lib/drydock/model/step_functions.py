"""AWS Step Functions: Standard by state transitions, Express by requests and GB-hours.

Source: https://aws.amazon.com/step-functions/pricing/
"""

import math

from drydock.model.prices import Bill, Line, number, price
from drydock.model.tiers import beyond_free, tiered


def standard(executions, transitions, *, free_tier: bool = False) -> Bill:
    """Return the bill of a month's `executions` of `transitions` state transitions each."""
    count = number(executions, "executions") * number(transitions, "transitions")
    free = "step-functions/standard/transitions-free"
    billed = beyond_free(count, free, free_tier, what="transitions")
    rate = price("step-functions/standard/transitions")
    return Bill((Line("state transitions", billed / 1000, rate),))


def express(requests, milliseconds, memory_mb) -> Bill:
    """Return the bill of a month's Express workflows, `milliseconds` and `memory_mb` each.

    Each is rounded up: to 100 ms and to 64 MB. A GB is 1024 MB.
    """
    calls = number(requests, "requests")
    time = math.ceil(number(milliseconds, "milliseconds") / 100) * 100
    memory = math.ceil(number(memory_mb, "memory_mb") / 64) * 64
    gb_hours = calls * time * memory / (1000 * 1024 * 3600)
    lines = [Line("Express requests", calls / 1_000_000, price("step-functions/express/requests"))]
    return Bill((*lines, *tiered("Express duration", gb_hours, "step-functions/express/gb-hour")))
