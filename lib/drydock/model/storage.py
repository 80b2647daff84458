"""Amazon S3 and Amazon ECR. data/prices.json names the sources."""

from drydock.model.prices import Bill, Line, number, price
from drydock.model.tiers import tiered


def s3(*, gb=0, writes=0, reads=0, months=1) -> Bill:
    """Return the bill of S3 Standard: `gb` kept for `months`, and requests.

    Writes are PUT, COPY, POST and LIST; reads are GET and the rest. Transfer within the region and
    DELETE cost nothing. ValueError above the first 50 TB, whose price alone is in the data.
    """
    kept = [
        Line(line.what, line.quantity * number(months, "months"), line.price)
        for line in tiered("S3 storage", gb, "s3/standard/gb-month")
    ]
    calls = [
        Line(f"S3 {what}", number(count, what) / 1000, price(f"s3/standard/{what}"))
        for what, count in (("writes", writes), ("reads", reads))
        if number(count, what)
    ]
    return Bill((*kept, *calls))


def ecr(gb, *, months=1) -> Bill:
    """Return the bill of `gb` of private images kept for `months`; pulls in the region are free."""
    kept = number(gb, "gb") * number(months, "months")
    return Bill((Line("ECR storage", kept, price("ecr/gb-month")),))
