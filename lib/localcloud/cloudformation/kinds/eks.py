"""EKS clusters, their nodes and who may use them, and EMR on EKS."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.kinds.base import Context, Kind, Settled

IN_CLUSTER = {"clusterName": "Properties.ClusterName"}
MADE = "Read.cluster"


class AccessEntry(Kind):
    """An access entry with its access policies."""

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        properties = about["Properties"]
        for policy in properties.get("AccessPolicies", []):
            scope = policy["AccessScope"]
            context.client("eks").associate_access_policy(
                clusterName=properties["ClusterName"],
                principalArn=properties["PrincipalArn"],
                policyArn=policy["PolicyArn"],
                accessScope={name.lower(): value for name, value in scope.items()},
            )


KINDS = [
    Kind(
        "AWS::EKS::Cluster",
        "eks",
        "create_cluster",
        ref="Made.cluster.name",
        name="Name",
        name_limit=100,
        attributes={
            "Arn": f"{MADE}.arn",
            "Endpoint": f"{MADE}.endpoint",
            "CertificateAuthorityData": f"{MADE}.certificateAuthority.data",
            "ClusterSecurityGroupId": f"{MADE}.resourcesVpcConfig.clusterSecurityGroupId",
            "OpenIdConnectIssuerUrl": f"{MADE}.identity.oidc.issuer",
        },
        read=("describe_cluster", {"name": "Id"}),
        ready=Settled("cluster.status", ("ACTIVE",), ("FAILED",)),
        delete=("delete_cluster", {"name": "Id"}),
        waits_gone=True,
    ),
    Kind(
        "AWS::EKS::Nodegroup",
        "eks",
        "create_nodegroup",
        ref="join('/', [Properties.ClusterName, Properties.NodegroupName])",
        name="NodegroupName",
        attributes={
            "Arn": "Made.nodegroup.nodegroupArn",
            "ClusterName": "Properties.ClusterName",
            "NodegroupName": "Properties.NodegroupName",
            "Id": "Id",
        },
        read=("describe_nodegroup", IN_CLUSTER | {"nodegroupName": "Properties.NodegroupName"}),
        ready=Settled("nodegroup.status", ("ACTIVE",), ("CREATE_FAILED", "DEGRADED")),
        delete=("delete_nodegroup", IN_CLUSTER | {"nodegroupName": "Attributes.NodegroupName"}),
    ),
    Kind(
        "AWS::EKS::PodIdentityAssociation",
        "eks",
        "create_pod_identity_association",
        ref="Made.association.associationArn",
        attributes={
            "AssociationArn": "Made.association.associationArn",
            "AssociationId": "Made.association.associationId",
        },
        delete=(
            "delete_pod_identity_association",
            IN_CLUSTER | {"associationId": "Attributes.AssociationId"},
        ),
    ),
    AccessEntry(
        "AWS::EKS::AccessEntry",
        "eks",
        "create_access_entry",
        ref="join('|', [Properties.PrincipalArn, Properties.ClusterName])",
        aside=frozenset({"AccessPolicies"}),
        attributes={"AccessEntryArn": "Made.accessEntry.accessEntryArn"},
        delete=("delete_access_entry", IN_CLUSTER | {"principalArn": "Properties.PrincipalArn"}),
    ),
    Kind(
        "AWS::EMRContainers::VirtualCluster",
        "emr-containers",
        "create_virtual_cluster",
        ref="Made.id",
        attributes={"Id": "Made.id", "Arn": "Made.arn"},
        delete=("delete_virtual_cluster", {"id": "Id"}),
    ),
]
