"""The files that tell a PostgreSQL whom to let in, and what its parameter group sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localcloud.authority import ADDRESS

PARAMETERS = "parameters.conf"
INCLUDE = f"include '{PARAMETERS}'\n"


@dataclass(frozen=True)
class Configuration:
    """``tokens`` is pg_hba.conf's method for users with the role rds_iam; None: not enabled."""

    parameters: dict[str, str]
    force_ssl: bool
    tokens: str | None = None

    def write(self, data: Path, master: str) -> None:
        """Write both files into a data folder; PostgreSQL reads them when it starts or reloads."""
        (data / "pg_hba.conf").write_text(self.rules(master))
        lines = [f"{name} = {_quoted(value)}\n" for name, value in self.parameters.items()]
        (data / PARAMETERS).write_text("".join(lines))
        main = data / "postgresql.conf"
        text = main.read_text()
        if INCLUDE not in text:
            main.write_text(f"{text}\n{INCLUDE}")

    def rules(self, master: str) -> str:
        """pg_hba.conf: the first line that fits a connection decides.

        From PostgreSQL 16 on the master user, who may grant rds_iam, is a member of it by that. It
        keeps its password.
        """
        anyhow = "hostssl" if self.force_ssl else "host"
        lines = [f'{anyhow} all "{master}" {ADDRESS}/32 scram-sha-256']
        if self.tokens:
            lines += [
                f"hostssl all +rds_iam {ADDRESS}/32 {self.tokens}",
                f"hostnossl all +rds_iam {ADDRESS}/32 reject",
            ]
        lines.append(f"{anyhow} all all {ADDRESS}/32 scram-sha-256")
        return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
