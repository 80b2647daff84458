"""What RDS refuses, in its codes and, where known, its words."""

import re
from typing import Any

from moto.rds.exceptions import (
    InvalidDBInstanceStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)

from localcloud.rds.binaries import asks_directories, binaries, engine_version
from localcloud.rds.classes import memory_bytes
from localcloud.rds.postgres import ADMIN

ENGINE = "postgres"
PASSWORD = re.compile(r"[!-~]+")
NOT_IN_PASSWORD = set("/@\"' ")


def check_creation(wanted: dict[str, Any]) -> None:
    if wanted["engine"] != ENGINE:
        raise InvalidParameterValue(
            f"Engine {wanted['engine']} does not run on the local cloud: the engine that really "
            f"runs here is {ENGINE}"
        )
    check_class(wanted["db_instance_class"])
    check_version(wanted.get("engine_version"))
    check_master(wanted, wanted.get("db_name"), "DBName")


def check_master(wanted: dict[str, Any], database: str | None, named: str) -> None:
    """Raise unless master user, password and first database are ones that can be."""
    if not wanted.get("master_username"):
        raise InvalidParameterValue(
            "The parameter MasterUsername must be provided and must not be blank."
        )
    name = wanted["master_username"]
    if not re.fullmatch(r"[a-zA-Z]\w{0,62}", name):
        raise InvalidParameterValue(
            f"The parameter MasterUsername is not a valid identifier: {name}"
        )
    if name.lower() in (ADMIN, "rds_superuser", "admin") or name.lower().startswith("pg_"):
        raise InvalidParameterValue(
            f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        )
    if database and not re.fullmatch(r"[a-zA-Z_]\w{0,62}", database):
        raise InvalidParameterValue(
            f"{named} must begin with a letter and contain only alphanumeric characters."
        )
    managed = wanted.get("manage_master_user_password")
    password = wanted.get("master_user_password")
    if managed and password:
        raise InvalidParameterCombination(
            "You can't specify MasterUserPassword when ManageMasterUserPassword is set to true."
        )
    if not managed:
        check_password(password)


def check_password(password: str | None) -> None:
    if not password:
        raise InvalidParameterValue(
            "The parameter MasterUserPassword must be provided and must not be blank."
        )
    if len(password) < 8:
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password because it is shorter than "
            "8 characters."
        )
    if len(password) > 128:
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password because it is longer than "
            "128 characters."
        )
    if not PASSWORD.fullmatch(password) or NOT_IN_PASSWORD & set(password):
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII "
            "characters besides '/', '@', '\"', ''', ' ' may be used."
        )


def check_class(name: str) -> None:
    if memory_bytes(name) is None:
        raise InvalidParameterValue(f"Invalid DB Instance class: {name}")


def check_version(wanted: str | None) -> None:
    runs = engine_version(binaries())
    if wanted and not f"{runs}.".startswith(f"{wanted}."):
        raise InvalidParameterCombination(
            f"Cannot find version {wanted} for {ENGINE}: what runs on this machine is {runs}"
        )


def check_token_method() -> None:
    """Raise unless PostgreSQL can ask about IAM tokens."""
    if not asks_directories(binaries()):
        raise not_here(
            f"IAM database authentication with the PostgreSQL of {binaries()}, which is built "
            "without LDAP",
            "`apt-get install postgresql`, and name its folder in DRYDOCK_POSTGRES_BIN",
        )


def check_status(instance: Any, *allowed: str) -> None:
    if instance.status not in allowed:
        raise InvalidDBInstanceStateFault(
            f"Instance {instance.db_instance_identifier} is not in {' or '.join(allowed)} state: "
            f"it is {instance.status}"
        )


def not_here(what: str, instead: str) -> RDSClientError:
    return InvalidParameterCombination(
        f"The local cloud does not run {what}, and does not pretend to: {instead}"
    )
