"""Health checks: each target's state as its answers change it.

A new target must pass one check to be healthy; one that was unhealthy must pass as many in a row
as HealthyThresholdCount says, and UnhealthyThresholdCount failures in a row make it unhealthy.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from moto.elbv2.models import elbv2_backends

from localcloud.elb import groups
from localcloud.elb.groups import Health, Key, TargetGroup

AGENT = "ELB-HealthChecker/2.0"
TICK_SECONDS = 0.1
FIRST_CHECK_SECONDS = 0.3
FAILED = "Target.FailedHealthChecks"


@dataclass
class Record:
    """A target's health, its streak of equal results, and when the next check is due."""

    health: Health
    due: float
    passed: int = 0
    failed: int = 0
    running: asyncio.Task | None = None


class Checks:
    """Runs the checks of all target groups that a load balancer uses."""

    def __init__(self, admitted: Callable[[Any, Key], bool]):
        """``admitted(balancer, key)``: whether the load balancer may reach the target at all."""
        self._admitted = admitted
        self._records: dict[tuple[str, Key], Record] = {}

    def found(self, group: TargetGroup, key: Key) -> Health:
        record = self._records.get((group.arn, key))
        return record.health if record else groups.REGISTERING

    async def run(self, session: aiohttp.ClientSession) -> None:
        while True:
            present = set()
            for backend, group in all_groups():
                group.forget_drained()
                present |= {(group.arn, key) for key in list(group.targets)}
                self._tend(backend, group, session)
            for gone in self._records.keys() - present:
                record = self._records.pop(gone)
                if record.running:
                    record.running.cancel()
            await asyncio.sleep(TICK_SECONDS)

    def _tend(self, backend: Any, group: TargetGroup, session: aiohttp.ClientSession) -> None:
        used = groups.balancers_of(backend, group)
        for key in list(group.targets):
            where = (group.arn, key)
            first = time.monotonic() + FIRST_CHECK_SECONDS
            record = self._records.setdefault(where, Record(groups.REGISTERING, first))
            if not used:
                record.health = groups.NOT_IN_USE
                continue
            if not group.health_check_enabled:
                record.health = groups.UNCHECKED
                continue
            if record.health in (groups.NOT_IN_USE, groups.UNCHECKED, groups.REGISTERING):
                record.health = groups.CHECKING
            idle = record.running is None or record.running.done()
            if idle and time.monotonic() >= record.due:
                record.due = time.monotonic() + float(group.health_check_interval_seconds)
                check = self._check(session, group, used[0], key, record)
                record.running = asyncio.ensure_future(check)

    async def _check(
        self,
        session: aiohttp.ClientSession,
        group: TargetGroup,
        balancer: Any,
        key: Key,
        record: Record,
    ) -> None:
        trouble = await self._ask(session, group, balancer, key)
        if trouble is None:
            record.passed, record.failed = record.passed + 1, 0
            unhealthy = record.health[0] == "unhealthy"
            if record.passed >= (int(group.healthy_threshold_count) if unhealthy else 1):
                record.health = groups.HEALTHY
        else:
            record.passed, record.failed = 0, record.failed + 1
            if record.failed >= int(group.unhealthy_threshold_count):
                record.health = trouble

    async def _ask(
        self, session: aiohttp.ClientSession, group: TargetGroup, balancer: Any, key: Key
    ) -> Health | None:
        """One check; what is wrong, or None."""
        seconds = float(group.health_check_timeout_seconds)
        timed_out: Health = ("unhealthy", "Target.Timeout", "Request timed out")
        if not self._admitted(balancer, key):
            await asyncio.sleep(seconds)
            return timed_out
        port = group.health_check_port
        port = key[1] if port in (None, "traffic-port") else int(port)
        url = f"http://{key[0]}:{port}{group.health_check_path or '/'}"
        try:
            async with session.get(
                url,
                headers={"User-Agent": AGENT, "Connection": "close"},
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as answer:
                await answer.read()
                code = answer.status
        except TimeoutError:
            return timed_out
        except (aiohttp.ClientError, OSError, ValueError):
            return ("unhealthy", FAILED, "Health checks failed")
        if accepts(group.matcher.get("HttpCode", "200"), code):
            return None
        words = f"Health checks failed with these codes: [{code}]"
        return ("unhealthy", "Target.ResponseCodeMismatch", words)


def accepts(codes: str, code: int) -> bool:
    """``codes`` as in "200", "200,202" or "200-299"."""
    for part in codes.split(","):
        low, _, high = part.partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False


def all_groups() -> Iterator[tuple[Any, TargetGroup]]:
    for _, _, backend in list(elbv2_backends.iter_backends()):
        for group in list(backend.target_groups.values()):
            if isinstance(group, TargetGroup):
                yield backend, group
