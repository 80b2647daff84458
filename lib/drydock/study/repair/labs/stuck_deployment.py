"""A new version that crashes, and a service that tries it for ever."""

from drydock.study.repair import making
from drydock.study.repair.service import ServiceCase
from drydock.study.repair.shown import Rule

COUNT = 2


class StuckDeployment(ServiceCase):
    title = "The deployment that never ends"
    skills = ("1.2.1", "1.2.7", "1.3.2", "1.4.9")
    minutes = 15
    asked = (
        "Bring version 2 of a service into use. It was deployed a while ago; the old version still "
        "answers, the new one never does, and ECS goes on trying."
    )
    goal = (
        f"The service is steady with {COUNT} tasks, all of which answer as version 2, and the next "
        "deployment that crashes is rolled back by ECS itself."
    )
    look = (
        "ecs.describe_services: deployments[].rolloutState and failedTasks, events, "
        "deploymentConfiguration",
        "ecs.list_tasks(desiredStatus='STOPPED') and describe_tasks: exit code",
        "logs.filter_log_events: what the new version says before it dies",
    )
    hints = (
        "ECS does what it was told: keep the healthy tasks until new ones are steady. Find out why "
        "a new one is not: its log has one line.",
        "Version 2 needs a setting that its task definition lacks. And deploymentConfiguration has "
        "a deploymentCircuitBreaker, with enable and rollback: look at what they are.",
        "Add {'name': 'RATE_LIMIT', 'value': '100'} to the container's environment, register, and "
        "ecs.update_service with the new taskDefinition and deploymentConfiguration="
        "{'deploymentCircuitBreaker': {'enable': True, 'rollback': True}}.",
    )

    def build(self) -> list[str]:
        self.prepare()
        self.create(making.fargate(self, self.web(VERSION="1")), COUNT)
        if why := self.why_not_steady(COUNT, for_seconds=0):
            raise RuntimeError(f"version 1 does not start: {why}")
        crashing = making.register(self, making.fargate(self, self.web(VERSION="2")))
        self.client("ecs").update_service(
            cluster=self.cluster, service=self.service, taskDefinition=crashing
        )
        service = self.until_it_fails(2)
        newest, old = service["deployments"]
        return [
            f"{old['runningCount']} tasks of version 1 run",
            f"the newest deployment: rolloutState {newest['rolloutState']}, and failedTasks keeps "
            "growing",
            f"last line of the log: {self.last_words()}",
        ]

    def rules(self):
        yield Rule(
            "steady",
            f"The service is steady with {COUNT} tasks",
            lambda: self.why_not_steady(COUNT),
        )
        yield Rule("version", "Every task answers as version 2", self._why_other_version)
        yield Rule(
            "circuit_breaker",
            "The deployment circuit breaker is on, and rolls back",
            self._why_no_breaker,
        )

    def _why_other_version(self) -> str | None:
        versions = self.versions()
        if versions == ["2"] * COUNT:
            return None
        return f"They answer as version {' and '.join(sorted(set(versions)))}."

    def _why_no_breaker(self) -> str | None:
        breaker = self.described()["deploymentConfiguration"]["deploymentCircuitBreaker"]
        if not breaker["enable"]:
            return "It is off: the next version that crashes is tried for ever again."
        return None if breaker["rollback"] else "It would stop trying, and not roll back."


LAB = StuckDeployment
