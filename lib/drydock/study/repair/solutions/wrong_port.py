"""Stored answers of the lab wrong_port."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "PORT":
            variable["value"] = "8000"  # where the target group asks
    registered = ecs.register_task_definition(**definition)["taskDefinition"]
    ecs.update_service(
        cluster=case.cluster,
        service=case.service,
        taskDefinition=registered["taskDefinitionArn"],
    )


def check_another_port(lab, case):
    lab.client("elbv2").modify_target_group(TargetGroupArn=case.targets, HealthCheckPort="8080")


def register_the_task_by_hand(lab, case):
    [task] = case.tasks()
    details = {d["name"]: d.get("value") for d in task["attachments"][0]["details"]}
    lab.client("elbv2").register_targets(
        TargetGroupArn=case.targets, Targets=[{"Id": details["privateIPv4Address"], "Port": 8080}]
    )


WRONG = (
    (check_another_port, "answers"),
    (register_the_task_by_hand, "healthy"),
)
