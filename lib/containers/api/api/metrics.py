"""Latencies and errors for CloudWatch, told once a minute: p50 and p99 are CloudWatch's to compute.

Values with counts, not averages, as percentiles cannot be computed from averages. Dimension: Route,
as the OpenAPI document spells it. A role that may not do cloudwatch:PutMetricData costs one line
in the log, and no request.
"""

import logging
import threading
from collections import Counter

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger("api")
SECONDS = 60.0
VALUES_AT_ONCE = 150  # of one datum in PutMetricData
DATA_AT_ONCE = 1000
OTHER = "other"


class Metrics:
    """Collects what `observe` is told, and sends it in a thread of its own."""

    def __init__(self, cloudwatch, namespace: str, seconds: float = SECONDS):
        self._cloudwatch = cloudwatch
        self._namespace = namespace
        self._seconds = seconds
        self._lock = threading.Lock()
        self._latencies: dict[str, Counter] = {}
        self._faults: Counter = Counter()
        self._stop = threading.Event()
        self._said: str | None = None
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def observe(self, route: str | None, status: int, milliseconds: float) -> None:
        """Count a request that was answered."""
        route = route or OTHER
        with self._lock:
            self._latencies.setdefault(route, Counter())[_rounded(milliseconds)] += 1
            self._faults[route] += status >= 500

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left, and end."""
        self._stop.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.send()
        self.send()

    def send(self) -> None:
        """Tell CloudWatch what was observed since the last time."""
        with self._lock:
            latencies, self._latencies = self._latencies, {}
            faults, self._faults = self._faults, Counter()
        data = [
            datum for route, counts in latencies.items() for datum in _data(route, counts, faults)
        ]
        try:
            for at in range(0, len(data), DATA_AT_ONCE):
                self._cloudwatch.put_metric_data(
                    Namespace=self._namespace, MetricData=data[at : at + DATA_AT_ONCE]
                )
        except (BotoCoreError, ClientError) as error:
            if str(error) != self._said:
                log.warning("metrics are not kept: %s", error)
            self._said = str(error)


def _rounded(milliseconds: float) -> float:
    """To two significant digits or more, so that few values differ."""
    if milliseconds < 10:
        return round(milliseconds, 1)
    return float(round(milliseconds, -1 if milliseconds >= 1000 else 0))


def _data(route: str, counts: Counter, faults: Counter) -> list[dict]:
    dimensions = [{"Name": "Route", "Value": route}]
    values = sorted(counts)
    data = [
        {
            "MetricName": "Latency",
            "Dimensions": dimensions,
            "Unit": "Milliseconds",
            "Values": values[at : at + VALUES_AT_ONCE],
            "Counts": [float(counts[value]) for value in values[at : at + VALUES_AT_ONCE]],
        }
        for at in range(0, len(values), VALUES_AT_ONCE)
    ]
    count = {"Dimensions": dimensions, "Unit": "Count"}
    return [
        *data,
        count | {"MetricName": "Requests", "Value": float(counts.total())},
        count | {"MetricName": "5XXError", "Value": float(faults[route])},
    ]
