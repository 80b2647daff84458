"""Stored answers of the lab log_group_missing."""


def solve(lab, case):
    logs, ecs = lab.client("logs"), lab.client("ecs")
    logs.create_log_group(logGroupName=case.log_group)
    logs.put_retention_policy(logGroupName=case.log_group, retentionInDays=30)
    ecs.run_task(**case.run_task)


def run_without_a_log(lab, case):
    definition = case.definition()
    del definition["containerDefinitions"][0]["logConfiguration"]
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


def let_the_driver_make_it_without_permission(lab, case):
    definition = case.definition()
    options = definition["containerDefinitions"][0]["logConfiguration"]["options"]
    options["awslogs-create-group"] = "true"
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


WRONG = (
    (run_without_a_log, "logged"),
    (let_the_driver_make_it_without_permission, "exit_code"),
)
