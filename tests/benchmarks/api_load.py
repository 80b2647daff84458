"""A load generator: HTTP/1.1 over kept connections, closed or open loop, in a process of its own.

Closed loop: each of N clients sends its next request when its answer is there; an overloaded server
is asked less. Open loop: requests are due at a rate, whatever the server does, and a latency counts
from when its request was due. A request that finds every connection busy waits, and that counts.
`python api_load.py` reads a JSON order on standard input and writes the results as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque

CONNECTIONS_AT_MOST = 2000


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, load: "Load"):
        self.load = load
        self.buffer = b""
        self.began = 0.0

    def connection_made(self, transport):
        self.transport = transport
        self.load.free(self)

    def send(self, request: bytes, began: float) -> None:
        self.began = began
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer[:head].lower().find(b"content-length:")
        if at < 0:  # chunked
            if not self.buffer.endswith(b"0\r\n\r\n"):
                return
            length = len(self.buffer) - head - 4
        else:
            length = int(self.buffer[at + 15 : self.buffer.index(b"\r\n", at)])
            if len(self.buffer) < head + 4 + length:
                return
        status, self.buffer = int(self.buffer[9:12]), b""
        began, self.began = self.began, 0.0
        self.load.answered(status, time.perf_counter() - began, length)
        self.load.free(self)

    def connection_lost(self, error):
        self.load.lost(self)


class Load:
    """Requests in turn, from one thread."""

    def __init__(self, host: str, port: int, paths: list[str]):
        head = f"HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n"
        self.requests = [f"GET {path} {head}".encode() for path in paths]
        self.host, self.port = host, port
        self.sent = 0
        self.latencies: dict[int, list[float]] = {}
        self.statuses: Counter = Counter()
        self.bytes = self.cut = 0
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.opening = self.open = 0
        self.closed_loop = self.stopped = False
        self._tasks: set[asyncio.Task] = set()

    def free(self, connection: Connection) -> None:
        """A connection can take a request."""
        if self.stopped:
            return
        if self.closed_loop:
            self._send(connection, time.perf_counter())
        elif self.due:
            self._send(connection, self.due.popleft())
        else:
            self.idle.append(connection)

    def _send(self, connection: Connection, began: float) -> None:
        request = self.requests[self.sent % len(self.requests)]
        self.sent += 1
        connection.send(request, began)

    def answered(self, status: int, seconds: float, length: int) -> None:
        self.statuses[status] += 1
        self.latencies.setdefault(status, []).append(seconds)
        self.bytes += length

    def lost(self, connection: Connection) -> None:
        self.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if not self.stopped:
            self.cut += bool(connection.began)
            if self.closed_loop:
                self._begin_to_connect()

    def _begin_to_connect(self) -> None:
        task = asyncio.ensure_future(self._connect())
        self._tasks.add(task)  # asyncio itself keeps no strong reference
        task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        self.opening += 1
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: Connection(self), self.host, self.port)
            self.open += 1
        except OSError:
            self.cut += 1
        finally:
            self.opening -= 1

    async def closed(self, clients: int, seconds: float) -> None:
        self.closed_loop = True
        await asyncio.gather(*(self._connect() for _ in range(clients)))
        await asyncio.sleep(seconds)
        self.stopped = True

    async def opened(self, rate: float, seconds: float) -> None:
        begin = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = begin + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            elif number % 20 == 0:
                await asyncio.sleep(0)
            if self.idle:
                self._send(self.idle.pop(), due)
                continue
            self.due.append(due)
            if self.open + self.opening < CONNECTIONS_AT_MOST and self.opening <= len(self.due):
                self._begin_to_connect()
        patience = time.perf_counter() + 10
        while self.statuses.total() < self.sent + len(self.due) and time.perf_counter() < patience:
            await asyncio.sleep(0.05)
        self.stopped = True

    def results(self, seconds: float) -> dict:
        good = sorted(self.latencies.get(200, []))
        return {
            "answers": dict(sorted(self.statuses.items())),
            "unanswered": self.sent - self.statuses.total() + len(self.due),
            "cut": self.cut,
            "per_second": round(len(good) / seconds, 1),
            "p50_ms": _percentile(good, 50),
            "p99_ms": _percentile(good, 99),
            "bytes": self.bytes,
        }


def _percentile(values: list[float], per_cent: float) -> float | None:
    if not values:
        return None
    return round(values[min(len(values) - 1, int(len(values) * per_cent / 100))] * 1000, 2)


async def run(order: dict) -> dict:
    load = Load(order["host"], order["port"], order["paths"])
    if "rate" in order:
        await load.opened(order["rate"], order["seconds"])
    else:
        await load.closed(order["connections"], order["seconds"])
    return load.results(order["seconds"])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
