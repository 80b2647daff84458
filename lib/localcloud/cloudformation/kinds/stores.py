"""Image repositories, log groups, groups of instances and budgets."""

from __future__ import annotations

from typing import Any

from localcloud import arns
from localcloud.cloudformation.kinds.base import Context, Kind, Made

GROUP = "AutoScalingGroups[0]"
LIFECYCLE = {
    "repositoryName": "Id",
    "lifecyclePolicyText": "Properties.LifecyclePolicy.LifecyclePolicyText",
}


class Budget(Kind):
    """A budget. AWS changes one where it is; the records here know none but a new one."""

    def change(
        self, context: Context, made: Made, old: dict[str, Any], new: dict[str, Any]
    ) -> Made | None:
        self.unmake(context, made, old)
        return self.make(context, new)


class Group(Kind):
    """An Auto Scaling group: its subnets are one text for the API, its tags have a flag."""

    def complete(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        properties = super().complete(context, properties)
        subnets = properties.get("VPCZoneIdentifier")
        return {**properties, **({"VPCZoneIdentifier": ",".join(subnets)} if subnets else {})}

    def wire(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        tags = properties.get("Tags", [])
        own = {one["Key"] for one in tags}
        stack = [{"Key": k, "Value": v} for k, v in context.tags.items() if k not in own]
        found = super().wire(context, {n: v for n, v in properties.items() if n != "Tags"})
        found["Tags"] = [
            {
                "Key": one["Key"],
                "Value": one["Value"],
                "PropagateAtLaunch": str(one.get("PropagateAtLaunch", True)).lower() == "true",
            }
            for one in [*stack, *tags]
        ]
        return found


KINDS = [
    Kind(
        "AWS::ECR::Repository",
        "ecr",
        "create_repository",
        ref="Made.repository.repositoryName",
        name="RepositoryName",
        name_limit=256,
        lower_name=True,
        aside=frozenset({"EmptyOnDelete"}),
        then=(("LifecyclePolicy", "put_lifecycle_policy", LIFECYCLE),),
        attributes={
            "Arn": "Made.repository.repositoryArn",
            "RepositoryUri": "Made.repository.repositoryUri",
        },
        delete=(
            "delete_repository",
            {"repositoryName": "Id", "force": "to_string(Properties.EmptyOnDelete) == 'true'"},
        ),
    ),
    Kind(
        "AWS::Logs::LogGroup",
        "logs",
        "create_log_group",
        ref="Properties.LogGroupName",
        name="LogGroupName",
        name_limit=512,
        then=(
            (
                "RetentionInDays",
                "put_retention_policy",
                {"logGroupName": "Id", "retentionInDays": "Properties.RetentionInDays"},
            ),
        ),
        attributes={
            "Arn": f"join('', ['arn:aws:logs:{arns.REGION}:{arns.ACCOUNT}:log-group:', Id, ':*'])"
        },
        delete=("delete_log_group", {"logGroupName": "Id"}),
    ),
    Group(
        "AWS::AutoScaling::AutoScalingGroup",
        "autoscaling",
        "create_auto_scaling_group",
        ref="Properties.AutoScalingGroupName",
        name="AutoScalingGroupName",
        name_limit=255,
        tagged=False,
        attributes={"AutoScalingGroupARN": f"Read.{GROUP}.AutoScalingGroupARN"},
        read=("describe_auto_scaling_groups", {"AutoScalingGroupNames": "[Id]"}),
        delete=(
            "delete_auto_scaling_group",
            {"AutoScalingGroupName": "Id", "ForceDelete": "`true`"},
        ),
    ),
    Budget(
        "AWS::Budgets::Budget",
        "budgets",
        "create_budget",
        ref="Properties.Budget.BudgetName",
        fixed={"AccountId": arns.ACCOUNT},
        tagged=False,
        attributes={"Id": "Id"},
        delete=(
            "delete_budget",
            {"AccountId": f"'{arns.ACCOUNT}'", "BudgetName": "Id"},
        ),
    ),
]
