"""Rotation of secrets: rotate_secret has a Lambda function go through its four steps.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
Honoured: RotationLambdaARN, RotationRules (kept; no rotation starts by itself),
RotateImmediately=False (the step testSecret only), the function's resource policy, a second call
while one is under way (refused, and the first is tried again). A step that fails ends the rotation:
the secret in use stays, the new version keeps AWSPENDING, the reason is in the function's log.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceNotFoundException,
    SecretNotFoundException,
    SecretsManagerClientError,
)
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from localcloud.functions import Functions
from localcloud.functions.policy import lets_in
from localcloud.functions.rules import TooManyRequests

SERVICE = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
DAYS = (1, 1000)
THROTTLED_SECONDS = 0.5
DAY_SECONDS = 86_400


class NotLetIn(SecretsManagerClientError):
    def __init__(self) -> None:
        super().__init__(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function "
            f"policy grants access to the principal {SERVICE}.",
        )


class Rotation:
    """``register`` puts it in place of moto's, which leaves the new version without a value."""

    def __init__(self, functions: Functions):
        self._functions = functions
        self._lock = threading.Lock()
        self._turning: set[str] = set()
        self._closed = threading.Event()

    def register(self) -> None:
        original = _originals()

        def rotate_secret(
            backend: SecretsManagerBackend,
            secret_id: str,
            client_request_token: str | None = None,
            rotation_lambda_arn: str | None = None,
            rotation_rules: dict[str, Any] | None = None,
            rotate_immediately: bool = True,
        ) -> str:
            secret = _find(backend, secret_id)
            function = self._function(backend, secret, rotation_lambda_arn)
            _keep_rules(secret, rotation_rules)
            secret.rotation_lambda_arn = function.function_arn
            secret.rotation_requested = secret.rotation_enabled = True
            return self._begin(secret, function, client_request_token, rotate_immediately)

        def update_secret_version_stage(
            backend: SecretsManagerBackend, secret_id: str, version_stage: str, **moved: Any
        ) -> tuple[str, str]:
            answer = original["update_secret_version_stage"](
                backend, secret_id=secret_id, version_stage=version_stage, **moved
            )
            if version_stage == "AWSCURRENT" and moved.get("move_to_version_id"):
                _turned(backend.secrets[secret_id], moved["move_to_version_id"])
            return answer

        SecretsManagerBackend.rotate_secret = rotate_secret
        SecretsManagerBackend.update_secret_version_stage = update_secret_version_stage

    def stop(self) -> None:
        self._closed.set()

    def _function(self, backend: SecretsManagerBackend, secret: FakeSecret, arn: str | None) -> Any:
        wanted = arn or secret.rotation_lambda_arn
        if not wanted:
            raise InvalidRequestException(
                "No Lambda rotation function ARN is associated with this secret."
            )
        try:
            function = lambda_backends[backend.account_id][backend.region_name].get_function(wanted)
        except JsonRESTError:
            raise ResourceNotFoundException(f"Resource not found for ARN '{wanted}'.") from None
        if not lets_in(function, SERVICE, secret.arn, backend.account_id):
            raise NotLetIn()
        return function

    def _begin(self, secret: FakeSecret, function: Any, token: str | None, whole: bool) -> str:
        with self._lock:
            left = _pending(secret)
            version = left or token or str(uuid.uuid4())
            running = secret.arn in self._turning
            if not running:
                self._turning.add(secret.arn)
                if not left:
                    secret.versions[version] = _new_version(secret, version, whole)
                steps, work = (STEPS, self._turn) if whole or left else (STEPS[2:3], self._try)
                threading.Thread(
                    target=work, args=[secret, function, version, steps], name="rotation"
                ).start()
        if left:
            raise InvalidRequestException(
                "A previous rotation isn't complete. That rotation will be reattempted."
            )
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": version})

    def _turn(
        self, secret: FakeSecret, function: Any, version: str, steps: tuple[str, ...]
    ) -> None:
        """The steps in their order, to the first that fails."""
        try:
            for step in steps:
                event = {"SecretId": secret.arn, "ClientRequestToken": version, "Step": step}
                if not self._done(function, json.dumps(event).encode()):
                    return
        finally:
            with self._lock:
                self._turning.discard(secret.arn)

    def _try(self, secret: FakeSecret, function: Any, version: str, steps: tuple[str, ...]) -> None:
        try:
            self._turn(secret, function, version, steps)
        finally:
            secret.versions.pop(version, None)

    def _done(self, function: Any, payload: bytes) -> bool:
        while not self._closed.is_set():
            try:
                return not self._functions.invoke(function, payload).failed
            except TooManyRequests:
                self._closed.wait(THROTTLED_SECONDS)
        return False


def _find(backend: SecretsManagerBackend, secret_id: str) -> FakeSecret:
    if not backend._is_valid_identifier(secret_id):
        raise SecretNotFoundException()
    secret = backend.secrets[secret_id]
    if secret.is_deleted():
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    owner = next(
        (tag["Value"] for tag in secret.tags or () if tag["Key"].endswith(":owningService")), None
    )
    if owner:
        raise InvalidRequestException(
            f"The secret is managed by {owner}, which rotates it: for a database, "
            "modify_db_instance(..., RotateMasterUserPassword=True)."
        )
    return secret


def _keep_rules(secret: FakeSecret, rules: dict[str, Any] | None) -> None:
    days = (rules or {}).get("AutomaticallyAfterDays")
    if days is None:
        return
    if not DAYS[0] <= days <= DAYS[1]:
        raise InvalidParameterException(
            "RotationRules.AutomaticallyAfterDays must be within 1-1000."
        )
    secret.auto_rotate_after_days = days
    secret.next_rotation_date = int(time.time()) + days * DAY_SECONDS


def _pending(secret: FakeSecret) -> str | None:
    """The version of a rotation that has not come to its end."""
    for version, about in secret.versions.items():
        stages = about["version_stages"]
        if "AWSPENDING" in stages and "AWSCURRENT" not in stages:
            return version
    return None


def _new_version(secret: FakeSecret, version: str, empty: bool) -> dict[str, Any]:
    secret.remove_version_stages_from_old_versions(["AWSPENDING"])
    made = {"createdate": int(time.time()), "version_id": version, "version_stages": ["AWSPENDING"]}
    if not empty:
        current = secret.versions.get(secret.default_version_id, {})
        made |= {key: current[key] for key in ("secret_string", "secret_binary") if key in current}
    return made


def _turned(secret: FakeSecret, version: str) -> None:
    """What get_secret_value gives where no stage is named, and when it was rotated."""
    secret.set_default_version_id(version)
    if secret.rotation_enabled:
        secret.last_rotation_date = int(time.time())
        if secret.auto_rotate_after_days:
            period = secret.auto_rotate_after_days * DAY_SECONDS
            secret.next_rotation_date = secret.last_rotation_date + period


def _originals() -> dict[str, Callable]:
    """moto's own methods, also when ours are in their place already."""
    if "_moto" not in SecretsManagerBackend.__dict__:
        SecretsManagerBackend._moto = {
            "update_secret_version_stage": SecretsManagerBackend.update_secret_version_stage
        }
    return SecretsManagerBackend._moto
