"""boto3 clients of this very server, with the rights of a role."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
from botocore.config import Config
from moto.sts.models import sts_backends

from localcloud import arns

SESSION_SECONDS = 3600
RENEW_BEFORE_SECONDS = 900
# An empty proxy map keeps calls to our own address away from a proxy in the environment.
CLIENT_CONFIG = Config(
    proxies={},
    connect_timeout=10,
    read_timeout=30,
    max_pool_connections=16,
    retries={"mode": "standard", "max_attempts": 4},
)


class Clients:
    """boto3 clients of this very server: as a role, or as the account itself.

    Credentials of a role are kept by session name, and renewed a quarter of an hour before they
    end.
    """

    def __init__(self, endpoint: str):
        self.endpoint = endpoint
        self._lock = threading.RLock()
        self._session = boto3.session.Session()
        self._credentials: dict[tuple[str, str], dict[str, Any]] = {}
        self._clients: dict[tuple[str, str | None], tuple[Any, Any]] = {}
        self._sessions: dict[str, str] = {}

    def credentials(self, role_arn: str, session: str = "ecs-agent") -> dict[str, Any]:
        """AccessKeyId, SecretAccessKey, SessionToken and Expiration of the role."""
        with self._lock:
            held = self._credentials.get((role_arn, session))
            if held and held["Expiration"].timestamp() - time.time() > RENEW_BEFORE_SECONDS:
                return held
            answer = self.get("sts").assume_role(
                RoleArn=role_arn, RoleSessionName=session, DurationSeconds=SESSION_SECONDS
            )
            self._credentials[role_arn, session] = answer["Credentials"]
            self._sessions[answer["Credentials"]["AccessKeyId"]] = session
            return answer["Credentials"]

    def session_of(self, access_key: str) -> str | None:
        """The session that the key was made for, even after it was renewed."""
        return self._sessions.get(access_key)

    def forget(self, role_arn: str, session: str) -> None:
        """The session's keys end, here and in STS, which would otherwise keep every one."""
        with self._lock:
            kept = sts_backends[arns.ACCOUNT]["aws"].assumed_roles
            for role in [role for role in list(kept) if role.session_name == session]:
                kept.remove(role)
            self._credentials.pop((role_arn, session), None)
            self._sessions = {key: of for key, of in self._sessions.items() if of != session}

    def get(self, service: str, role_arn: str | None = None) -> Any:
        """A client of ``service``; safe to share between threads."""
        with self._lock:
            keys = self.credentials(role_arn) if role_arn else None
            made = self._clients.get((service, role_arn))
            if made and made[0] is keys:
                return made[1]
            client = self._session.client(
                service,
                region_name=arns.REGION,
                endpoint_url=self.endpoint,
                config=CLIENT_CONFIG,
                aws_access_key_id=keys["AccessKeyId"] if keys else "drydock",
                aws_secret_access_key=keys["SecretAccessKey"] if keys else "drydock",
                aws_session_token=keys["SessionToken"] if keys else None,
            )
            self._clients[service, role_arn] = (keys, client)
            return client
