"""What labs are made of: log group, roles, bucket, secret, image; each in one call."""

import contextlib
import functools
import json

from drydock.connect.secrets import read_secret
from drydock.images import CONTAINERS, build
from drydock.lab import Lab
from drydock.pipeline import lookup_database, raw_data
from drydock.pipeline.roles import MANAGED_EXECUTION_POLICY, TRUST_ECS_TASKS
from drydock.study.repair.case import Case

MONTH = "2013-01"
PROGRAMS = CONTAINERS / "labs"
# What the answer of describe_task_definition has, and register_task_definition does not take.
ADDED_BY_ECS = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
)


def cluster_and_logs(case: Case) -> None:
    """The lab's cluster and its log group."""
    case.client("ecs").create_cluster(
        clusterName=case.cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"]
    )
    log_group(case)


def log_group(case: Case) -> None:
    logs = case.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=case.log_group)


def role(
    lab: Lab,
    name: str,
    policy: dict | None = None,
    managed: str | None = None,
    trust: dict = TRUST_ECS_TASKS,
) -> str:
    """A role that those of `trust` may assume, with one inline policy and one managed one; its ARN.

    Without `trust` it is for ECS tasks.
    """
    iam = lab.client("iam")
    answer = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    if policy:
        iam.put_role_policy(RoleName=name, PolicyName="lab", PolicyDocument=json.dumps(policy))
    if managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    return answer["Role"]["Arn"]


def execution_role(case: Case, policy: dict | None = None) -> str:
    """The execution role with AWS's own policy to pull and to log, and `policy`."""
    return role(case.lab, case.execution_role, policy, MANAGED_EXECUTION_POLICY)


def bucket_with_raw(case: Case, *months: str) -> None:
    """The lab's bucket with the raw objects of `months`."""
    s3 = case.client("s3")
    s3.create_bucket(Bucket=case.bucket)
    for month, body in raw_objects(*months).items():
        s3.put_object(Bucket=case.bucket, Key=raw_data.raw_key(month), Body=body)


@functools.cache
def raw_objects(*months: str) -> dict[str, bytes]:
    """The raw object of each month, made from the source once."""
    return dict(raw_data.monthly_objects(months))


@functools.cache
def raw_totals(month: str) -> dict[str, int]:
    """Rows, cancelled flights and sums of a month, counted in the source."""
    return raw_data.totals(raw_objects(month)[month])


def lookup_instance(lab: Lab) -> dict:
    """The pipeline's database with its tables loaded; the labs only read it."""
    instance = lookup_database.create_instance(lab, lambda line: None)
    secrets = lab.client("secretsmanager")
    # Its user is made last, so where that is done the rest is too.
    with contextlib.suppress(secrets.exceptions.ResourceNotFoundException):
        secret = read_secret(secrets, lookup_database.READER_SECRET)
        if secret.port == instance["Endpoint"]["Port"]:
            return instance
    lookup_database.load_lookups(lab, instance, lambda line: None)
    lookup_database.create_reader(lab, instance)
    return instance


def secret_of_reader(case: Case, **changed: str | int) -> str:
    """The lab's own copy of the reader's secret, with `changed` values; its ARN."""
    secrets = case.client("secretsmanager")
    text = secrets.get_secret_value(SecretId=lookup_database.READER_SECRET)["SecretString"]
    values = json.loads(text) | changed
    return secrets.create_secret(Name=case.secret, SecretString=json.dumps(values))["ARN"]


def image(case: Case, program: str, tag: str = "1") -> str:
    """Build lib/containers/labs/`program` into the lab's own repository; its URI."""
    return build(case.lab, case.repository, PROGRAMS / program, tag)


def logs_to(case: Case, container: str) -> dict:
    """A logConfiguration for the lab's log group."""
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": case.log_group,
            "awslogs-region": case.lab.region,
            "awslogs-stream-prefix": container,
        },
    }


def fargate(case: Case, *containers: dict, cpu: int = 512, memory: int = 1024, **more) -> dict:
    """A Fargate task definition of the lab's family with its two roles, ready to register."""
    arn = f"arn:aws:iam::{case.lab.account_id}:role/"
    return {
        "family": case.family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(cpu),
        "memory": str(memory),
        "executionRoleArn": arn + case.execution_role,
        "taskRoleArn": arn + case.task_role,
        "containerDefinitions": list(containers),
        **more,
    }


def register(case: Case, definition: dict) -> str:
    answer = case.client("ecs").register_task_definition(**definition)
    return answer["taskDefinition"]["taskDefinitionArn"]


def registered(case: Case, reference: str) -> dict:
    """A registered task definition, as register_task_definition takes it again."""
    ecs = case.client("ecs")
    document = ecs.describe_task_definition(taskDefinition=reference)["taskDefinition"]
    return {key: value for key, value in document.items() if key not in ADDED_BY_ECS}
