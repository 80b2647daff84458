"""Stored answers of the lab out_of_memory."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    # The container's own hard limit; the task itself has 2,048 MiB.
    definition["containerDefinitions"][0]["memory"] = 1024
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def only_the_task_gets_more(lab, case):
    ecs = lab.client("ecs")
    ecs.register_task_definition(**case.definition() | {"cpu": "2048", "memory": "8192"})
    ecs.run_task(**case.run_task)


def only_this_run_gets_more(lab, case):
    override = {"containerOverrides": [{"name": "etl", "memory": 1024}]}
    lab.client("ecs").run_task(**case.run_task, overrides=override)


def much_more_of_everything(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition() | {"cpu": "4096", "memory": "30720"}
    del definition["containerDefinitions"][0]["memory"]
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


WRONG = (
    (only_the_task_gets_more, "exit_code"),
    (only_this_run_gets_more, "registered"),
    (much_more_of_everything, "size"),
)
