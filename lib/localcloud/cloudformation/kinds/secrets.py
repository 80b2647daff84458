"""Secrets, their rotation, and what ties a secret to its database."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.errors import ResourceFailed
from localcloud.cloudformation.kinds.base import Context, Kind, Made

RECIPE = {"SecretStringTemplate", "GenerateStringKey"}
CONNECTION = ("engine", "host", "port", "dbname", "dbInstanceIdentifier")


class Secret(Kind):
    """A secret, whose value Secrets Manager may make up."""

    def complete(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        properties = super().complete(context, properties)
        recipe = properties.pop("GenerateSecretString", None)
        if recipe is None:
            return properties
        asked = {name: value for name, value in recipe.items() if name not in RECIPE}
        if "PasswordLength" in asked:
            asked["PasswordLength"] = int(asked["PasswordLength"])
        asked = {name: _flag(value) for name, value in asked.items()}
        password = context.client("secretsmanager").get_random_password(**asked)["RandomPassword"]
        if RECIPE & set(recipe) and not set(recipe) >= RECIPE:
            raise ResourceFailed("Give SecretStringTemplate and GenerateStringKey together")
        if "SecretStringTemplate" in recipe:
            value = json.loads(recipe["SecretStringTemplate"])
            password = json.dumps(value | {recipe["GenerateStringKey"]: password})
        return properties | {"SecretString": password}


class TargetAttachment(Kind):
    """Writes where a database is into its secret."""

    def make(self, context: Context, properties: dict[str, Any]) -> Made:
        if properties["TargetType"] != "AWS::RDS::DBInstance":
            raise ResourceFailed("The local cloud attaches secrets to AWS::RDS::DBInstance only")
        described = context.client("rds").describe_db_instances(
            DBInstanceIdentifier=properties["TargetId"]
        )["DBInstances"][0]
        where = {
            "engine": described["Engine"],
            "host": described["Endpoint"]["Address"],
            "port": described["Endpoint"]["Port"],
            "dbInstanceIdentifier": described["DBInstanceIdentifier"],
        }
        if described.get("DBName"):
            where["dbname"] = described["DBName"]
        self._write(context, properties, {**self._read(context, properties), **where})
        context.born(properties["SecretId"])
        return Made(properties["SecretId"], {"Id": properties["SecretId"]})

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        manager = context.client("secretsmanager")
        try:
            found = self._read(context, properties)
        except manager.exceptions.ResourceNotFoundException:
            return
        left = {name: value for name, value in found.items() if name not in CONNECTION}
        self._write(context, properties, left)

    def _read(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        manager = context.client("secretsmanager")
        answer = manager.get_secret_value(SecretId=properties["SecretId"])
        return json.loads(answer["SecretString"])

    def _write(self, context: Context, properties: dict[str, Any], value: Any) -> None:
        context.client("secretsmanager").put_secret_value(
            SecretId=properties["SecretId"], SecretString=json.dumps(value)
        )


def _flag(value: Any) -> Any:
    return value == "true" if value in ("true", "false") else value


KINDS = [
    Secret(
        "AWS::SecretsManager::Secret",
        "secretsmanager",
        "create_secret",
        ref="Made.ARN",
        name="Name",
        attributes={"Id": "Made.ARN"},
        delete=("delete_secret", {"SecretId": "Id", "ForceDeleteWithoutRecovery": "`true`"}),
    ),
    Kind(
        "AWS::SecretsManager::RotationSchedule",
        "secretsmanager",
        "rotate_secret",
        ref="Made.ARN",
        rename={"RotateImmediatelyOnUpdate": "RotateImmediately"},
        tagged=False,
        attributes={"Id": "Made.ARN"},
        delete=("cancel_rotate_secret", {"SecretId": "Id"}),
    ),
    TargetAttachment(
        "AWS::SecretsManager::SecretTargetAttachment",
        "secretsmanager",
        "put_secret_value",
        ref="",
        attributes={"Id": ""},
        delete=None,
    ),
]
