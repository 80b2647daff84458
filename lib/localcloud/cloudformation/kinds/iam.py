"""Roles and instance profiles."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.kinds.base import Context, Kind, Made, is_gone


class Role(Kind):
    """A role with the policies in it and those attached to it."""

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        iam, name, properties = context.client("iam"), about["Id"], about["Properties"]
        for policy in properties.get("Policies", []):
            document = json.dumps(policy["PolicyDocument"])
            iam.put_role_policy(
                RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document
            )
        for arn in properties.get("ManagedPolicyArns", []):
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    def change(
        self, context: Context, made: Made, old: dict[str, Any], new: dict[str, Any]
    ) -> Made | None:
        """Its policies are written anew; anything else takes a new role."""
        names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        if not names <= {"Policies", "ManagedPolicyArns"}:
            return None
        _strip(context, made.physical_id)
        self.finish(context, {"Id": made.physical_id, "Properties": new})
        return made

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        try:
            _strip(context, made.physical_id)
        except ClientError as error:
            if not is_gone(error):
                raise
        super().unmake(context, made, properties)


class InstanceProfile(Kind):
    """An instance profile with its role."""

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        for role in about["Properties"].get("Roles", []):
            context.client("iam").add_role_to_instance_profile(
                InstanceProfileName=about["Id"], RoleName=role
            )

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        for role in properties.get("Roles", []):
            try:
                context.client("iam").remove_role_from_instance_profile(
                    InstanceProfileName=made.physical_id, RoleName=role
                )
            except ClientError as error:
                if not is_gone(error):
                    raise
        super().unmake(context, made, properties)


def _strip(context: Context, role: str) -> None:
    """IAM deletes no role that still has policies."""
    iam = context.client("iam")
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


KINDS = [
    Role(
        "AWS::IAM::Role",
        "iam",
        "create_role",
        ref="Made.Role.RoleName",
        name="RoleName",
        aside=frozenset({"Policies", "ManagedPolicyArns"}),
        attributes={"Arn": "Made.Role.Arn", "RoleId": "Made.Role.RoleId"},
        delete=("delete_role", {"RoleName": "Id"}),
    ),
    InstanceProfile(
        "AWS::IAM::InstanceProfile",
        "iam",
        "create_instance_profile",
        ref="Made.InstanceProfile.InstanceProfileName",
        name="InstanceProfileName",
        aside=frozenset({"Roles"}),
        attributes={"Arn": "Made.InstanceProfile.Arn"},
        delete=("delete_instance_profile", {"InstanceProfileName": "Id"}),
    ),
]
