"""Stored answers of the lab disk_full."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition() | {"ephemeralStorage": {"sizeInGiB": 30}}
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def give_it_memory(lab, case):
    ecs = lab.client("ecs")
    ecs.register_task_definition(**case.definition() | {"cpu": "4096", "memory": "30720"})
    ecs.run_task(**case.run_task)


def as_large_as_can_be(lab, case):
    ecs = lab.client("ecs")
    ecs.register_task_definition(**case.definition() | {"ephemeralStorage": {"sizeInGiB": 200}})
    ecs.run_task(**case.run_task)


def reserve_less(lab, case):
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "SPILL_GIB":
            variable["value"] = "1"
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


WRONG = (
    (give_it_memory, "exit_code"),
    (as_large_as_can_be, "disk"),
    (reserve_less, "spill"),
)
