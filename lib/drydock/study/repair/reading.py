"""Labs about a small program that reads a table of the pipeline's database and counts its rows."""

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import sql

from drydock.connect.secrets import DatabaseSecret, read_secret
from drydock.pipeline.roles import read_secret_policy
from drydock.study.repair import database, making
from drydock.study.repair.batch import BatchCase
from drydock.study.repair.shown import Rule

QUERY = "SELECT * FROM weather WHERE month = {month}"
ROWS = 26_115  # of the table weather


class ReadingCase(BatchCase):
    """The program of lib/containers/labs/reader reads with what the lab's secret says."""

    lesson = "5"
    container = "reader"
    handy = (
        "case.definition() is the newest revision, for you to change and register; "
        "ecs.run_task(**case.run_task) runs it; with case.admin() as connection: "
        "connection.execute(...) is SQL as the database's administrator"
    )

    @property
    def user(self) -> str:
        """The database user of the lab's own."""
        return self.prefix.replace("-", "_")

    def admin(self) -> psycopg.Connection:
        """A connection as the database's administrator, in autocommit mode."""
        return database.admin(self)

    def reader(self, variables: dict[str, str], **secret: str | int) -> dict:
        """Make all that the program needs, in good order, and return its task definition.

        `secret` are values of the database's secret to change.
        """
        making.cluster_and_logs(self)
        making.lookup_instance(self.lab)
        arn = making.secret_of_reader(self, **secret)
        making.execution_role(self, read_secret_policy(arn))
        making.role(self.lab, self.task_role)
        variables = {"QUERY": QUERY, "PGSSLROOTCERT": str(self.lab.certificates)} | variables
        container = {
            "name": self.container,
            "image": making.image(self, "reader"),
            "essential": True,
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "secrets": [{"name": "DB_SECRET", "valueFrom": arn}],
            "logConfiguration": making.logs_to(self, self.container),
        }
        return making.fargate(self, container)

    def create_user(self, password: str, limit: int = -1, until: str = database.FOREVER) -> None:
        """A database user that may read, open `limit` connections, and log in `until` then."""
        role = sql.Identifier(self.user)
        with self.admin() as connection:
            database.wait_for_turn(connection)
            database.create_user(connection, self.user, password, limit, until)
            connection.execute(sql.SQL("GRANT SELECT ON weather TO {}").format(role))

    def role_row(self) -> tuple[int, bool, bool]:
        """The user's limit of connections, whether its password holds, whether it ends."""
        with self.admin() as connection:
            return connection.execute(
                "SELECT rolconnlimit, coalesce(rolvaliduntil > now(), true), "
                "coalesce(isfinite(rolvaliduntil), false) "
                "FROM pg_roles WHERE rolname = %s",
                [self.user],
            ).fetchone()

    def stored(self) -> DatabaseSecret:
        """What the lab's secret says now."""
        return read_secret(self.client("secretsmanager"), self.secret)

    def clean(self) -> None:
        """Remove the user, if the lab has made one."""
        rds = self.client("rds")
        with contextlib.suppress(rds.exceptions.DBInstanceNotFoundFault):
            role = sql.Identifier(self.user)
            with self.admin() as connection:
                known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
                if connection.execute(known, [self.user]).fetchone():
                    database.wait_for_turn(connection)
                    connection.execute(sql.SQL("REVOKE ALL ON weather FROM {}").format(role))
                    connection.execute(sql.SQL("DROP ROLE {}").format(role))

    def reading_rules(self, rows: int = ROWS) -> Iterator[Rule]:
        yield from self.batch_rules()
        yield Rule("rows", f"Its log tells {rows:,} rows", lambda: self._why_not_read(rows))
        yield Rule(
            "from_secret",
            f"The task takes its credentials from the secret {self.secret}",
            self._why_elsewhere,
        )

    def variable(self, name: str, default: str = "") -> str:
        """A variable of the newest revision's container."""
        [container] = self.definition()["containerDefinitions"]
        found = {one["name"]: one["value"] for one in container["environment"]}
        return found.get(name, default)

    def _why_not_read(self, rows: int) -> str | None:
        lines = self.log(self.newest_task())
        return None if f"{rows:,} rows" in lines else f"It tells {(lines or ['nothing'])[-1]!r}."

    def _why_elsewhere(self) -> str | None:
        [container] = self.definition()["containerDefinitions"]
        sources = [s["valueFrom"] for s in container["secrets"] if s["name"] == "DB_SECRET"]
        if not sources:
            return "The definition does not name it under `secrets`."
        if self.secret not in sources[0]:
            return "The definition names another secret; its owner will change it one day."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, secret {self.secret}"
