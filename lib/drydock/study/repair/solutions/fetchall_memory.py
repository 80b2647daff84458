"""Stored answers of the lab fetchall_memory."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "FETCH_ROWS":
            variable["value"] = "2000"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def give_it_the_whole_task(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    del definition["containerDefinitions"][0]["memory"]
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def read_less(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "QUERY":
            variable["value"] += " LIMIT 1000"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def fetch_a_million_at_a_time(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "FETCH_ROWS":
            variable["value"] = "1000000"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


WRONG = (
    (give_it_the_whole_task, "size"),
    (read_less, "rows"),
    (fetch_a_million_at_a_time, "exit_code"),
)
