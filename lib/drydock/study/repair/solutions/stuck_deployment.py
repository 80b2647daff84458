"""Stored answers of the lab stuck_deployment."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    container = definition["containerDefinitions"][0]
    container["environment"].append({"name": "RATE_LIMIT", "value": "100"})
    registered = ecs.register_task_definition(**definition)["taskDefinition"]
    ecs.update_service(
        cluster=case.cluster,
        service=case.service,
        taskDefinition=registered["taskDefinitionArn"],
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )


def go_back_to_version_1(lab, case):
    ecs = lab.client("ecs")
    revisions = ecs.list_task_definitions(familyPrefix=case.family, sort="ASC")
    ecs.update_service(
        cluster=case.cluster,
        service=case.service,
        taskDefinition=revisions["taskDefinitionArns"][0],
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )


def repair_only_this_one(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    definition["containerDefinitions"][0]["environment"] += [{"name": "RATE_LIMIT", "value": "9"}]
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=case.cluster, service=case.service, taskDefinition=arn)


def scale_to_nothing(lab, case):
    lab.client("ecs").update_service(cluster=case.cluster, service=case.service, desiredCount=0)


WRONG = (
    (go_back_to_version_1, "version"),
    (repair_only_this_one, "circuit_breaker"),
    (scale_to_nothing, "steady"),
)
