"""How to reach the database: the secret that ECS puts into the task's environment."""

import json
import re
from dataclasses import dataclass, field

from etl.errors import InputFailure

SECRET_FIELDS = ("host", "port", "username", "password", "dbname")
CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Secret:
    """How to reach the database, as Secrets Manager keeps it for RDS."""

    host: str
    port: int
    username: str
    dbname: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, text: str | None) -> "Secret":
        """Read the JSON that ECS puts into DB_SECRET; no message ever shows its text."""
        if not text:
            raise InputFailure(
                "DB_SECRET is not set; name the secret under `secrets` in the task definition"
            )
        try:
            values = json.loads(text)
            chosen = {name: str(values[name]) for name in SECRET_FIELDS}
            for name in ("host", "username", "dbname"):
                if re.search(r"[;{}\s]", chosen[name]):
                    raise ValueError(name)  # it would change other settings of the connection
            return cls(**chosen | {"port": int(chosen["port"])})
        except (ValueError, TypeError, KeyError):
            raise InputFailure(
                f"DB_SECRET is not a JSON object with {', '.join(SECRET_FIELDS)}; "
                "look at the secret in Secrets Manager"
            ) from None

    @property
    def place(self) -> str:
        return f"database {self.dbname} at {self.host}:{self.port}"
