"""What moto records of a DB instance, with what is true of one that really runs."""

import json
import secrets
import string
from typing import Any

import moto.rds.models as moto_rds

from localcloud.authority import ADDRESS
from localcloud.rds import classes
from localcloud.rds.checks import not_here

PASSWORD_LENGTH = 28


class Instance(moto_rds.DBInstance):
    """moto's record of a DB instance, with the address where it really listens."""

    address = ADDRESS
    # Why it failed, for describe_db_instances: moto has no such field.
    status_infos: list[dict] | None = None
    # Whether its data stays when it is deleted.
    keeps_data = False

    def max_connections(self) -> int:
        return classes.max_connections(self.db_instance_class)

    def save_automated_backup(self) -> None:
        """There is none: moto would record a snapshot that cannot be restored."""

    @classmethod
    def create_from_cloudformation_json(cls, *args: Any, **kwargs: Any) -> None:
        raise not_here("DB instances in CloudFormation templates", "use create_db_instance")


class ManagedSecret(moto_rds.MasterUserSecret):
    """The master user's secret, with a password that is one."""

    @property
    def secret(self) -> Any:
        # Looked up each time: kept here, a copy of the password would be saved beside the instance.
        return self.secretsmanager.secrets[self._arn]

    @secret.setter
    def secret(self, made: Any) -> None:
        self._arn: str = made.arn

    def _generate_secret_string(self) -> str:
        return secret_string(self.resource.master_username, new_password())


def secret_string(username: str, password: str) -> str:
    return json.dumps({"username": username, "password": password})


def new_password() -> str:
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(PASSWORD_LENGTH))
