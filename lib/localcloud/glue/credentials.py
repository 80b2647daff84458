"""A run's script asks here for the credentials of its role, as an SDK does by itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.http import answer_json
from localcloud.role_clients import Clients

PATH = "/_localcloud/glue/credentials/"
SESSION = "GlueJobRunnerSession"


class Credentials:
    """``register`` gives the address that is good until ``forget``."""

    def __init__(self, clients: Clients, endpoint: str):
        self._clients, self._endpoint = clients, endpoint
        self._roles: dict[str, str] = {}

    def register(self, role_arn: str) -> str:
        token = secrets.token_urlsafe(24)
        self._roles[token] = role_arn
        return f"{self._endpoint}{PATH}{token}"

    def forget(self, address: str) -> None:
        self._roles.pop(address.rpartition("/")[2], None)

    def wsgi(self, app: Callable) -> Callable:
        def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            role = path.startswith(PATH) and self._roles.get(path.removeprefix(PATH))
            if not role:
                return app(environ, start_response)
            keys = self._clients.credentials(role, SESSION)
            answer = {
                "RoleArn": role,
                "AccessKeyId": keys["AccessKeyId"],
                "SecretAccessKey": keys["SecretAccessKey"],
                "Token": keys["SessionToken"],
                "Expiration": keys["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            return answer_json(start_response, answer)

        return front
