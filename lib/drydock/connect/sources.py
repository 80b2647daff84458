"""Where a connection's credentials come from at the moment when it is opened."""

import threading
from collections.abc import Callable

from botocore.exceptions import ClientError

from drydock.connect.secrets import DatabaseSecret, SecretError, read_secret

# Called with the secret that the database has just refused, or without: gives the one to use now.
Source = Callable[[DatabaseSecret | None], DatabaseSecret]


class SecretSource:
    """A secret in Secrets Manager: read once, and again when the database refuses it.

    Rotation changes the secret, and with two users in turn also the user, while we are at work.
    """

    def __init__(self, secretsmanager, secret_id: str):
        self._secretsmanager = secretsmanager
        self._id = secret_id
        self._known: DatabaseSecret | None = None
        self._lock = threading.Lock()

    def __call__(self, refused: DatabaseSecret | None = None) -> DatabaseSecret:
        """Return the secret; read it unless somebody has since it was `refused`. Thread-safe."""
        with self._lock:
            if self._known is None or self._known == refused:
                self._known = self._read()
            return self._known

    def _read(self) -> DatabaseSecret:
        try:
            return read_secret(self._secretsmanager, self._id)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            raise SecretError(
                f"secret {self._id} cannot be read ({code}); check its name, and that the role "
                "allows secretsmanager:GetSecretValue on it"
            ) from None


class TokenSource:
    """IAM database authentication: a token signed for 15 minutes instead of a password.

    The token is made from the caller's AWS credentials without asking AWS, so each connection gets
    a new one; a connection that is open stays open when its token expires. The database has to have
    IAM authentication enabled, its user the role rds_iam, and the connection TLS.
    """

    def __init__(self, rds, host: str, port: int, username: str, dbname: str):
        self._rds = rds
        self._place = {"host": host, "port": port, "username": username, "dbname": dbname}

    def __call__(self, refused: DatabaseSecret | None = None) -> DatabaseSecret:
        """Return the place with a new token as its password."""
        token = self._rds.generate_db_auth_token(
            DBHostname=self._place["host"],
            Port=self._place["port"],
            DBUsername=self._place["username"],
        )
        return DatabaseSecret(**self._place, password=token)
