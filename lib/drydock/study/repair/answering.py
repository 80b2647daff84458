"""Labs about a small program that answers over HTTP with rows of a database of the lab's own."""

import json

import httpx
import psycopg
from psycopg import sql

from drydock.pipeline.roles import read_secret_policy
from drydock.study.repair import database, making
from drydock.study.repair.service import ServiceCase

SECONDS = 180.0  # how long to wait for an answer that is slow on a slow machine


class AnsweringCase(ServiceCase):
    """The program of lib/containers/labs/rows answers GET /rows with what its settings ask for."""

    lesson = "6"
    container = "rows"

    @property
    def database(self) -> str:
        """Name of the lab's own database, and of the user that the program has."""
        return self.prefix.replace("-", "_")

    def admin(self) -> psycopg.Connection:
        """A connection to the lab's database as its administrator, in autocommit mode."""
        return database.admin(self, self.database)

    def prepare_database(self, *tables: str) -> str:
        """Make the database with these lookup tables and its user; the ARN of the user's secret."""
        making.lookup_instance(self.lab)
        database.own_database(self, self.database, *tables)
        secrets = self.client("secretsmanager")
        made = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)
        user, password = sql.Identifier(self.database), made["RandomPassword"]
        with self.admin() as connection:
            database.create_user(connection, self.database, password)
            connection.execute(
                sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(user)
            )
        return making.secret_of_reader(
            self, username=self.database, password=password, dbname=self.database
        )

    def rows_program(self, secret: str, **variables: str) -> dict:
        """Make what the program's task needs, in good order; its container definition."""
        making.cluster_and_logs(self)
        making.execution_role(self, read_secret_policy(secret))
        making.role(self.lab, self.task_role)
        variables = {"PGSSLROOTCERT": str(self.lab.certificates)} | variables
        return {
            "name": self.container,
            "image": making.image(self, "rows"),
            "essential": True,
            "portMappings": [{"containerPort": 8000}],
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "secrets": [{"name": "DB_SECRET", "valueFrom": secret}],
            "logConfiguration": making.logs_to(self, self.container),
        }

    def until_it_serves(self, count: int) -> None:
        """Wait for the steady service; whoever asks finds it then."""
        if why := self.why_not_steady(count, for_seconds=0):
            raise RuntimeError(f"the service {self.service} does not start: {why}")

    def expected(self, query: str) -> list[dict]:
        """The rows of a query of the lookup tables, as JSON has them."""
        with database.admin(self) as connection:
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            found = cursor.execute(query).fetchall()
        return json.loads(json.dumps(found, default=str))

    def clean(self) -> None:
        database.drop(self, self.database)

    def belongings(self) -> str:
        return f"{super().belongings()}, database {self.database}"


def get(url: str) -> httpx.Response:
    """One GET with no proxy between. Raises httpx.TransportError."""
    return httpx.get(url, timeout=SECONDS, trust_env=False)


def why_other_rows(found: list[dict], expected: list[dict]) -> str | None:
    """What distinguishes an answer from the right one, whatever the order of its rows."""
    if len(found) != len(expected):
        return f"It has {len(found):,} rows, not {len(expected):,}."
    columns = [", ".join(rows[0]) for rows in (found, expected)]
    if sorted(found[0]) != sorted(expected[0]):
        return f"Its rows have {columns[0]}, and not {columns[1]}."
    if sorted(map(_key, found)) != sorted(map(_key, expected)):
        return "Some of its values are not those of the source."
    return None


def _key(row: dict) -> str:
    return json.dumps(row, sort_keys=True)
