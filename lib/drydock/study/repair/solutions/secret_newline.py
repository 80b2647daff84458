"""Stored answers of the lab secret_newline."""

import json


def solve(lab, case):
    secrets = lab.client("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId=case.secret)["SecretString"])
    value["password"] = value["password"].strip()
    secrets.put_secret_value(SecretId=case.secret, SecretString=json.dumps(value))
    lab.client("ecs").run_task(**case.run_task)


def run_it_once_more(lab, case):
    lab.client("ecs").run_task(**case.run_task)


def strip_the_text_around_the_password(lab, case):
    secrets = lab.client("secretsmanager")
    text = secrets.get_secret_value(SecretId=case.secret)["SecretString"]
    secrets.put_secret_value(SecretId=case.secret, SecretString=text.strip())
    lab.client("ecs").run_task(**case.run_task)


def use_the_secret_of_the_pipeline(lab, case):
    definition = case.definition()
    [container] = definition["containerDefinitions"]
    arn = lab.client("secretsmanager").describe_secret(SecretId="drydock/lookup/etl")["ARN"]
    container["secrets"] = [{"name": "DB_SECRET", "valueFrom": arn}]
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arn}
    lab.client("iam").put_role_policy(
        RoleName=case.execution_role,
        PolicyName="more",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


WRONG = (
    (run_it_once_more, "exit_code"),
    (strip_the_text_around_the_password, "exit_code"),
    (use_the_secret_of_the_pipeline, "from_secret"),
)
