"""What is left of the lab in an account: by name, by tag, in every service that it uses.

Each service is asked itself. The index of tags lags minutes behind, so it is asked last, for the
services that the lab does not use by itself. Task definitions are left out: they cost nothing.
"""

import re
from collections.abc import Iterable, Iterator

import jmespath
from botocore.exceptions import BotoCoreError, ClientError

from drydock.account.access import Account, refusal

OURS = re.compile(r"(^|[/:])drydock")  # drydock-task, /aws/lambda/drydock-rotation, an ARN's end
TAG = {"Key": "project", "Value": "drydock"}
# What it is, service, operation, and the names in its answer; those that are ours count.
BY_NAME = (
    ("stack", "cloudformation", "describe_stacks", "Stacks[].StackName"),
    ("ECS cluster", "ecs", "list_clusters", "clusterArns[]"),
    ("ECS capacity provider", "ecs", "describe_capacity_providers",
     "capacityProviders[?status=='ACTIVE'].name"),
    ("ECR repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
    ("S3 bucket", "s3", "list_buckets", "Buckets[].Name"),
    ("RDS instance", "rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    ("RDS subnet group", "rds", "describe_db_subnet_groups",
     "DBSubnetGroups[].DBSubnetGroupName"),
    ("secret", "secretsmanager", "list_secrets", "SecretList[].Name"),
    ("log group", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("Lambda function", "lambda", "list_functions", "Functions[].FunctionName"),
    ("API", "apigatewayv2", "get_apis", "Items[].Name"),
    ("VPC link", "apigatewayv2", "get_vpc_links", "Items[].Name"),
    ("REST API", "apigateway", "get_rest_apis", "items[].name"),
    ("load balancer", "elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerName"),
    ("target group", "elbv2", "describe_target_groups", "TargetGroups[].TargetGroupName"),
    ("EKS cluster", "eks", "list_clusters", "clusters[]"),
    ("EMR virtual cluster", "emr-containers", "list_virtual_clusters",
     "virtualClusters[?state!='TERMINATED'].name"),
    ("Auto Scaling group", "autoscaling", "describe_auto_scaling_groups",
     "AutoScalingGroups[].AutoScalingGroupName"),
    ("launch template", "ec2", "describe_launch_templates",
     "LaunchTemplates[].LaunchTemplateName"),
    ("IAM role", "iam", "list_roles", "Roles[].RoleName"),
    ("IAM instance profile", "iam", "list_instance_profiles",
     "InstanceProfiles[].InstanceProfileName"),
    ("SNS topic", "sns", "list_topics", "Topics[].TopicArn"),
    ("budget", "budgets", "describe_budgets", "Budgets[].BudgetName"),
)  # fmt: skip
# What the database leaves under other names.
OF_DATABASE = (
    ("RDS snapshot", "rds", "describe_db_snapshots",
     "DBSnapshots[?starts_with(DBInstanceIdentifier, 'drydock')].DBSnapshotIdentifier"),
    ("RDS backup", "rds", "describe_db_instance_automated_backups",
     "DBInstanceAutomatedBackups[?starts_with(DBInstanceIdentifier, 'drydock')]"
     ".DBInstanceIdentifier"),
    ("secret of RDS", "secretsmanager", "list_secrets",
     "SecretList[?OwningService=='rds' && Tags[?ends_with(Value, ':db:drydock-lookup')]].Name"),
)  # fmt: skip
# The network has no names of its own: EC2 is asked for the tag.
BY_TAG = (
    ("VPC", "describe_vpcs", "Vpcs[].VpcId"),
    ("subnet", "describe_subnets", "Subnets[].SubnetId"),
    ("internet gateway", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    ("NAT gateway", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    ("VPC endpoint", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    ("address", "describe_addresses", "Addresses[].PublicIp"),
    ("route table", "describe_route_tables", "RouteTables[].RouteTableId"),
    ("security group", "describe_security_groups", "SecurityGroups[].GroupId"),
    ("network interface", "describe_network_interfaces",
     "NetworkInterfaces[].NetworkInterfaceId"),
    ("instance", "describe_instances",
     "Reservations[].Instances[?State.Name!='terminated'][].InstanceId"),
    ("volume", "describe_volumes", "Volumes[].VolumeId"),
    ("disk snapshot", "describe_snapshots", "Snapshots[].SnapshotId"),
)  # fmt: skip
FILTERED = {"describe_nat_gateways": "Filter"}  # the others say Filters
ASKED = {service for _, service, *_ in BY_NAME} | {"ec2", "elasticloadbalancing"}


def survivors(account: Account) -> list[str]:
    """Return one line for each thing that is left, and for each service that does not tell."""
    return list(dict.fromkeys([*_named(account), *_tagged(account), *_elsewhere(account)]))


def ours(names: Iterable[str]) -> list[str]:
    """Return those of some names and ARNs that are the lab's."""
    return [name for name in names if OURS.search(name)]


def elsewhere(arns: Iterable[str]) -> list[str]:
    """Return a line for each tagged ARN of a service that is not asked itself."""
    return [f"by its tag: {arn}" for arn in arns if arn.split(":")[2] not in ASKED]


def summary(left: list[str]) -> str:
    """Return the last line of `drydock aws down`."""
    if not left:
        return "nothing is left of the lab in this account"
    return f"{len(left)} left: remove them, then type: drydock aws down"


def _named(account: Account) -> Iterator[str]:
    for what, service, operation, names in (*BY_NAME, *OF_DATABASE):
        more = {"AccountId": account.id} if service == "budgets" else {}
        if operation == "describe_db_snapshots":
            more["SnapshotType"] = "manual"
        found, refused = _asked(account, service, operation, names, more)
        mine = found if (what, service, operation, names) in OF_DATABASE else ours(found)
        yield from (f"{what} {name}" for name in mine)
        yield from refused


def _tagged(account: Account) -> Iterator[str]:
    tagged = [{"Name": f"tag:{TAG['Key']}", "Values": [TAG["Value"]]}]
    for what, operation, names in BY_TAG:
        given = {FILTERED.get(operation, "Filters"): tagged}
        if operation == "describe_snapshots":
            given["OwnerIds"] = ["self"]
        found, refused = _asked(account, "ec2", operation, names, given)
        yield from (f"{what} {name}" for name in found)
        yield from refused


def _elsewhere(account: Account) -> Iterator[str]:
    tagged = {"TagFilters": [{"Key": TAG["Key"], "Values": [TAG["Value"]]}]}
    names = "ResourceTagMappingList[].ResourceARN"
    found, refused = _asked(account, "resourcegroupstaggingapi", "get_resources", names, tagged)
    yield from elsewhere(found)
    yield from refused


def _asked(account: Account, service: str, operation: str, names: str, given: dict):
    """The names in all pages of an answer, and a line if there was none."""
    client = account.client(service)
    try:
        if client.can_paginate(operation):
            pages = client.get_paginator(operation).paginate(**given)
        else:
            pages = [getattr(client, operation)(**given)]
        return [name for page in pages for name in jmespath.search(names, page) or []], []
    except (BotoCoreError, ClientError) as error:
        return [], [f"not known, for {service} {operation} did not answer: {refusal(error)}"]
