"""Stored answers of the lab exhausted_connections."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "CONNECTIONS":
            variable["value"] = "4"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def run_it_once_more(lab, case):
    lab.client("ecs").run_task(**case.run_task)


def allow_twelve(lab, case):
    with case.admin() as connection:
        connection.execute(f"ALTER ROLE {case.user} CONNECTION LIMIT 12")
    lab.client("ecs").run_task(**case.run_task)


def a_few_less(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "CONNECTIONS":
            variable["value"] = "6"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def read_one_month_only(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    environment = definition["containerDefinitions"][0]["environment"]
    kept = [one for one in environment if one["name"] not in ("CONNECTIONS", "QUERY")]
    only = {"name": "QUERY", "value": "SELECT * FROM weather WHERE month = 1"}
    definition["containerDefinitions"][0]["environment"] = [*kept, only]
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


WRONG = (
    (run_it_once_more, "exit_code"),
    (allow_twelve, "limit"),
    (a_few_less, "exit_code"),
    (read_one_month_only, "rows"),
)
