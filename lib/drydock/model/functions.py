"""AWS Lambda: on demand, with provisioned concurrency, SnapStart, response streaming.

A GB is 1024 MB. Source: https://aws.amazon.com/lambda/pricing/ ; AWS's own examples of its tiers
and constants stand in the tests.
"""

import math
from decimal import Decimal

from drydock.model.prices import Bill, Line, number, price, typed, whole
from drydock.model.tiers import beyond_free, tiered

ARCHITECTURES = ("X86_64", "ARM64")


def gb_seconds(requests, milliseconds, memory_mb) -> Decimal:
    """Return the GB-seconds of `requests` of a function, each rounded up to the millisecond."""
    least, most = price("lambda/memory-least").value, price("lambda/memory-most").value
    memory = number(memory_mb, "memory_mb")
    if not least <= memory <= most:
        raise ValueError(f"memory_mb is {memory_mb}: type {least} to {most}")
    each = math.ceil(number(milliseconds, "milliseconds"))
    return number(requests, "requests") * each * memory / 1_024_000


def on_demand(
    requests,
    milliseconds,
    memory_mb,
    *,
    architecture: str = "X86_64",
    ephemeral_mb=512,
    free_tier: bool = False,
) -> Bill:
    """Return the bill of a month's `requests` of `milliseconds` each.

    `ephemeral_mb` is /tmp, of which a part is free; `free_tier` takes the free requests and
    GB-seconds of the account's month off.
    """
    _check(architecture)
    used = gb_seconds(requests, milliseconds, memory_mb)
    compute = beyond_free(used, "lambda/gb-second-free", free_tier, what="GB-seconds")
    lines = tiered("compute", compute, f"lambda/{architecture}/gb-second")
    lines.append(_requests(requests, free_tier))
    disk = _billed_disk(ephemeral_mb)
    if disk:
        seconds = used * 1024 / number(memory_mb, "memory_mb")
        storage = price("lambda/ephemeral-gb-second")
        lines.append(Line("ephemeral storage", seconds * disk, storage))
    return Bill(tuple(lines))


def provisioned_concurrency(
    environments,
    seconds,
    memory_mb,
    *,
    requests=0,
    milliseconds=0,
    architecture: str = "X86_64",
) -> Bill:
    """Return the bill of `environments` kept warm for `seconds`, and of the compute inside them.

    The time kept warm is rounded up to five minutes.
    `requests` are those that ran in them, `milliseconds` each. Their fee per request is not in
    here: it is the same as on demand, so count them in `requests_only`.
    """
    _check(architecture)
    kept = gb_seconds(whole(environments, "environments"), 1000, memory_mb)
    prefix = f"lambda/{architecture}/provisioned"
    step = price("lambda/provisioned-step").value
    time = math.ceil(number(seconds, "seconds") / step) * step
    lines = [Line("provisioned concurrency", kept * time, price(f"{prefix}-gb-second"))]
    if number(requests, "requests"):
        ran = gb_seconds(requests, milliseconds, memory_mb)
        lines.append(Line("compute, provisioned", ran, price(f"{prefix}-duration-gb-second")))
    return Bill(tuple(lines))


def compute_only(
    requests, milliseconds, memory_mb, *, architecture: str = "X86_64", free_tier: bool = False
) -> Bill:
    """Return the on-demand compute of `requests`, without the fee per request."""
    _check(architecture)
    used = gb_seconds(requests, milliseconds, memory_mb)
    left = beyond_free(used, "lambda/gb-second-free", free_tier, what="GB-seconds")
    return Bill(tuple(tiered("compute", left, f"lambda/{architecture}/gb-second")))


def requests_only(requests, *, free_tier: bool = False) -> Bill:
    """Return the fee of `requests` alone, however they were computed."""
    return Bill((_requests(requests, free_tier),))


def snap_start(seconds, memory_mb, *, restores=0) -> Bill:
    """Return SnapStart's bill: a snapshot cached for `seconds`, and `restores` of it."""
    cached = gb_seconds(1, 1000, memory_mb) * number(seconds, "seconds")
    restored = number(restores, "restores") * number(memory_mb, "memory_mb") / 1024
    return Bill(
        (
            Line("SnapStart cache", cached, price("lambda/snapstart/cache-gb-second")),
            Line("SnapStart restores", restored, price("lambda/snapstart/restored-gb")),
        )
    )


def response_streaming(gb) -> Bill:
    """Return the bill of `gb` streamed beyond what each response has free."""
    return Bill((Line("response streaming", number(gb, "gb"), price("lambda/streaming-gb")),))


def _requests(requests, free_tier: bool) -> Line:
    count = beyond_free(requests, "lambda/requests-free", free_tier, what="requests")
    return Line("requests", count / 1_000_000, price("lambda/requests"))


def _billed_disk(ephemeral_mb) -> Decimal:
    disk = number(ephemeral_mb, "ephemeral_mb")
    free, most = price("lambda/ephemeral-free").value, price("lambda/ephemeral-most").value
    if not free <= disk <= most:
        raise ValueError(f"ephemeral_mb is {ephemeral_mb}: type {free} (free) to {most}")
    return (disk - free) / 1024


def _check(architecture: str) -> None:
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r}: type one of {typed(ARCHITECTURES)}")
