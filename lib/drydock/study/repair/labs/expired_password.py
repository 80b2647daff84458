"""The password's validity has ended in the database."""

import hashlib
from pathlib import Path

from drydock.study.repair import making
from drydock.study.repair.reading import ReadingCase
from drydock.study.repair.shown import Rule

ENDED = "2013-12-31"


class ExpiredPassword(ReadingCase):
    title = "The password of last year"
    skills = ("1.2.2", "4.1.3", "4.2.2")
    minutes = 15
    asked = (
        "Count the rows of the weather table. Nobody has touched the task, its secret or its "
        "roles, and today the database refuses the password that it took yesterday."
    )
    goal = (
        "A task ends with exit code 0 and tells all rows. User and secret have a new password, "
        "since an old one is replaced, not prolonged; and the new one ends some day, too."
    )
    look = (
        "the last line of the task's log",
        "SELECT rolname, rolvaliduntil FROM pg_roles: PostgreSQL says the same for a wrong "
        "password and for one that has ended",
        "secretsmanager.get_random_password",
    )
    hints = (
        "The same words stand for a wrong password and for a right one out of date. Ask the "
        "database about the user, not about the password.",
        "rolvaliduntil in pg_roles has passed. Rotation is four steps: create a password, set it "
        "in the database, test it, and make it the secret's current one.",
        "get_random_password; as case.admin(): ALTER ROLE <case.user> PASSWORD '...' VALID UNTIL "
        "'...' with a day to come; put the same password into the secret; run the task.",
    )

    def build(self) -> list[str]:
        secrets = self.client("secretsmanager")
        made = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)
        password = made["RandomPassword"]
        definition = self.reader({}, username=self.user, password=password)
        self.create_user(password, until=ENDED)
        self.first.write_text(_digest(password))
        making.register(self, definition)
        return self.seen_of(self.launch())

    @property
    def first(self) -> Path:
        """Where the lab keeps a digest of the password that the user began with."""
        return self.folder / "first.sha256"

    def rules(self):
        yield from self.reading_rules()
        yield Rule("own_user", f"The secret's user is still {self.user}", self._why_another_user)
        yield Rule("replaced", "The user has a new password", self._why_the_old)
        yield Rule("ends", "The new password ends some day, and not yet", self._why_for_ever)

    def _why_another_user(self) -> str | None:
        user = self.stored().username
        return None if user == self.user else f"The secret names the user {user}."

    def _why_the_old(self) -> str | None:
        if _digest(self.stored().password) == self.first.read_text():
            return "It is the old password, prolonged: whoever has seen it can still log in."
        return None

    def _why_for_ever(self) -> str | None:
        _, holds, ends = self.role_row()
        if not ends:
            return "rolvaliduntil is infinity: nobody will ever be made to change it."
        return None if holds else "rolvaliduntil has passed."

    def belongings(self) -> str:
        return f"{super().belongings()}, database user {self.user} (case.user)"


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


LAB = ExpiredPassword
