"""Throttling by token bucket: so many requests a second, and a burst above it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
"""

from __future__ import annotations

from typing import Any

ACCOUNT_RATE, ACCOUNT_BURST = 10_000.0, 5_000.0


class Bucket:
    """Full at first. ``now`` is in seconds and never goes back."""

    def __init__(self, rate: float, burst: float, now: float):
        self.rate, self.burst = rate, burst
        self._tokens, self._filled = burst, now

    def take(self, now: float) -> bool:
        """One token, if there is one."""
        self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Throttles:
    """A bucket for each route of each stage that has limits, and one for the account."""

    def __init__(self) -> None:
        self._buckets: dict[tuple, Bucket] = {}

    def admits(self, api: str, stage: Any, route_key: str, now: float) -> bool:
        """Whether the request may go on; it then has taken its tokens."""
        own = {**(stage.default_route_settings or {}), **stage.route_settings.get(route_key, {})}
        rate = own.get("throttlingRateLimit", ACCOUNT_RATE)
        burst = own.get("throttlingBurstLimit", ACCOUNT_BURST)
        where = (api, stage.name, route_key)
        # A route without settings of its own shares its stage's.
        if not stage.route_settings.get(route_key):
            where = (api, stage.name)
        return self.take(where, float(rate), float(burst), now) and self.take(
            ("account",), ACCOUNT_RATE, ACCOUNT_BURST, now
        )

    def take(self, where: tuple, rate: float, burst: float, now: float) -> bool:
        """One token of a bucket, which is new and full when its limits are."""
        bucket = self._buckets.get(where)
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = self._buckets[where] = Bucket(rate, burst, now)
        return bucket.take(now)
