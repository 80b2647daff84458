"""A service whose tasks reserve more memory than their machine has left."""

import json

from drydock.study.repair import making
from drydock.study.repair.service import ServiceCase
from drydock.study.repair.shown import Rule

COUNT, RESERVED, LEAST = 3, 3072, 64
MACHINE = "m5.large"


class NoCapacity(ServiceCase):
    title = "No room on the machine"
    skills = ("1.2.1", "1.2.4", "1.2.7")
    minutes = 15
    asked = (
        f"Run {COUNT} tasks of a small web service on one EC2 instance, an {MACHINE} with 2 vCPU "
        "and 8 GiB. Two of them run, and the third never starts."
    )
    goal = (
        f"The service is steady with {COUNT} tasks on the one instance that is paid for. A task "
        f"still has a memory limit, of at least {LEAST} MiB."
    )
    look = (
        "ecs.describe_services: runningCount, pendingCount and events",
        "ecs.describe_container_instances: registeredResources and remainingResources",
        "cloudwatch: what a task really uses; a small Python server needs some 20 MiB",
    )
    hints = (
        "No task has failed, so there is none to look at. The newest event of the service says "
        "what is short, and of which machine.",
        "ECS places by what containers reserve, not by what they use. How much does a task "
        "reserve, and how much has the machine left?",
        "Set containerDefinitions[0]['memory'] to 256, register the definition, and "
        "ecs.update_service with it: three small tasks fit beside each other.",
    )

    def build(self) -> list[str]:
        self.prepare()
        document = {"instanceId": "i-repair", "instanceType": MACHINE}
        self.client("ecs").register_container_instance(
            cluster=self.cluster, instanceIdentityDocument=json.dumps(document)
        )
        container = {**self.web(), "cpu": 256, "memory": RESERVED}
        container["portMappings"] = [{"containerPort": 8000, "hostPort": 0}]
        definition = making.fargate(self, container, networkMode="bridge")
        for name in ("requiresCompatibilities", "cpu", "memory"):
            del definition[name]
        self.client("ecs").create_service(
            cluster=self.cluster,
            serviceName=self.service,
            taskDefinition=making.register(self, definition),
            desiredCount=COUNT,
            launchType="EC2",
            # Small replacements can only start where an old task makes room.
            deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100},
        )
        why = self.why_not_steady(COUNT)
        if why is None:
            raise RuntimeError("all tasks have found a place, and one should not")
        return [f"events: {why}"]

    def rules(self):
        yield Rule(
            "steady",
            f"The service is steady with {COUNT} tasks",
            lambda: self.why_not_steady(COUNT),
        )
        yield Rule("one_machine", "They run on one instance", self._why_more_machines)
        yield Rule(
            "limit",
            f"A container may use {LEAST} MiB at least, and has a limit",
            self._why_no_limit,
        )

    def _why_more_machines(self) -> str | None:
        machines = {task.get("containerInstanceArn") for task in self.tasks()}
        listed = self.client("ecs").list_container_instances(cluster=self.cluster)
        count = len(listed["containerInstanceArns"])
        if count != 1:
            return f"The cluster has {count} instances: each is paid for."
        return None if len(machines) == 1 else "Some of them run elsewhere."

    def _why_no_limit(self) -> str | None:
        memory = self.definition()["containerDefinitions"][0].get("memory")
        if memory is None:
            return "It has none: one task with a leak could take the memory of all."
        return None if memory >= LEAST else f"Its limit is {memory} MiB: it will be killed."


LAB = NoCapacity
