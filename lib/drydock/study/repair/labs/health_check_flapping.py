"""A health check that gives a slow starter no time."""

import time

import httpx

from drydock.study.repair import making
from drydock.study.repair.service import PORT, ServiceCase
from drydock.study.repair.shown import Rule

COUNT, WARM_UP, NOTICED_WITHIN = 1, 8, 30
ASK = (
    "import os, urllib.request; urllib.request.urlopen("
    f"'http://' + os.environ.get('HOST', '127.0.0.1') + ':{PORT}/healthz', timeout=3)"
)
DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3}


class HealthCheckFlapping(ServiceCase):
    title = "Replaced for ever"
    skills = ("1.2.1", "1.2.7", "1.3.2", "3.3.4")
    minutes = 15
    asked = (
        f"Run a service that loads a model for {WARM_UP} seconds before it can answer. Its program "
        "has no fault, and yet ECS replaces its task again and again."
    )
    goal = (
        f"The service is steady with {COUNT} task, which ECS calls HEALTHY, and a task that "
        f"becomes ill later is still noticed within {NOTICED_WITHIN} seconds. The program stays as "
        "it is."
    )
    look = (
        "ecs.describe_services: events",
        "ecs.describe_tasks: healthStatus, startedAt and stoppingAt of stopped tasks",
        "ecs.describe_task_definition: containerDefinitions[0].healthCheck",
    )
    hints = (
        "Nothing crashes: there is no exit code of the program's own. Somebody judges it too "
        "early. How old is a task when it is stopped?",
        "healthCheck has interval, timeout, retries and startPeriod. Failures within startPeriod "
        "do not count; its default is 0. How long does the program need?",
        "Set healthCheck['startPeriod'] = 30 and healthCheck['retries'] = 3, keep command and "
        "interval, register, and ecs.update_service with the new taskDefinition.",
    )

    def build(self) -> list[str]:
        self.prepare()
        container = self.web(WARM_UP=str(WARM_UP))
        container["healthCheck"] = {
            "command": ["CMD-SHELL", f'python -c "{ASK}"'],
            "interval": 5,
            "timeout": 4,
            "retries": 1,
        }
        self.create(making.fargate(self, container), COUNT)
        service = self.until_it_fails(1)
        return [
            f"events: {self.newest_failure(service)}",
            f"rolloutState {service['deployments'][0]['rolloutState']}, and failedTasks keeps "
            "growing",
            f"last line of the log: {self.last_words()}",
        ]

    def rules(self):
        yield Rule(
            "steady",
            f"The service is steady with {COUNT} task",
            lambda: self.why_not_steady(COUNT),
        )
        yield Rule("healthy", "ECS calls its task HEALTHY", self._why_not_healthy)
        yield Rule(
            "program",
            f"The program still loads its model for {WARM_UP} s",
            self._why_other_program,
        )
        yield Rule(
            "noticed",
            f"A task that becomes ill is noticed within {NOTICED_WITHIN} s",
            self._why_not_noticed,
        )

    def _why_not_healthy(self) -> str | None:
        statuses = {task["healthStatus"] for task in self.tasks()}
        if statuses == {"HEALTHY"}:
            return None
        if statuses == {"UNKNOWN"}:
            return "Its health is UNKNOWN: there is no health check that could say more."
        return f"It is {' and '.join(sorted(statuses)) or 'gone'}."

    def _why_other_program(self) -> str | None:
        container = self.definition()["containerDefinitions"][0]
        variables = {v["name"]: v["value"] for v in container["environment"]}
        if variables.get("WARM_UP") != str(WARM_UP):
            return "WARM_UP was changed: the model is not loaded, and the answers are worthless."
        return None

    def _why_not_noticed(self) -> str | None:
        """Make the task ill, and see whether ECS finds out."""
        check = DEFAULTS | self.definition()["containerDefinitions"][0]["healthCheck"]
        needed = check["interval"] * check["retries"]
        if needed > NOTICED_WITHIN:
            return f"{check['retries']} failures, {check['interval']} s apart, take {needed} s."
        [task] = self.tasks()
        httpx.post(f"{self.url(task)}/ill", timeout=5, trust_env=False)
        deadline = time.monotonic() + needed + check["timeout"] + 2
        while time.monotonic() < deadline:
            if task["taskArn"] not in [t["taskArn"] for t in self.tasks()]:
                return None
            time.sleep(0.2)
        return "The check made the task answer 503, and its health check still passes."


LAB = HealthCheckFlapping
