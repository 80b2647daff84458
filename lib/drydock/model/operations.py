"""What keeps a pipeline running: CloudWatch, Secrets Manager, KMS, SQS.

data/prices.json names the sources.
"""

from drydock.model.prices import Bill, Line, number, price, whole


def logs(*, ingested_gb=0, stored_gb=0, scanned_gb=0) -> Bill:
    """Return the bill of CloudWatch Logs: GB ingested, kept for a month, scanned by Insights."""
    parts = (
        ("logs ingested", ingested_gb, "ingested-gb"),
        ("logs stored", stored_gb, "stored-gb-month"),
        ("logs scanned", scanned_gb, "scanned-gb"),
    )
    return Bill(
        tuple(
            Line(what, number(gb, what), price(f"cloudwatch/logs/{name}"))
            for what, gb, name in parts
            if number(gb, what)
        )
    )


def alarms(count, *, months=1) -> Bill:
    """Return the bill of `count` CloudWatch alarms on one standard metric each."""
    kept = whole(count, "count") * number(months, "months")
    return Bill((Line("CloudWatch alarms", kept, price("cloudwatch/alarm-month")),))


def secrets(count, *, calls=0, months=1) -> Bill:
    """Return the bill of `count` secrets of Secrets Manager and of the API calls."""
    kept = whole(count, "count") * number(months, "months")
    lines = [Line("secrets", kept, price("secrets-manager/secret-month"))]
    if number(calls, "calls"):
        asked = number(calls, "calls") / 10_000
        lines.append(Line("secret calls", asked, price("secrets-manager/calls")))
    return Bill(tuple(lines))


def kms(keys, *, requests=0, months=1) -> Bill:
    """Return the bill of `keys` customer managed KMS keys and of their requests."""
    kept = whole(keys, "keys") * number(months, "months")
    lines = [Line("KMS keys", kept, price("kms/key-month"))]
    if number(requests, "requests"):
        asked = number(requests, "requests") / 10_000
        lines.append(Line("KMS requests", asked, price("kms/requests")))
    return Bill(tuple(lines))


def sqs(requests) -> Bill:
    """Return the bill of requests to standard SQS queues."""
    asked = number(requests, "requests") / 1_000_000
    return Bill((Line("SQS requests", asked, price("sqs/standard/requests")),))
