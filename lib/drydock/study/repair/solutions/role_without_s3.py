"""Stored answers of the lab role_without_s3."""

import json


def solve(lab, case):
    bucket = f"arn:aws:s3:::{case.bucket}"
    written = [f"{bucket}/curated/*", f"{bucket}/quarantine/*"]
    statements = [
        {"Action": "s3:ListBucket", "Resource": bucket},
        {"Action": "s3:GetObject", "Resource": [f"{bucket}/raw/*", *written]},
        {"Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": written},
    ]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow"} | statement for statement in statements],
    }
    lab.client("iam").put_role_policy(
        RoleName=case.task_role, PolicyName="lab", PolicyDocument=json.dumps(policy)
    )
    lab.client("ecs").run_task(**case.run_task)


def full_access_to_s3(lab, case):
    lab.client("iam").attach_role_policy(
        RoleName=case.task_role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess"
    )
    lab.client("ecs").run_task(**case.run_task)


def all_of_the_bucket(lab, case):
    _allow(lab, case, case.task_role, "s3:*")
    lab.client("ecs").run_task(**case.run_task)


def the_wrong_role(lab, case):
    _allow(lab, case, case.execution_role, "s3:PutObject")
    lab.client("ecs").run_task(**case.run_task)


def _allow(lab, case, role, action):
    bucket = f"arn:aws:s3:::{case.bucket}"
    statement = {"Effect": "Allow", "Action": action, "Resource": [bucket, f"{bucket}/*"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    lab.client("iam").put_role_policy(
        RoleName=role, PolicyName="more", PolicyDocument=json.dumps(policy)
    )


WRONG = (
    (full_access_to_s3, "least_privilege"),
    (all_of_the_bucket, "least_privilege"),
    (the_wrong_role, "exit_code"),
)
