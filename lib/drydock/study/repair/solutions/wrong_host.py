"""Stored answers of the lab wrong_host."""

import json


def solve(lab, case):
    secrets = lab.client("secretsmanager")
    found = lab.client("rds").describe_db_instances(DBInstanceIdentifier="drydock-lookup")
    endpoint = found["DBInstances"][0]["Endpoint"]
    value = json.loads(secrets.get_secret_value(SecretId=case.secret)["SecretString"])
    value |= {"host": endpoint["Address"], "port": endpoint["Port"]}
    secrets.put_secret_value(SecretId=case.secret, SecretString=json.dumps(value))
    lab.client("ecs").run_task(**case.run_task)


def run_it_once_more(lab, case):
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


def store_nothing_but_the_place(lab, case):
    found = lab.client("rds").describe_db_instances(DBInstanceIdentifier="drydock-lookup")
    endpoint = found["DBInstances"][0]["Endpoint"]
    value = {"host": endpoint["Address"], "port": endpoint["Port"]}
    secrets = lab.client("secretsmanager")
    secrets.put_secret_value(SecretId=case.secret, SecretString=json.dumps(value))
    lab.client("ecs").run_task(**case.run_task)


WRONG = (
    (run_it_once_more, "exit_code"),
    (use_the_secret_of_the_pipeline, "from_secret"),
    (store_nothing_but_the_place, "exit_code"),
)
