"""Stored answers of the lab sidecar_ends_task."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    main, settings = definition["containerDefinitions"]
    settings["essential"] = False
    main["dependsOn"] = [{"containerName": "settings", "condition": "SUCCESS"}]
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def take_the_helper_away(lab, case):
    definition = case.definition()
    main, _ = definition["containerDefinitions"]
    main["environment"] = [v for v in main["environment"] if v["name"] != "SETTINGS"]
    definition["containerDefinitions"] = [main]
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


def do_not_wait_for_it(lab, case):
    definition = case.definition()
    main, settings = definition["containerDefinitions"]
    main["environment"] = [v for v in main["environment"] if v["name"] != "SETTINGS"]
    settings["essential"] = False
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


def the_other_one_is_not_essential(lab, case):
    definition = case.definition()
    definition["containerDefinitions"][0]["essential"] = False
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


WRONG = (
    (take_the_helper_away, "helper"),
    (do_not_wait_for_it, "unit"),
    (the_other_one_is_not_essential, "exit_code"),
)
