"""One lab: its story, what it makes, its hints, its check."""

import datetime
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from drydock.lab import Lab
from drydock.study.repair.cleaning import clean
from drydock.study.repair.shown import (
    LEVELS,
    CannotBeShown,
    Hint,
    Rule,
    Solution,
    Verdict,
    page,
    tidy,
)


class Case:
    """A system that is broken, for a learner to repair.

    A lab is a subclass with the texts below, `build`, which breaks something and returns what can
    be seen of it, and `rules`, all of which hold of a repaired system.
    """

    lesson: ClassVar[str] = "3b"  # that the lab belongs to
    title: ClassVar[str]
    skills: ClassVar[tuple[str, ...]]
    minutes: ClassVar[int]
    asked: ClassVar[str]
    goal: ClassVar[str]
    look: ClassVar[tuple[str, ...]]
    hints: ClassVar[tuple[str, str, str]]
    handy: ClassVar[str]

    def __init__(self, lab: Lab):
        self.lab = lab
        self.name = type(self).__module__.rpartition(".")[2]
        self.prefix = f"repair-{self.name.replace('_', '-')}"
        # Tasks that are older belong to an earlier start.
        self.since = datetime.datetime.now(datetime.UTC)
        self.symptoms: list[str] = []
        self.hints_used = 0
        self._clients: dict[str, Any] = {}

    def client(self, service: str):
        """The lab's boto3 client of a service, made once: checks ask again and again."""
        if service not in self._clients:
            self._clients[service] = self.lab.client(service)
        return self._clients[service]

    # Names of what the lab makes. Each is made only where the lab needs it.
    @property
    def cluster(self) -> str:
        return self.prefix

    @property
    def family(self) -> str:
        """Of the task definition."""
        return self.prefix

    @property
    def service(self) -> str:
        return self.prefix

    @property
    def log_group(self) -> str:
        return f"/repair/{self.prefix.removeprefix('repair-')}"

    @property
    def bucket(self) -> str:
        return f"{self.prefix}-{self.lab.account_id}"

    @property
    def secret(self) -> str:
        """Name of the database's secret."""
        return f"repair/{self.prefix.removeprefix('repair-')}"

    @property
    def execution_role(self) -> str:
        return f"{self.prefix}-execution"

    @property
    def task_role(self) -> str:
        return f"{self.prefix}-task"

    @property
    def repository(self) -> str:
        """Of the lab's own image."""
        return f"repair/{self.prefix.removeprefix('repair-')}"

    @property
    def folder(self) -> Path:
        """Where the lab keeps its record, and a program for the learner to change."""
        return self.lab.home / "repair" / self.name

    # What a subclass says.
    def build(self) -> list[str]:
        """Make what the lab needs, broken, and return its symptoms, a line each."""
        raise NotImplementedError

    def clean(self) -> None:
        """Remove what only this lab makes; everything else is removed for it."""

    def rules(self) -> Iterator[Rule]:
        """What must be true in the end, in the order in which it is looked at."""
        raise NotImplementedError

    # What the learner does.
    def hint(self) -> Hint:
        """The next hint: nudge, pointer, near-solution."""
        if self.hints_used == len(LEVELS):
            return Hint(0, "There are no more hints; case.solution() shows the solution.")
        self.hints_used += 1
        self._save()
        return Hint(self.hints_used, self.hints[self.hints_used - 1])

    def check(self) -> Verdict:
        """Look at the state of the system; wait for what is still starting."""
        rules = list(self.rules())
        for number, rule in enumerate(rules):
            try:
                why = rule.broken()
            except ClientError as error:
                why = f"AWS said: {error}"
            if why:
                return Verdict(self.name, tuple(rules[:number]), tuple(rules[number:]), tidy(why))
        return Verdict(self.name, tuple(rules))

    def reset(self) -> None:
        """Back to broken, as after a start."""
        clean(self)
        self.since = datetime.datetime.now(datetime.UTC)
        self.hints_used = 0
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.symptoms = [tidy(line) for line in self.build()]
        except CannotBeShown:
            clean(self)
            raise
        self._save()

    def solution(self) -> Solution:
        """The stored solution, once all hints are used."""
        if left := len(LEVELS) - self.hints_used:
            return Solution(f"First take the hints: {left} left. Type: case.hint()")
        return Solution(inspect.getsource(self._stored_solution().solve).rstrip())

    def solve(self) -> None:
        """Do what the stored solution does."""
        self._stored_solution().solve(self.lab, self)

    def _stored_solution(self):
        return importlib.import_module(f"drydock.study.repair.solutions.{self.name}")

    def __repr__(self) -> str:
        return page(
            f"{self.title}   ({self.minutes} minutes, exam skills {', '.join(self.skills)})",
            [
                ("Asked for", self.asked),
                ("You see", self.symptoms),
                ("Repaired", self.goal),
                ("Look at", self.look),
                ("Yours", self.belongings()),
                ("At hand", self.handy),
            ],
        )

    def belongings(self) -> str:
        """The names that the learner works with, in one line."""
        return f"cluster and family {self.family}, log group {self.log_group}"

    # What outlives the kernel.
    @property
    def _record(self) -> Path:
        return self.folder / "case.json"

    def _save(self) -> None:
        record = {
            "since": self.since.isoformat(),
            "symptoms": self.symptoms,
            "hints_used": self.hints_used,
        }
        self._record.write_text(json.dumps(record))

    def recall(self) -> bool:
        """Take over what an earlier start has noted; False if there was none."""
        if not self._record.is_file():
            return False
        record = json.loads(self._record.read_text())
        self.since = datetime.datetime.fromisoformat(record["since"])
        self.symptoms, self.hints_used = record["symptoms"], record["hints_used"]
        return True
