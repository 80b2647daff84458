"""Stored answers of the lab no_capacity."""

import json


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    definition["containerDefinitions"][0]["memory"] = 256
    registered = ecs.register_task_definition(**definition)["taskDefinition"]
    ecs.update_service(
        cluster=case.cluster,
        service=case.service,
        taskDefinition=registered["taskDefinitionArn"],
    )


def be_content_with_two(lab, case):
    lab.client("ecs").update_service(cluster=case.cluster, service=case.service, desiredCount=2)


def buy_another_machine(lab, case):
    document = {"instanceId": "i-another", "instanceType": "m5.large"}
    lab.client("ecs").register_container_instance(
        cluster=case.cluster, instanceIdentityDocument=json.dumps(document)
    )


def reserve_softly(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    container = definition["containerDefinitions"][0]
    del container["memory"]
    container["memoryReservation"] = 64
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=case.cluster, service=case.service, taskDefinition=arn)


WRONG = (
    (be_content_with_two, "steady"),
    (buy_another_machine, "one_machine"),
    (reserve_softly, "limit"),
)
