"""An API's limit, and a query that takes longer than it: an index got lost."""

from psycopg import sql

from drydock.study.repair import answering, gateways, making, serving
from drydock.study.repair.answering import AnsweringCase
from drydock.study.repair.service import PORT
from drydock.study.repair.shown import CannotBeShown, Rule

COUNT, LIMIT_MILLISECONDS = 1, 2500
TRIES = 2  # a machine that is busy with something else may be late once
DEPARTURES = (
    "SELECT n AS id, (ARRAY['EWR', 'JFK', 'LGA'])[1 + n % 3] AS origin, "
    "timestamptz '2013-01-02 00:00+00' + n * interval '1 hour 44 minutes' AS at "
    "FROM generate_series(1, 5000) AS n"
)
QUERY = (
    "SELECT d.id, d.origin, seen.temp, seen.wind_speed FROM {departures} AS d "
    "CROSS JOIN LATERAL (SELECT w.temp, w.wind_speed FROM weather AS w "
    "WHERE w.origin = d.origin AND w.time_hour <= d.at ORDER BY w.time_hour DESC LIMIT 1) AS seen "
    "ORDER BY d.id"
)
LONGEST = "29s"  # for a statement: nobody waits for it any more after 30 s


class LateAnswer(AnsweringCase):
    title = "504, and the answer comes too late"
    skills = ("1.2.7", "1.2.8", "1.4.1", "3.3.4")
    minutes = 20
    asked = (
        "Tell for each departure the weather that was seen last before it, through an HTTP API "
        f"that waits {LIMIT_MILLISECONDS / 1000:g} s for an answer. Since the table weather was "
        "loaded anew, whoever asks gets 504; the program is well."
    )
    goal = (
        f"GET /rows answers 200 with all rows within the limit of {LIMIT_MILLISECONDS} ms, which "
        "stays what it is: the page's readers wait no longer."
    )
    look = (
        "apigatewayv2.get_integrations: TimeoutInMillis, which is 30,000 at most",
        "case.admin(): EXPLAIN of the query in the variable ROWS, and "
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'weather'",
        "pg_stat_activity after a 504: the query still runs, and nobody waits for it",
    )
    hints = (
        "504 says only who lost patience: the gateway. The work behind it goes on. What takes so "
        "long, and did it always?",
        "For each departure the query wants one row of weather: of this origin, the newest before "
        "that hour. Without an index in that order PostgreSQL reads the whole table, 5,000 times. "
        "EXPLAIN shows a Seq Scan and a Sort inside the loop.",
        "with case.admin() as connection: connection.execute('CREATE INDEX ON weather (origin, "
        "time_hour)'). What cannot be made fast enough is made asynchronous: answer 202, let the "
        "client come back for the result.",
    )
    handy = (
        "case.url is where the API is called, with /rows and /healthz; case.api_id and "
        "case.integration_id; case.definition() is what the service uses; with case.admin() as "
        "connection: connection.execute(...) is SQL in the lab's database"
    )

    @property
    def api_id(self) -> str:
        """Id of the lab's HTTP API."""
        return gateways.described(self)["ApiId"]

    @property
    def integration_id(self) -> str:
        """Id of the API's one integration."""
        return self._integration()["IntegrationId"]

    @property
    def url(self) -> str:
        """Where the stage of the lab's API is called."""
        return gateways.url(self)

    def build(self) -> list[str]:
        secret = self.prepare_database("weather")
        with self.admin() as connection:
            connection.execute("ALTER TABLE weather DROP CONSTRAINT weather_pkey")
            connection.execute(f"CREATE TABLE departures AS {DEPARTURES}")
            user = sql.Identifier(self.database)
            connection.execute(sql.SQL("GRANT SELECT ON departures TO {}").format(user))
            connection.execute(
                sql.SQL("ALTER ROLE {} SET statement_timeout = {}").format(user, LONGEST)
            )
            connection.execute("ANALYZE")
        container = self.rows_program(secret, ROWS=QUERY.format(departures="departures"))
        listener = serving.load_balancer(self, PORT)
        gateways.create(self)
        gateways.private(self, listener["ListenerArn"], LIMIT_MILLISECONDS, "/rows", "/healthz")
        behind = {
            "targetGroupArn": serving.target_group(self),
            "containerName": self.container,
            "containerPort": PORT,
        }
        self.create(making.fargate(self, container), COUNT, loadBalancers=[behind])
        self.until_it_serves(COUNT)
        answer = gateways.ask(f"{self.url}/rows")
        if answer.status_code != 504:
            raise CannotBeShown(
                f"This machine answers within {LIMIT_MILLISECONDS} ms without the index: it has "
                "nothing to repair"
            )
        return [
            f"GET /healthz: {gateways.ask(f'{self.url}/healthz').status_code}",
            f"GET /rows: {answer.status_code} {answer.text}",
        ]

    def clean(self) -> None:
        gateways.clean(self)
        serving.clean(self)
        super().clean()

    def rules(self):
        yield Rule(
            "limit",
            f"The integration waits {LIMIT_MILLISECONDS} ms at most",
            self._why_longer,
        )
        yield Rule(
            "steady",
            f"The service is steady with {COUNT} task",
            lambda: self.why_not_steady(COUNT),
        )
        yield Rule("in_time", "GET /rows answers 200", self._why_late)
        yield Rule("rows", "It answers with all rows", self._why_other_rows)

    def _integration(self) -> dict:
        found = self.client("apigatewayv2").get_integrations(ApiId=self.api_id)["Items"]
        return found[0]

    def _why_longer(self) -> str | None:
        milliseconds = self._integration()["TimeoutInMillis"]
        if milliseconds > LIMIT_MILLISECONDS:
            return (
                f"It waits {milliseconds:,} ms now: who reads the page has left by then, and each "
                "of them keeps a connection and a core of the database busy."
            )
        return None

    def _why_late(self) -> str | None:
        for _ in range(TRIES):
            answer = gateways.ask(f"{self.url}/rows")
            if answer.is_success:
                return None
        return f"It answers {answer.status_code}: {answer.json()}."

    def _why_other_rows(self) -> str | None:
        expected = self.expected(QUERY.format(departures=f"({DEPARTURES})"))
        for _ in range(TRIES):
            answer = gateways.ask(f"{self.url}/rows")
            if answer.is_success:
                return answering.why_other_rows(answer.json(), expected)
        return f"It answers {answer.status_code} again."

    def belongings(self) -> str:
        return f"{super().belongings()}, HTTP API, VPC link and load balancer {self.prefix}"


LAB = LateAnswer
