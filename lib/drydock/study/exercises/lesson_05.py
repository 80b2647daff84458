"""The exercises of lesson 5: connections, sizes and bounds."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from drydock.connect import ways
from drydock.connect.errors import ConnectError
from drydock.connect.secrets import DatabaseSecret, read_secret
from drydock.errors import WrongInput
from drydock.lab import Lab
from drydock.model import databases
from drydock.model.jdbc import partitions
from drydock.model.queueing import Queue
from drydock.study.exercises.exercise import Exercise, Mistake, Rule
from drydock.study.exercises.looking import amount

SECRET = "connect/analyst"
ROWS_OF_JFK = 111_279
TASKS, RATE, SECONDS, WAIT = 8, 60, 0.050, 0.010


def _read(query: Any, lab: Lab):
    if not isinstance(query, str):
        raise WrongInput(f"give the text of a query, not {query!r}")
    secret = read_secret(lab.client("secretsmanager"), SECRET)
    return ways.read("odbc", secret, lab.certificates, query)


def _not_read(answer: Any, lab: Lab | None) -> str | None:
    try:
        _read(answer, lab)
    except ConnectError as error:
        return str(error)
    return None


def _not_small(answer: Any, lab: Lab | None) -> str | None:
    rows = _read(answer, lab).num_rows
    return None if rows == 3 else f"{rows:,} rows crossed the wire: let the database add them up"


def _not_counted(answer: Any, lab: Lab | None) -> str | None:
    numbers = [value for row in _read(answer, lab).to_pylist() for value in row.values()]
    return None if ROWS_OF_JFK in numbers else f"no row tells the {ROWS_OF_JFK:,} flights of JFK"


def _no_size(answer: Any, lab: Lab | None) -> str | None:
    whole = isinstance(answer, int) and answer > 0
    return None if whole else "give a whole number of connections"


def _too_slow(answer: Any, lab: Lab | None) -> str | None:
    wait = Queue(RATE, SECONDS, answer).wait_at(0.95)
    return None if wait <= WAIT else f"95 % of queries wait {wait * 1000:.0f} ms"


def _too_many(answer: Any, lab: Lab | None) -> str | None:
    allowed = databases.max_connections("db.t4g.micro")
    if TASKS * answer <= allowed:
        return None
    return f"{TASKS} x {answer} = {TASKS * answer} connections, and there are {allowed}"


def _no_bounds(answer: Any, lab: Lab | None) -> str | None:
    pair = isinstance(answer, tuple) and len(answer) == 2
    if not pair or not all(isinstance(one, int) for one in answer):
        return "give two whole numbers: (lowerBound, upperBound)"
    return None


def _skewed(answer: Any, lab: Lab | None) -> str | None:
    counts = []
    for clause in partitions("flight", *answer, 4):
        where = f" WHERE {clause}" if clause else ""
        query = f"SELECT count(*) AS n FROM flights{where}"
        counts.append(_read(query, lab)["n"][0].as_py())
    if max(counts) <= 2 * sum(counts) / 4:
        return None
    return f"the parts have {', '.join(f'{count:,}' for count in counts)} rows"


def _no_secret(answer: Any, lab: Lab | None) -> str | None:
    is_secret = isinstance(answer, DatabaseSecret)
    return None if is_secret else "give a DatabaseSecret, such as replace(secret, ...)"


def _not_unreachable(answer: Any, lab: Lab | None) -> str | None:
    try:
        ways.read("copy", answer, lab.certificates, "SELECT 1")
    except ConnectError as error:
        name = type(error).__name__
        return None if name == "Unreachable" else f"that is {name}: it got as far as the server"
    return "that one works"


def _changed(**parts: str):
    def made(lab: Lab) -> DatabaseSecret:
        return replace(read_secret(lab.client("secretsmanager"), SECRET), **parts)

    return made


EXERCISES = (
    Exercise(
        id="5.1",
        title="Three rows instead of 336,776",
        skills=("1.2.2", "1.2.7"),
        hints=(
            "Which of the two computers has the rows already?",
            "GROUP BY lets the database count. Three airports are three rows.",
            "SELECT origin, count(*) FROM flights GROUP BY origin",
        ),
        rules=(
            Rule("the database runs it", _not_read),
            Rule("three rows", _not_small),
            Rule("the flights of JFK", _not_counted),
        ),
        mistakes=(
            Mistake("all rows", "SELECT origin FROM flights", "three rows"),
            Mistake("a wrong name", "SELECT airport FROM flights", "the database runs it"),
            Mistake("no count", "SELECT DISTINCT origin FROM flights", "the flights of JFK"),
        ),
    ),
    Exercise(
        id="5.2",
        title="A pool for eight tasks",
        skills=("1.2.2", "1.1.9"),
        hints=(
            "Little's law tells how many are busy; the rest is for the peaks.",
            "servers_for(rate, seconds, longest_wait) finds the fewest; multiply it by the tasks.",
            "servers_for(60, 0.050, 0.010)",
        ),
        rules=(
            Rule("a number of connections", _no_size),
            Rule("95 % wait at most 10 ms", _too_slow),
            Rule("eight pools fit into max_connections", _too_many),
        ),
        mistakes=(
            Mistake("just the average", 4, "95 % wait at most 10 ms"),
            Mistake("to be safe", 20, "eight pools fit into max_connections"),
        ),
    ),
    Exercise(
        id="5.3",
        title="Bounds without skew",
        skills=("1.2.2", "1.4.1"),
        hints=(
            "Look at how the values of the column are spread before you choose bounds.",
            "min() and max() of flight are a poor choice: most numbers are small. Where are the "
            "quarters?",
            "SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY flight), and 0.75: put the middle "
            "of the bounds there, such as (0, 4000).",
        ),
        rules=(
            Rule("two bounds", _no_bounds),
            Rule("no part has more than twice its share", _skewed),
        ),
        mistakes=(
            Mistake("from 1 to 8500", (1, 8500), "no part has more than twice its share"),
            Mistake("a handful", (1, 100), "no part has more than twice its share"),
            Mistake("one number", 4, "two bounds"),
        ),
    ),
    Exercise(
        id="5.4",
        title="Break one part",
        skills=("1.2.7", "4.2.2"),
        hints=(
            "Unreachable comes before login and certificate.",
            "Who answers at another port of the same host?",
            "replace(secret, port=1)",
        ),
        rules=(
            Rule("a secret", _no_secret),
            Rule("nobody answers", _not_unreachable),
        ),
        mistakes=(
            Mistake("a password", fails="nobody answers", made=_changed(password="no")),
            Mistake("a database", fails="nobody answers", made=_changed(dbname="no")),
        ),
    ),
    Exercise(
        id="5.5",
        title="What a proxy costs",
        skills=("1.2.4", "1.2.2"),
        hints=(
            "RDS Proxy is billed by the vCPU of the database behind it, and for at least two.",
            "A db.t4g.micro has 2 vCPU. A month is 730 hours.",
            "databases.proxy(730, vcpu=2).total()",
        ),
        rules=amount(
            lambda: databases.proxy(730, vcpu=2).total(),
            "a month of RDS Proxy before a db.t4g.micro",
            "2 vCPU, 730 hours: databases.proxy adds it up",
        ),
        mistakes=(
            Mistake(
                "one hour",
                Decimal("0.03"),
                "a month of RDS Proxy before a db.t4g.micro",
            ),
            Mistake("no amount", "a few dollars", "an amount in US dollars"),
        ),
    ),
)
