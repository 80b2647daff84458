"""Stored answers of the lab secret_denied."""

import json


def solve(lab, case):
    iam, ecs = lab.client("iam"), lab.client("ecs")
    secret = lab.client("secretsmanager").describe_secret(SecretId=case.secret)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["secretsmanager:GetSecretValue"],
                "Resource": [secret["ARN"]],
            }
        ],
    }
    iam.put_role_policy(
        RoleName=case.execution_role,
        PolicyName="read-secret",
        PolicyDocument=json.dumps(policy),
    )
    ecs.run_task(**case.run_task)


def make_it_administrator(lab, case):
    lab.client("iam").attach_role_policy(
        RoleName=case.execution_role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    lab.client("ecs").run_task(**case.run_task)


def allow_the_task_role(lab, case):
    _allow_all_secrets(lab, case.task_role)
    lab.client("ecs").run_task(**case.run_task)


def allow_all_secrets(lab, case):
    _allow_all_secrets(lab, case.execution_role)
    lab.client("ecs").run_task(**case.run_task)


def put_the_password_into_the_definition(lab, case):
    definition = case.definition()
    [container] = definition["containerDefinitions"]
    value = lab.client("secretsmanager").get_secret_value(SecretId=case.secret)["SecretString"]
    container["environment"].append({"name": "DB_SECRET", "value": value})
    container["secrets"] = []
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


def _allow_all_secrets(lab, role):
    statement = {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": statement}
    lab.client("iam").put_role_policy(
        RoleName=role, PolicyName="read-secrets", PolicyDocument=json.dumps(policy)
    )


WRONG = (
    (make_it_administrator, "least_privilege"),
    (allow_the_task_role, "exit_code"),
    (allow_all_secrets, "least_privilege"),
    (put_the_password_into_the_definition, "from_secret"),
)
