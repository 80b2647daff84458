"""Clusters, capacity providers, task definitions and services of ECS."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.kinds.base import POLL_SECONDS, Context, Kind, Made, Settled

CLUSTER = {"cluster": "Properties.Cluster"}


class Service(Kind):
    """A service, ready when its deployment is."""

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        """Delete it with its tasks, and wait for the last one to stop."""
        where = {"cluster": properties["Cluster"]} if "Cluster" in properties else {}
        ecs = context.client("ecs")
        try:
            ecs.delete_service(service=made.physical_id, force=True, **where)
        except ecs.exceptions.ServiceNotFoundException:
            return
        except ClientError as error:
            if "Cluster" in error.response["Error"]["Code"]:
                return
            raise
        while any(
            one["status"] != "INACTIVE"
            for one in ecs.describe_services(services=[made.physical_id], **where)["services"]
        ):
            time.sleep(POLL_SECONDS)


KINDS = [
    Kind(
        "AWS::ECS::Cluster",
        "ecs",
        "create_cluster",
        ref="Made.cluster.clusterName",
        name="ClusterName",
        rename={"ClusterSettings": "settings"},
        attributes={"Arn": "Made.cluster.clusterArn"},
        delete=("delete_cluster", {"cluster": "Id"}),
    ),
    Kind(
        "AWS::ECS::CapacityProvider",
        "ecs",
        "create_capacity_provider",
        ref="Made.capacityProvider.name",
        name="Name",
        delete=("delete_capacity_provider", {"capacityProvider": "Id"}),
    ),
    Kind(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "ecs",
        "put_cluster_capacity_providers",
        ref="Properties.Cluster",
        tagged=False,
        delete=(
            "put_cluster_capacity_providers",
            CLUSTER | {"capacityProviders": "`[]`", "defaultCapacityProviderStrategy": "`[]`"},
        ),
    ),
    Kind(
        "AWS::ECS::TaskDefinition",
        "ecs",
        "register_task_definition",
        ref="Made.taskDefinition.taskDefinitionArn",
        name="Family",
        attributes={"TaskDefinitionArn": "Id"},
        delete=("deregister_task_definition", {"taskDefinition": "Id"}),
    ),
    Service(
        "AWS::ECS::Service",
        "ecs",
        "create_service",
        ref="Made.service.serviceArn",
        name="ServiceName",
        attributes={"Name": "Made.service.serviceName", "ServiceArn": "Made.service.serviceArn"},
        read=("describe_services", CLUSTER | {"services": "[Id]"}),
        ready=Settled(
            "services[0].deployments[0].rolloutState",
            good=("COMPLETED",),
            bad=("FAILED",),
            why="services[0].deployments[0].rolloutStateReason",
        ),
        delete=("delete_service", {}),
        update=("update_service", CLUSTER | {"service": "Id"}),
        changeable=frozenset(
            {"DesiredCount", "TaskDefinition", "NetworkConfiguration", "DeploymentConfiguration"}
        ),
    ),
]
