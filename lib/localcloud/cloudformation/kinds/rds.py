"""DB instances and their groups."""

from __future__ import annotations

from localcloud.cloudformation.kinds.base import Kind, Settled

DESCRIBED = "Read.DBInstances[0]"

KINDS = [
    Kind(
        "AWS::RDS::DBInstance",
        "rds",
        "create_db_instance",
        ref="Made.DBInstance.DBInstanceIdentifier",
        name="DBInstanceIdentifier",
        name_limit=63,
        lower_name=True,
        rename={"VPCSecurityGroups": "VpcSecurityGroupIds"},
        aside=frozenset({"DeleteAutomatedBackups"}),
        attributes={
            "DBInstanceArn": f"{DESCRIBED}.DBInstanceArn",
            "DbiResourceId": f"{DESCRIBED}.DbiResourceId",
            "Endpoint.Address": f"{DESCRIBED}.Endpoint.Address",
            "Endpoint.Port": f"to_string({DESCRIBED}.Endpoint.Port)",
            "Endpoint.HostedZoneId": f"{DESCRIBED}.Endpoint.HostedZoneId",
            "MasterUserSecret.SecretArn": f"{DESCRIBED}.MasterUserSecret.SecretArn",
        },
        read=("describe_db_instances", {"DBInstanceIdentifier": "Id"}),
        ready=Settled(
            "DBInstances[0].DBInstanceStatus",
            good=("available",),
            bad=("failed", "incompatible-parameters"),
            why="join('; ', DBInstances[0].StatusInfos[].Message)",
        ),
        delete=(
            "delete_db_instance",
            {"DBInstanceIdentifier": "Id", "SkipFinalSnapshot": "`true`"},
        ),
        waits_gone=True,
        update=("modify_db_instance", {"DBInstanceIdentifier": "Id", "ApplyImmediately": "`true`"}),
        changeable=frozenset({"DBInstanceClass", "AllocatedStorage", "BackupRetentionPeriod"}),
    ),
    Kind(
        "AWS::RDS::DBSubnetGroup",
        "rds",
        "create_db_subnet_group",
        ref="Made.DBSubnetGroup.DBSubnetGroupName",
        name="DBSubnetGroupName",
        name_limit=255,
        lower_name=True,
        attributes={"DBSubnetGroupArn": "Made.DBSubnetGroup.DBSubnetGroupArn"},
        delete=("delete_db_subnet_group", {"DBSubnetGroupName": "Id"}),
    ),
]
