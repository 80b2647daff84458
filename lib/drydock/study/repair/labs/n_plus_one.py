"""A program that asks the database once for a list, and once again for each of its rows."""

import time

import httpx

from drydock.study.repair import answering, database, making
from drydock.study.repair.answering import AnsweringCase
from drydock.study.repair.shown import Rule

COUNT = 1
MOST_STATEMENTS = 10  # one is enough; the server's own housekeeping may add some
LIST = "SELECT DISTINCT origin, month, day FROM weather ORDER BY origin, month, day"
DETAIL = (
    "SELECT a.name AS airport, max(w.temp) AS warmest, max(w.wind_gust) AS gust "
    "FROM weather AS w JOIN airports AS a ON a.faa = w.origin "
    "WHERE w.origin = %(origin)s AND w.month = %(month)s AND w.day = %(day)s GROUP BY a.name"
)
RIGHT = (
    "SELECT w.origin, w.month, w.day, a.name AS airport, max(w.temp) AS warmest, "
    "max(w.wind_gust) AS gust FROM weather AS w JOIN airports AS a ON a.faa = w.origin "
    "GROUP BY w.origin, w.month, w.day, a.name"
)
SETTLED_SECONDS = 0.7  # PostgreSQL before 15 tells its counters twice a second
WAIT_SECONDS = 60.0
LOOKS = 3


class NPlusOne(AnsweringCase):
    title = "A thousand questions for one page"
    skills = ("1.2.7", "1.4.1", "3.3.4")
    minutes = 15
    asked = (
        "Answer with each airport's days of 2013: its name, the warmest hour, the strongest gust. "
        "The answer is right, and takes seconds. The database is not busy, the program neither; "
        "each statement is quick."
    )
    goal = (
        f"The same rows, of which the database hears in at most {MOST_STATEMENTS} statements. The "
        "service is steady."
    )
    look = (
        "case.measure(): rows, seconds, and how many transactions the database has counted for "
        "one answer (xact_commit of pg_stat_database; each statement is one here)",
        "the container's environment: ROWS and EACH, which the program's first lines explain "
        "(lib/containers/labs/rows/serve.py)",
    )
    hints = (
        "Quick is not quick when it happens a thousand times: each statement has its way to the "
        "database and back. How many does an answer of n rows take?",
        "ROWS makes the list, EACH is asked for every row of it: 1 + n statements. SQL can say "
        "both at once: a join brings the name, GROUP BY makes one row of a day's hours.",
        "Take case.definition(), remove EACH from its container's environment and set ROWS to one "
        "query: SELECT w.origin, w.month, w.day, a.name AS airport, max(w.temp) AS warmest, "
        "max(w.wind_gust) AS gust FROM weather w JOIN airports a ON a.faa = w.origin GROUP BY "
        "the first four. Register it, and update the service.",
    )
    handy = (
        "case.definition() is what the service uses, for you to change and register; "
        "case.measure() asks it once; with case.admin() as connection: connection.execute(...) "
        "is SQL in the lab's database"
    )

    def build(self) -> list[str]:
        secret = self.prepare_database("weather", "airports")
        container = self.rows_program(secret, ROWS=LIST, EACH=DETAIL)
        self.create(making.fargate(self, container), COUNT)
        self.until_it_serves(COUNT)
        seen = self.measure()
        if seen["statements"] <= seen["rows"]:
            raise RuntimeError(f"{seen['statements']} statements are too few to be shown")
        return [
            f"GET /rows: {seen['status']}, {seen['rows']:,} rows",
            "statements that the database has counted for this answer: more than it has rows",
        ]

    def measure(self) -> dict:
        """Ask once; status, rows, seconds, and the statements that the database has counted."""
        [task, *_] = self.tasks()
        before, begun = self._counted(), time.monotonic()
        answer = answering.get(f"{self.url(task)}/rows")
        seconds = time.monotonic() - begun
        body = answer.json()
        return {
            "status": answer.status_code,
            "rows": len(body) if answer.is_success else 0,
            "seconds": round(seconds, 2),
            "statements": self._counted() - before,
        }

    def _counted(self) -> int:
        """Transactions of the lab's database; a connection's are counted when it has ended."""
        deadline, seen = time.monotonic() + WAIT_SECONDS, []
        with database.admin(self) as connection:
            while time.monotonic() < deadline:
                seen.append(
                    connection.execute(
                        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE usename = %(name)s), "
                        "xact_commit + xact_rollback FROM pg_stat_database "
                        "WHERE datname = %(name)s",
                        {"name": self.database},
                    ).fetchone()
                )
                if seen[-1][0] == 0 and seen[-2:-1] == seen[-1:]:
                    return seen[-1][1]
                time.sleep(SETTLED_SECONDS)
        raise RuntimeError(f"{self.database} is never at rest")

    def rules(self):
        yield Rule(
            "steady",
            f"The service is steady with {COUNT} task",
            lambda: self.why_not_steady(COUNT),
        )
        yield Rule("rows", "GET /rows answers with the same rows", self._why_other_rows)
        yield Rule(
            "statements",
            f"One answer takes at most {MOST_STATEMENTS} statements",
            self._why_many,
        )

    def _why_other_rows(self) -> str | None:
        [task, *_] = self.tasks()
        try:
            answer = answering.get(f"{self.url(task)}/rows")
        except httpx.TransportError as error:
            return f"It does not answer: {error}."
        if not answer.is_success:
            return f"It answers {answer.status_code}: {answer.json()['error']}."
        return answering.why_other_rows(answer.json(), self.expected(RIGHT))

    def _why_many(self) -> str | None:
        for _ in range(LOOKS):  # PostgreSQL's vacuum of new tables is counted too, and ends
            seen = self.measure()
            if seen["statements"] <= MOST_STATEMENTS:
                return None
        many = "more than one for each row" if seen["statements"] > seen["rows"] else "many"
        return f"The database has counted {many}."


LAB = NPlusOne
