"""The bill of a month of the whole pipeline, by service: what a change of its load does to it."""

from dataclasses import dataclass
from decimal import Decimal

from drydock.model import api_gateway, databases, fargate, network, operations, storage
from drydock.model.prices import Bill, combined

DAYS = 30
HOURS = 24 * DAYS
API_TASKS = 2
API_SIZE = {"vcpu": "0.5", "memory_gb": 1}
KEPT_MONTHS = 12


@dataclass(frozen=True)
class Pipeline:
    """`tasks` ETL tasks a day, each `seconds` long on `vcpu` and `memory_gb`, `gb` of raw data a
    day that is kept for a year, and `requests` to the data API in the month. `nat` is whether the
    tasks reach AWS through a NAT gateway, and not through an S3 endpoint and public addresses."""

    tasks: int = 12
    seconds: int = 60
    vcpu: Decimal | str = "1"
    memory_gb: Decimal | str = "2"
    gb: Decimal | str = "0.1"
    requests: int = 1_000_000
    instance_class: str = "db.t4g.micro"
    nat: bool = False


def month(of: Pipeline) -> dict[str, Bill]:
    """Return the bill of each service.

    The API is two tasks behind a load balancer and an HTTP API, all month; the database is one
    instance with 20 GB. ValueError for a size that Fargate does not have, or a negative number.
    """
    gb = Decimal(str(of.gb)) * DAYS
    etl = fargate.run_cost(
        [of.seconds] * (of.tasks * DAYS), of.vcpu, of.memory_gb, public_ipv4=not of.nat
    )
    api = fargate.run_cost([HOURS * 3600] * API_TASKS, **API_SIZE, public_ipv4=not of.nat)
    balancer = network.alb(HOURS)
    found = {
        "ETL on Fargate": etl,
        "API on Fargate": api,
        "load balancer": balancer,
        "API Gateway": api_gateway.http(of.requests),
        "RDS": databases.postgres(of.instance_class, HOURS * 3600, storage_gb=20),
        "S3": storage.s3(gb=gb * KEPT_MONTHS, writes=of.tasks * DAYS, reads=of.tasks * DAYS),
        "logs and secrets": combined(
            [
                operations.logs(ingested_gb=gb / 1000, stored_gb=gb / 1000),
                operations.secrets(1),
            ]
        ),
    }
    if of.nat:
        found["NAT gateway"] = network.nat_gateway(HOURS, gb=gb)
    return found


def total(of: Pipeline) -> Decimal:
    """Return the sum of the month, not rounded, in US dollars."""
    return combined(month(of).values()).total()
