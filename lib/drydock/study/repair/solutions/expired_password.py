"""Stored answers of the lab expired_password."""

import json

from psycopg import sql


def solve(lab, case):
    secrets = lab.client("secretsmanager")
    made = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)
    password = made["RandomPassword"]
    change = sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL '2099-12-31'")
    with case.admin() as connection:
        connection.execute(change.format(sql.Identifier(case.user), password))
    value = json.loads(secrets.get_secret_value(SecretId=case.secret)["SecretString"])
    value["password"] = password
    secrets.put_secret_value(SecretId=case.secret, SecretString=json.dumps(value))
    lab.client("ecs").run_task(**case.run_task)


def prolong_the_old_password(lab, case):
    with case.admin() as connection:
        connection.execute(f"ALTER ROLE {case.user} VALID UNTIL '2099-12-31'")
    lab.client("ecs").run_task(**case.run_task)


def change_only_the_secret(lab, case):
    secrets = lab.client("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId=case.secret)["SecretString"])
    value["password"] = "something-new"
    secrets.put_secret_value(SecretId=case.secret, SecretString=json.dumps(value))
    lab.client("ecs").run_task(**case.run_task)


def take_the_user_of_the_pipeline(lab, case):
    secrets = lab.client("secretsmanager")
    text = secrets.get_secret_value(SecretId="drydock/lookup/etl")["SecretString"]
    secrets.put_secret_value(SecretId=case.secret, SecretString=text)
    lab.client("ecs").run_task(**case.run_task)


def let_it_hold_for_ever(lab, case):
    solve(lab, case)
    with case.admin() as connection:
        connection.execute(f"ALTER ROLE {case.user} VALID UNTIL 'infinity'")


WRONG = (
    (prolong_the_old_password, "replaced"),
    (change_only_the_secret, "exit_code"),
    (take_the_user_of_the_pipeline, "own_user"),
    (let_it_hold_for_ever, "ends"),
)
