"""RDS on the wire: moto parses and answers, and what a request asks for really happens."""

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import InvalidParameterCombination

from localcloud.rds import parameters
from localcloud.rds.binaries import PostgresUnusable, binaries, engine_version
from localcloud.rds.checks import (
    check_class,
    check_creation,
    check_password,
    check_status,
    check_token_method,
    not_here,
)
from localcloud.rds.cluster_checks import check_member_change
from localcloud.rds.cluster_responses import ClusterResponses, no_capacity
from localcloud.rds.placing import check_groups, settle
from localcloud.rds.ports import free_port
from localcloud.rds.postgres import Plan
from localcloud.rds.records import Instance, new_password, secret_string
from localcloud.rds.scram import verifier


class Responses(ClusterResponses):
    def create_db_instance(self) -> ActionResult:
        wanted = self.params
        if wanted.get("DBClusterIdentifier"):
            return self.create_member()
        try:
            check_creation(wanted)
            wanted["engine_version"] = engine_version(binaries())
            if wanted.get("enable_iam_database_authentication"):
                check_token_method()
        except PostgresUnusable as error:
            raise no_capacity(error) from None
        self._check_groups()
        asked = dict(wanted)
        wanted["port"] = free_port(wanted.get("port"))
        password = wanted.pop("MasterUserPassword", None)  # moto would keep it
        instance = self.backend.create_db_instance(wanted)
        settle(instance, asked)
        password = password or self._managed_password(instance)
        plan = Plan(
            port=instance.port,
            master=instance.master_username,
            verifier=verifier(password),
            database=instance.db_name,
        )
        try:
            self.instances.create(instance, plan)
        except PostgresUnusable as error:
            self.backend.databases.pop(instance.db_instance_identifier)
            raise no_capacity(error) from None
        return _answer(instance)

    def stop_db_instance(self) -> ActionResult:
        instance = self._instance("available")
        _check_alone(instance)
        if self.params.get("DBSnapshotIdentifier"):
            raise not_here("snapshots", "leave out DBSnapshotIdentifier")
        self.instances.keeper(instance).stop_down()
        return _answer(instance)

    def start_db_instance(self) -> ActionResult:
        instance = self._instance("stopped")
        _check_alone(instance)
        self.instances.keeper(instance).start_up()
        return _answer(instance)

    def reboot_db_instance(self) -> ActionResult:
        instance = self._instance("available")
        self.instances.keeper(instance).reboot()
        return _answer(instance)

    def delete_db_instance(self) -> ActionResult:
        instance = self._instance("available", "stopped", "failed", "creating")
        if instance.deletion_protection:
            raise InvalidParameterCombination(
                "Cannot delete protected DB Instance, please disable deletion protection and try "
                "again."
            )
        if self.params.get("FinalDBSnapshotIdentifier"):
            raise not_here("snapshots", "use SkipFinalSnapshot=True")
        if not (self.params.get("SkipFinalSnapshot") or instance.keeps_data):
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            )
        if instance.manage_master_user_password:
            instance.master_user_secret.delete_secret()
            instance.manage_master_user_password = False
            del instance.master_user_secret
        self.instances.delete(instance)
        return _answer(instance)

    def modify_db_instance(self) -> ActionResult:
        instance = self._instance("available")
        changes = self.params
        if changes.get("NewDBInstanceIdentifier"):
            raise not_here("renamed instances", "delete it and create another")
        if instance.keeps_data:
            check_member_change(changes, instance.cluster)
        elif changes.get("DBInstanceClass"):
            check_class(changes["DBInstanceClass"])
        if changes.get("enable_iam_database_authentication"):
            check_token_method()
        self._check_groups()
        restart = changes.get("db_instance_class", instance.db_instance_class) != (
            instance.db_instance_class
        )
        password = changes.pop("MasterUserPassword", None)
        if password is not None:
            check_password(password)
        rotate = changes.pop("RotateMasterUserPassword", None)
        was_managed = bool(instance.manage_master_user_password)
        if password and (was_managed or changes.get("ManageMasterUserPassword")):
            raise InvalidParameterCombination(
                "You can't specify MasterUserPassword for an instance whose password is managed "
                "in Secrets Manager."
            )
        self.backend.modify_db_instance(instance.db_instance_identifier, changes)
        if rotate:
            password = self._rotate(instance)
        elif instance.manage_master_user_password and not was_managed:
            password = self._managed_password(instance)
        self.instances.keeper(instance).change(password and verifier(password), restart)
        return _answer(instance)

    def modify_db_parameter_group(self) -> ActionResult:
        changes = [changed.original_dict() for changed in self.params.get("Parameters", [])]
        parameters.check(changes)
        answer = super().modify_db_parameter_group()
        self.instances.reload(self.params["DBParameterGroupName"])
        return answer

    def _check_groups(self) -> None:
        check_groups(self.ec2, self.params.get("vpc_security_group_ids"))

    def _rotate(self, instance: Instance) -> str:
        if not instance.manage_master_user_password:
            raise InvalidParameterCombination(
                "RotateMasterUserPassword is only for an instance whose password is managed in "
                "Secrets Manager."
            )
        if not self.params.get("ApplyImmediately"):
            raise InvalidParameterCombination(
                "You must specify apply immediately when rotating the master user password."
            )
        password = new_password()
        self.backend.secretsmanager.put_secret_value(
            secret_id=instance.master_user_secret.secret_arn,
            secret_string=secret_string(instance.master_username, password),
            secret_binary=None,
            client_request_token=None,
            version_stages=["AWSCURRENT"],
        )
        return password

    def _managed_password(self, instance: Instance) -> str:
        secret = self.backend.secretsmanager.get_secret_value(
            instance.master_user_secret.secret_arn, None, None
        )
        return json.loads(secret["SecretString"])["password"]

    def _instance(self, *allowed: str) -> Instance:
        name = self.params["DBInstanceIdentifier"]
        instance = self.backend.describe_db_instances(name)[0]
        check_status(instance, *allowed)
        return instance


def _check_alone(instance: Instance) -> None:
    if instance.keeps_data:
        raise InvalidParameterCombination(
            f"{instance.engine} DB instances are not eligible for stopping or starting: stop or "
            "start the DB cluster"
        )


def _refused(operation: str):
    def refuse(self: Responses) -> Any:
        raise not_here(operation, "what runs is one PostgreSQL for each create_db_instance")

    return refuse


for _name, _what in {
    "create_db_instance_read_replica": "read replicas",
    "promote_read_replica": "read replicas",
    "create_db_snapshot": "snapshots",
    "restore_db_instance_from_db_snapshot": "snapshots",
    "restore_db_instance_to_point_in_time": "point-in-time recovery",
    "create_blue_green_deployment": "blue/green deployments",
}.items():
    setattr(Responses, _name, _refused(_what))


def _answer(instance: Instance) -> ActionResult:
    return ActionResult({"DBInstance": instance})
