"""Database credentials in Secrets Manager, in the JSON form that RDS itself uses.

Source of the form: AWS Secrets Manager user guide, "JSON structure of AWS Secrets Manager secrets".
"""

import json
from dataclasses import dataclass, field

from drydock.errors import DrydockError

KEYS = ("engine", "host", "port", "username", "password", "dbname")


class SecretError(DrydockError):
    """A secret that cannot be used; the message names the missing key, never a value."""


@dataclass(frozen=True)
class DatabaseSecret:
    """Where a database is and who we are to it. The password never shows in a repr."""

    host: str
    port: int
    username: str
    dbname: str
    password: str = field(repr=False)
    engine: str = "postgres"

    def to_json(self) -> str:
        """Return the secret string to store."""
        return json.dumps({key: getattr(self, key) for key in KEYS})

    @classmethod
    def from_json(cls, text: str, name: str = "the secret") -> "DatabaseSecret":
        """Read a secret string; raise SecretError, which names what `name` lacks."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError:
            raise SecretError(f"{name} is not JSON; store the keys {', '.join(KEYS)}") from None
        missing = [key for key in KEYS if not isinstance(values, dict) or key not in values]
        if missing:
            raise SecretError(f"{name} lacks {', '.join(missing)}; store all of {', '.join(KEYS)}")
        return cls(**{key: values[key] for key in KEYS})


def read_secret(secretsmanager, secret_id: str) -> DatabaseSecret:
    """Fetch the secret `secret_id` with a boto3 Secrets Manager client."""
    answer = secretsmanager.get_secret_value(SecretId=secret_id, VersionStage="AWSCURRENT")
    text = answer["SecretString"]
    return DatabaseSecret.from_json(text, f"secret {secret_id}")
