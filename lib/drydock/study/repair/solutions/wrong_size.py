"""Stored answers of the lab wrong_size."""


def solve(lab, case):
    ecs = lab.client("ecs")
    # The smallest CPU size that may have 3,072 MiB.
    ecs.register_task_definition(**case.definition() | {"cpu": "512", "memory": "3072"})
    ecs.run_task(**case.run_task)


def shrink_the_container(lab, case):
    definition = case.definition() | {"cpu": "256", "memory": "2048"}
    definition["containerDefinitions"][0]["memory"] = 2048
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


def take_a_large_one(lab, case):
    ecs = lab.client("ecs")
    ecs.register_task_definition(**case.definition() | {"cpu": "1024", "memory": "4096"})
    ecs.run_task(**case.run_task)


def only_register_it(lab, case):
    ecs = lab.client("ecs")
    ecs.register_task_definition(**case.definition() | {"cpu": "512", "memory": "3072"})


WRONG = (
    (shrink_the_container, "container_memory"),
    (take_a_large_one, "cheapest"),
    (only_register_it, "exit_code"),
)
