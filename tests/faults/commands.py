"""The `drydock` command on a home of its own, and what a person reads when it fails."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MONTHS = ("2013-01", "2013-02", "2013-03")
ROWS = 27_004 + 24_951 + 28_834


@dataclass(frozen=True)
class Command:
    """The `drydock` command on one home."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {"DRYDOCK_HOME": str(self.home), "DRYDOCK_PORT": "0", "COLUMNS": "200"}

    def start(self, *words: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "drydock.cli", *words],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **environment: str) -> "Ended":
        return ended(self.start("run", "--no-notebook", *words, **environment))


@dataclass(frozen=True)
class Ended:
    """A command that has ended. `lines` is what a person reads as its error."""

    code: int
    out: str
    lines: list[str]

    def fails(self, code: int, *said: str) -> None:
        """Assert that it failed as a command should: its code, one clear line, no traceback."""
        everything = "\n".join([self.out, *self.lines])
        assert self.code == code, everything
        assert "Traceback" not in everything
        assert [line for line in self.lines if line.startswith("drydock: ")], everything
        for words in said:
            assert words in everything


def ended(process: subprocess.Popen) -> Ended:
    out, errors = process.communicate(timeout=120)
    return Ended(process.returncode, out, errors.splitlines())
