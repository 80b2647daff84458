"""What a month of a data API costs in four ways to serve it, and where one gets cheaper.

    traffic = Traffic(requests=30_000_000)
    for way, bill in bills(traffic).items():
        print(way, bill.total())

Data that leaves AWS costs the same in every way and is left out, as are logs and the data itself.
Prices: data/prices.json, with sources.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from drydock.model import api_gateway, databases, fargate, functions, network
from drydock.model.prices import Bill, combined, number, typed, whole

MONTH_HOURS = 730
MONTH_SECONDS = MONTH_HOURS * 3600
MOST_REQUESTS = 10**10  # a month: 3,800 a second


@dataclass(frozen=True)
class Traffic:
    """A month of requests, and what one of them takes in each way; measure yours.

    `peak` is how many times the mean rate the busiest minutes have. `rate_per_task` is how many
    requests a second a task of `vcpu` and `memory_gb` answers; `milliseconds` is how long a
    function of `memory_mb` works on one; `rate_per_acu` is how many a second one capacity unit of
    Aurora Serverless answers, which follows the mean rate and has `least_acu` at least; `kb` is the
    size of an answer. ValueError for what no traffic can be.
    """

    requests: int
    peak: float = 5
    kb: float = 20
    rate_per_task: float = 100
    vcpu: float = 0.25
    memory_gb: float = 1
    least_tasks: int = 2
    milliseconds: float = 40
    memory_mb: int = 1769
    rate_per_acu: float = 50
    least_acu: float = 0.5

    def __post_init__(self) -> None:
        whole(self.requests, "requests")
        whole(self.least_tasks, "least_tasks")
        for name in ("peak", "kb", "rate_per_task", "milliseconds", "rate_per_acu"):
            if not number(getattr(self, name), name):
                raise ValueError(f"{name} is 0: type a number above it")
        if self.peak < 1:
            raise ValueError(f"peak is {self.peak}: type 1 or more, as no peak is below the mean")

    @property
    def mean_rate(self) -> float:
        """Requests a second."""
        return self.requests / MONTH_SECONDS

    @property
    def tasks(self) -> int:
        """Tasks that answer the peak; they are taken to run all month."""
        return max(self.least_tasks, math.ceil(self.mean_rate * self.peak / self.rate_per_task))

    @property
    def acu(self) -> Decimal:
        """Aurora capacity units over the month, on average."""
        asked = number(self.mean_rate, "rate") / number(self.rate_per_acu, "rate_per_acu")
        return max(number(self.least_acu, "least_acu"), asked)


def behind_load_balancer(traffic: Traffic) -> Bill:
    """An ECS service on Fargate behind an Application Load Balancer, in private subnets."""
    size = fargate.smallest_size(traffic.vcpu, traffic.memory_gb)
    tasks = fargate.run_cost([MONTH_SECONDS] * traffic.tasks, size.vcpu, size.memory_gb)
    gb = number(traffic.requests, "requests") * number(traffic.kb, "kb") / 1_000_000
    return combined([tasks, network.alb(MONTH_HOURS, processed_gb=gb)])


def behind_http_api(traffic: Traffic) -> Bill:
    """The same, with an HTTP API of API Gateway in front over a VPC link, which costs nothing."""
    return combined([behind_load_balancer(traffic), api_gateway.http(traffic.requests)])


def in_functions(traffic: Traffic) -> Bill:
    """A Lambda function behind an HTTP API; nothing of it is free of charge here."""
    ran = functions.on_demand(traffic.requests, traffic.milliseconds, traffic.memory_mb)
    return combined([ran, api_gateway.http(traffic.requests)])


def over_rds_data_api(traffic: Traffic) -> Bill:
    """Aurora Serverless v2, asked by clients with IAM credentials over the RDS Data API."""
    capacity = traffic.acu * MONTH_HOURS
    calls = databases.data_api(traffic.requests, request_kb=traffic.kb)
    return combined([databases.aurora_serverless(capacity), calls])


WAYS: dict[str, Callable[[Traffic], Bill]] = {
    "ECS behind ALB": behind_load_balancer,
    "ECS behind API Gateway": behind_http_api,
    "Lambda behind API Gateway": in_functions,
    "RDS Data API": over_rds_data_api,
}


def bills(traffic: Traffic) -> dict[str, Bill]:
    """Return the month's bill of each of WAYS."""
    return {way: bill(traffic) for way, bill in WAYS.items()}


def per_million(way: str, traffic: Traffic) -> Decimal:
    """Return US dollars for a million of the month's requests, not rounded."""
    if not traffic.requests:
        raise ValueError("requests is 0: type a number above it")
    return _bill(way)(traffic).total() * 1_000_000 / traffic.requests


def crossing(way: str, than: str, traffic: Traffic) -> int | None:
    """Return the fewest requests a month from which on `way` costs less than `than`.

    All else of `traffic` stays as it is. It is exact where the difference of the two falls with
    the requests; where it goes up and down, as with every task that is added, it is one of
    several crossings. None if `way` is not cheaper at 10,000 million requests either.
    """

    def cheaper(requests: int) -> bool:
        given = replace(traffic, requests=requests)
        return _bill(way)(given).total() < _bill(than)(given).total()

    low, high = 0, MOST_REQUESTS
    if cheaper(low):
        return 0
    if not cheaper(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if cheaper(middle) else (middle, high)
    return high


def _bill(way: str) -> Callable[[Traffic], Bill]:
    if way not in WAYS:
        raise ValueError(f"no way is called {way!r}: type one of {typed(WAYS)}")
    return WAYS[way]
