"""The IAM roles of a task: one for the agent that starts it, one for the program inside."""

import json

from drydock.lab import Lab

EXECUTION_ROLE = "drydock-execution"
TASK_ROLE = "drydock-task"
API_ROLE = "drydock-api"
METRICS_NAMESPACE = "Drydock/Api"
MANAGED_EXECUTION_POLICY = (
    "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"  # pull and log
)
TRUST_ECS_TASKS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def create_roles(lab: Lab, secret_arn: str) -> dict[str, str]:
    """Create the roles with the least they need; return the ARNs of "execution", "task" and "api".

    "task" is the ETL's. Existing roles are kept and their policies written again.
    """
    iam = lab.client("iam")
    return {
        "execution": create_execution_role(
            lab, EXECUTION_ROLE, {"read-secret": read_secret_policy(secret_arn)}
        ),
        "task": _role(iam, TASK_ROLE, {"use-lake": lake_policy(lab.bucket)}),
        "api": _role(
            iam,
            API_ROLE,
            {"read-curated": curated_policy(lab.bucket), "put-metrics": metrics_policy()},
        ),
    }


def create_execution_role(lab: Lab, name: str, policies: dict[str, dict] | None = None) -> str:
    """Create a role that may pull and log, and what `policies` allow by name; return its ARN."""
    iam = lab.client("iam")
    arn = _role(iam, name, policies or {})
    iam.attach_role_policy(RoleName=name, PolicyArn=MANAGED_EXECUTION_POLICY)
    return arn


def read_secret_policy(secret_arn: str) -> dict:
    """Allow one secret to be read: what the agent needs to fill in `secrets`."""
    return _policy([_allow(["secretsmanager:GetSecretValue"], [secret_arn])])


def lake_policy(bucket: str) -> dict:
    """Allow raw objects to be read, and curated and quarantined ones to be written."""
    objects = f"arn:aws:s3:::{bucket}"
    written = [f"{objects}/curated/*", f"{objects}/quarantine/*"]
    return _policy(
        [
            _allow(["s3:ListBucket"], [objects]),
            _allow(["s3:GetObject"], [f"{objects}/raw/*", *written]),
            _allow(["s3:PutObject", "s3:DeleteObject"], written),
        ]
    )


def curated_policy(bucket: str) -> dict:
    """Allow curated objects to be read: what the data API serves."""
    objects = f"arn:aws:s3:::{bucket}"
    return _policy(
        [_allow(["s3:ListBucket"], [objects]), _allow(["s3:GetObject"], [f"{objects}/curated/*"])]
    )


def metrics_policy() -> dict:
    """Allow metrics to be written under the data API's namespace; they have no ARN to name."""
    statement = _allow(["cloudwatch:PutMetricData"], ["*"])
    only = {"StringEquals": {"cloudwatch:namespace": METRICS_NAMESPACE}}
    return _policy([statement | {"Condition": only}])


def _policy(statements: list[dict]) -> dict:
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: list[str], resources: list[str]) -> dict:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _role(iam, name: str, policies: dict[str, dict]) -> str:
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_ECS_TASKS))[
            "Role"
        ]
    for policy_name, document in policies.items():
        iam.put_role_policy(
            RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(document)
        )
    return role["Arn"]
