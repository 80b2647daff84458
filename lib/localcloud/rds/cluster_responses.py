"""Aurora clusters on the wire."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import (
    DBClusterNotFoundError,
    DBClusterToBeDeletedHasActiveMembers,
    InvalidDBClusterStateFault,
    InvalidParameterCombination,
    RDSClientError,
)

from localcloud.rds.binaries import PostgresUnusable, binaries, engine_version
from localcloud.rds.checks import check_password, not_here
from localcloud.rds.cluster_checks import check_capacity, check_cluster, check_member
from localcloud.rds.clusters import Cluster, Member, writer
from localcloud.rds.instances import Instances
from localcloud.rds.placing import check_groups, settle
from localcloud.rds.ports import free_port
from localcloud.rds.postgres import Plan
from localcloud.rds.proxy_responses import ProxyResponses
from localcloud.rds.records import new_password, secret_string
from localcloud.rds.scram import verifier


class ClusterResponses(ProxyResponses):
    instances: Instances  # set when the service is registered

    def create_db_cluster(self) -> ActionResult:
        wanted = self.params
        identifier = wanted["DBClusterIdentifier"].lower()
        if identifier in self.backend.clusters:
            raise RDSClientError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        try:
            check_cluster(wanted)
            wanted["EngineVersion"] = engine_version(binaries())
        except PostgresUnusable as error:
            raise no_capacity(error) from None
        check_groups(self.ec2, wanted.get("VpcSecurityGroupIds"))
        major = wanted["EngineVersion"].partition(".")[0]
        wanted["DBClusterIdentifier"] = identifier
        wanted["DBClusterParameterGroupName"] = f"default.aurora-postgresql{major}"
        wanted["Port"] = free_port(wanted.get("Port"))
        wanted.setdefault("VpcSecurityGroupIds", [self.default_group()])
        password = wanted.pop("MasterUserPassword", None)  # moto would keep it
        cluster = self.backend.create_db_cluster(wanted)
        password = password or self._cluster_password(cluster)
        plan = Plan(
            port=cluster.port,
            master=cluster.master_username,
            verifier=verifier(password),
            database=cluster.database_name,
        )
        try:
            self.instances.prepare_cluster(cluster, plan)
        except PostgresUnusable as error:
            self.backend.clusters.pop(identifier)
            raise no_capacity(error) from None
        return ActionResult({"DBCluster": cluster})

    def modify_db_cluster(self) -> ActionResult:
        cluster = self._cluster(self.params["DBClusterIdentifier"])
        changes = self.params
        if changes.get("NewDBClusterIdentifier"):
            raise not_here("renamed clusters", "delete it and create another")
        if changes.get("DBClusterParameterGroupName"):
            raise not_here("parameter groups of a cluster", "set them for its DB instance")
        if changes.get("EnableIAMDatabaseAuthentication"):
            raise not_here("IAM database authentication in clusters", "use a DB instance")
        check_capacity(changes.get("ServerlessV2ScalingConfiguration"))
        check_groups(self.ec2, changes.get("VpcSecurityGroupIds"))
        verified = self._changed_password(cluster)
        # For Serverless v1 only; v2 has operations of its own, and AWS passes over it.
        changes.pop("EnableHttpEndpoint", None)
        answer = self.backend.modify_db_cluster(changes)
        if verified:
            self.instances.keeper(writer(cluster)).change(verified, restart=False)
        elif changes.get("ServerlessV2ScalingConfiguration") and writer(cluster):
            self.instances.keeper(writer(cluster)).reload()
        return ActionResult({"DBCluster": answer})

    def enable_http_endpoint(self) -> ActionResult:
        return self._switch_http_endpoint(on=True)

    def disable_http_endpoint(self) -> ActionResult:
        return self._switch_http_endpoint(on=False)

    def stop_db_cluster(self) -> ActionResult:
        cluster, held = self._ready("available")
        self.instances.keeper(held).stop_down()
        cluster.status = "stopped"
        return ActionResult({"DBCluster": cluster})

    def start_db_cluster(self) -> ActionResult:
        cluster, held = self._ready("stopped")
        self.instances.keeper(held).start_up()
        cluster.status = "available"
        return ActionResult({"DBCluster": cluster})

    def delete_db_cluster(self) -> ActionResult:
        cluster = self._cluster(self.params["DBClusterIdentifier"])
        if cluster.deletion_protection:
            raise InvalidParameterCombination(
                "Cannot delete protected Cluster, please disable deletion protection and try again."
            )
        if self.params.get("FinalDBSnapshotIdentifier"):
            raise not_here("snapshots", "use SkipFinalSnapshot=True")
        if not self.params.get("SkipFinalSnapshot"):
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            )
        if any(member.status != "deleting" for member in cluster._members):
            raise DBClusterToBeDeletedHasActiveMembers()
        self.instances.remove_cluster(cluster)
        deleted = self.backend.delete_db_cluster(cluster.db_cluster_identifier)
        deleted.status = "deleting"
        if deleted.manage_master_user_password:
            del deleted.master_user_secret  # it is gone with the cluster
        return ActionResult({"DBCluster": deleted})

    # ------------------------------------------------------------------------- its writer
    def create_member(self) -> ActionResult:
        """The part of create_db_instance with DBClusterIdentifier."""
        wanted = self.params
        cluster = self._cluster(wanted["DBClusterIdentifier"])
        check_member(wanted, cluster)
        wanted["DBClusterIdentifier"] = cluster.db_cluster_identifier
        plan = self.instances.plan_of(cluster)
        asked = dict(wanted)
        wanted["port"] = plan.port
        wanted.pop("VpcSecurityGroupIds", None)  # the cluster's hold
        member: Member = self.backend.create_db_instance(wanted)
        member.db_subnet_group_name = None
        settle(member, asked | {"vpc_security_group_ids": cluster.vpc_security_group_ids})
        self.instances.create_member(member)
        return ActionResult({"DBInstance": member})

    # ------------------------------------------------------------------------- helpers
    def _cluster(self, name: str) -> Cluster:
        try:
            return self.backend.clusters[name.rpartition(":")[2].lower()]
        except KeyError:
            raise DBClusterNotFoundError(name) from None

    def _ready(self, status: str) -> tuple[Cluster, Member]:
        cluster = self._cluster(self.params["DBClusterIdentifier"])
        held = writer(cluster)
        if held is None or held.status != status:
            found = held.status if held else "without a DB instance"
            raise InvalidDBClusterStateFault(
                f"DbCluster {cluster.db_cluster_identifier} is {found} but expected it to be "
                f"{status}"
            )
        return cluster, held

    def _switch_http_endpoint(self, on: bool) -> ActionResult:
        arn = self.params["ResourceArn"]
        found = [held for held in self.backend.clusters.values() if held.db_cluster_arn == arn]
        if not found:
            raise RDSClientError("ResourceNotFoundFault", f"The specified resource {arn} not found")
        found[0].enable_http_endpoint = on
        return ActionResult({"ResourceArn": arn, "HttpEndpointEnabled": on})

    def _changed_password(self, cluster: Cluster) -> str | None:
        """The verifier of the password that the master user gets, if one was asked for."""
        changes = self.params
        password = changes.pop("MasterUserPassword", None)
        rotate = changes.pop("RotateMasterUserPassword", None)
        if not (password or rotate or changes.get("ManageMasterUserPassword") is not None):
            return None
        held = writer(cluster)
        if held is None or held.status != "available":
            raise not_here("a change of password without a writer", "create the DB instance first")
        if rotate:
            if not changes.get("ApplyImmediately"):
                raise InvalidParameterCombination(
                    "You must specify apply immediately when rotating the master user password."
                )
            return verifier(self._rotated(cluster))
        if changes.get("ManageMasterUserPassword") is not None:
            raise not_here("a change of who manages the password", "say so in create_db_cluster")
        if cluster.manage_master_user_password:
            raise InvalidParameterCombination(
                "You can't specify MasterUserPassword for a cluster whose password is managed in "
                "Secrets Manager."
            )
        check_password(password)
        return verifier(password)

    def _rotated(self, cluster: Cluster) -> str:
        if not cluster.manage_master_user_password:
            raise InvalidParameterCombination(
                "RotateMasterUserPassword is only for a cluster whose password is managed in "
                "Secrets Manager."
            )
        password = new_password()
        self.backend.secretsmanager.put_secret_value(
            secret_id=cluster.master_user_secret.secret_arn,
            secret_string=secret_string(cluster.master_username, password),
            secret_binary=None,
            client_request_token=None,
            version_stages=["AWSCURRENT"],
        )
        return password

    def _cluster_password(self, cluster: Cluster) -> str:
        secret = self.backend.secretsmanager.get_secret_value(
            cluster.master_user_secret.secret_arn, None, None
        )
        return json.loads(secret["SecretString"])["password"]

    @property
    def ec2(self) -> Any:
        from moto.ec2.models import ec2_backends

        return ec2_backends[self.current_account][self.region]

    def default_group(self) -> str:
        return self.ec2.get_default_security_group(self.ec2.default_vpc.id).id


def no_capacity(error: PostgresUnusable) -> RDSClientError:
    """RDS's own code for "an instance like that cannot be made in this place"."""
    return RDSClientError("InsufficientDBInstanceCapacity", str(error))
