"""The program opens more connections than its user may have."""

from drydock.study.repair import making
from drydock.study.repair.reading import ReadingCase
from drydock.study.repair.shown import Rule

ALLOWED, OPENED = 4, 12


class ExhaustedConnections(ReadingCase):
    title = "Too many connections"
    skills = ("1.2.2", "1.2.7", "1.1.9")
    minutes = 10
    asked = (
        "Count the rows of the weather table, month by month. To make it faster, somebody has "
        "given each of the twelve months a connection of its own. It never was slower."
    )
    goal = (
        "A task ends with exit code 0 and tells all rows of all months, with connections shared "
        f"among them. The database's owner allows this user {ALLOWED} connections, and keeps it so."
    )
    look = (
        "the last line of the task's log",
        "SELECT rolname, rolconnlimit FROM pg_roles",
        "the container's environment in the task definition: CONNECTIONS",
    )
    hints = (
        "Eleven connections wait while one works is no plan either. How many at most may this "
        "user have, and who decides it?",
        "rolconnlimit is the user's share of max_connections, which all programs of this database "
        "divide among them. The program's own number has to fit into it.",
        f"Take case.definition(), set the variable CONNECTIONS of its container to '{ALLOWED}' or "
        "less, register it and run it again: the twelve months share the connections.",
    )

    def build(self) -> list[str]:
        secrets = self.client("secretsmanager")
        made = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)
        password = made["RandomPassword"]
        variables = {"CONNECTIONS": str(OPENED)}
        definition = self.reader(variables, username=self.user, password=password)
        self.create_user(password, limit=ALLOWED)
        making.register(self, definition)
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.reading_rules()
        yield Rule("own_user", f"The secret's user is still {self.user}", self._why_another_user)
        yield Rule("limit", f"This user may have {ALLOWED} connections", self._why_more)

    def _why_another_user(self) -> str | None:
        user = self.stored().username
        return None if user == self.user else f"The secret names the user {user}."

    def _why_more(self) -> str | None:
        limit = self.role_row()[0]
        if limit != ALLOWED:
            return f"rolconnlimit is {limit}: what this program takes more, others have less."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, database user {self.user} (case.user)"


LAB = ExhaustedConnections
