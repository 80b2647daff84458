"""Load on an HTTP API, in the two ways that load tests have, and what each of them sees.

A closed loop has a number of clients that ask, wait for the answer, and ask again: when the server
stands still so do they, and what would have been asked meanwhile is never counted ("coordinated
omission"). An open loop asks at a rate, whatever the server does, as strangers do, and times each
answer from the moment at which its question was due.
Source of the term: G. Tene, "How NOT to Measure Latency", 2015.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

TIMEOUT_SECONDS = 35.0
NO_ANSWER = 0  # as a status: the connection failed, or nothing came in time


@dataclass
class Load:
    """What came of a load: the `seconds` of each answer, how often each status, and how long all
    took. A request that got no answer counts with the status 0 and the time that was waited."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    lasted: float = 0.0

    @property
    def requests(self) -> int:
        return len(self.seconds)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.lasted if self.lasted else 0.0

    def at(self, part: float) -> float:
        """Return the seconds that `part` of the answers (0.99: 99 of 100) stayed within."""
        if not 0 < part <= 1:
            raise ValueError(f"part is {part}: type a part above 0 and up to 1, such as 0.99")
        if not self.seconds:
            raise ValueError("there are no answers: let the load last longer")
        return sorted(self.seconds)[math.ceil(part * self.requests) - 1]

    def slower_than(self, seconds: float) -> int:
        """Return how many answers took longer."""
        return sum(one > seconds for one in self.seconds)


def closed_loop(
    url: str, clients: int, seconds: float, headers: dict[str, str] | None = None
) -> Load:
    """Let `clients` ask `url` one request after the other for `seconds`."""
    if clients < 1:
        raise ValueError(f"clients is {clients}: type 1 or more")
    _positive(seconds, "seconds")
    return _run(_closed(url, clients, seconds, headers))


def open_loop(url: str, rate: float, seconds: float, headers: dict[str, str] | None = None) -> Load:
    """Ask `url` `rate` times a second for `seconds`, whether answers come or not."""
    _positive(rate, "rate")
    _positive(seconds, "seconds")
    return _run(_open(url, rate, seconds, headers))


async def _closed(url: str, clients: int, seconds: float, headers) -> Load:
    load, begun = Load(), time.perf_counter()

    async def client(http: httpx.AsyncClient) -> None:
        while (now := time.perf_counter()) - begun < seconds:
            await _ask(http, url, now, load)

    async with _http(headers) as http:
        await asyncio.gather(*(client(http) for _ in range(clients)))
    load.lasted = time.perf_counter() - begun
    return load


async def _open(url: str, rate: float, seconds: float, headers) -> Load:
    load, begun = Load(), time.perf_counter()
    async with _http(headers) as http, asyncio.TaskGroup() as asked:
        for number in range(round(rate * seconds)):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.create_task(_ask(http, url, due, load))
    load.lasted = time.perf_counter() - begun
    return load


async def _ask(http: httpx.AsyncClient, url: str, due: float, load: Load) -> None:
    try:
        status = (await http.get(url)).status_code
    except httpx.TransportError:
        status = NO_ANSWER
    load.seconds.append(time.perf_counter() - due)
    load.statuses[status] += 1


def _http(headers) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    return httpx.AsyncClient(
        headers=headers, limits=limits, timeout=TIMEOUT_SECONDS, trust_env=False
    )


def _run(load: Coroutine) -> Load:
    # In a notebook this thread has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, load).result()


def _positive(value: float, what: str) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{what} is {value}: type a number above 0")


def words(statuses: Counter | Iterable[int]) -> str:
    """Return statuses in order with their counts, as "200: 3, 429: 1"."""
    return ", ".join(f"{status}: {count}" for status, count in sorted(Counter(statuses).items()))
