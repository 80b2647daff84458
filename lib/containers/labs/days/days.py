"""A function behind an HTTP API: GET /pages/{number} has ten days of 2013 with their weekdays.

For the first second of its life an execution environment has not got the calendar ready, and asks
with 503 and Retry-After to be asked again.
"""

import datetime
import json
import math
import time

FIRST = datetime.date(2013, 1, 1)
DAYS, SIZE = 365, 10
READY_AFTER = 1.0  # seconds
started = time.monotonic()


def handler(event: dict, context: object) -> dict:
    left = READY_AFTER - (time.monotonic() - started)
    if left > 0:
        return answer(503, {"message": "not ready"}, {"retry-after": str(math.ceil(left))})
    number = event["pathParameters"]["number"]
    if not number.isdigit() or not 1 <= int(number) <= math.ceil(DAYS / SIZE):
        return answer(404, {"message": f"no page {number}"})
    offsets = range(SIZE * (int(number) - 1), min(DAYS, SIZE * int(number)))
    days = [FIRST + datetime.timedelta(days=offset) for offset in offsets]
    return answer(200, {"items": [{"day": str(day), "weekday": day.weekday()} for day in days]})


def answer(status: int, content: dict, headers: dict[str, str] | None = None) -> dict:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(content),
    }
