"""Stored answers of the lab health_check_flapping."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    check = definition["containerDefinitions"][0]["healthCheck"]
    check["startPeriod"] = 30  # failures in this time do not count
    check["retries"] = 3
    registered = ecs.register_task_definition(**definition)["taskDefinition"]
    ecs.update_service(
        cluster=case.cluster,
        service=case.service,
        taskDefinition=registered["taskDefinitionArn"],
    )


def take_the_check_away(lab, case):
    definition = case.definition()
    del definition["containerDefinitions"][0]["healthCheck"]
    _use(lab, case, definition)


def always_say_yes(lab, case):
    definition = case.definition()
    check = definition["containerDefinitions"][0]["healthCheck"]
    check["command"] = ["CMD-SHELL", "exit 0"]
    _use(lab, case, definition)


def load_no_model(lab, case):
    definition = case.definition()
    definition["containerDefinitions"][0]["environment"] = [{"name": "WARM_UP", "value": "0"}]
    _use(lab, case, definition)


def _use(lab, case, definition):
    ecs = lab.client("ecs")
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=case.cluster, service=case.service, taskDefinition=arn)


WRONG = (
    (take_the_check_away, "healthy"),
    (always_say_yes, "noticed"),
    (load_no_model, "program"),
)
