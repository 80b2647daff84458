"""Labs about a service that should run, and go on running."""

import time

import httpx

from drydock.study.repair import making
from drydock.study.repair.case import Case

PORT = 8000
STEADY_SECONDS, WAIT_SECONDS = 3.0, 240.0
STUCK_SECONDS = 15.0  # longer than ECS waits before it tries to place a task again, also when busy


class ServiceCase(Case):
    """A service of a small HTTP program, lib/containers/labs/web."""

    container = "web"
    handy = "case.definition() is what the service uses, for you to change and register"

    def web(self, **variables: str) -> dict:
        """The container definition of the program with these environment variables."""
        return {
            "name": self.container,
            "image": making.image(self, "web"),
            "essential": True,
            "portMappings": [{"containerPort": PORT}],
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "logConfiguration": making.logs_to(self, self.container),
        }

    def prepare(self) -> None:
        making.cluster_and_logs(self)
        making.execution_role(self)
        making.role(self.lab, self.task_role)

    def create(self, definition: dict, count: int, **more) -> None:
        """Register the definition and create the service with `count` tasks.

        `more` are further parameters of `ecs.create_service`.
        """
        self.client("ecs").create_service(
            cluster=self.cluster,
            serviceName=self.service,
            taskDefinition=making.register(self, definition),
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration=self.lab.network(),
            **more,
        )

    def described(self) -> dict | None:
        """The service as ECS describes it; None if it is gone."""
        answer = self.client("ecs").describe_services(cluster=self.cluster, services=[self.service])
        return next((s for s in answer["services"] if s["status"] == "ACTIVE"), None)

    def definition(self) -> dict:
        """The task definition that the service uses, as register_task_definition takes it."""
        return making.registered(self, self.described()["taskDefinition"])

    def until_it_fails(self, failures: int) -> dict:
        """Wait until the newest deployment has lost so many tasks; the service."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            service = self.described()
            if service["deployments"][0]["failedTasks"] >= failures:
                return service
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service {self.service} does not fail as it should")
            time.sleep(0.1)

    def why_not_steady(self, count: int, for_seconds: float = STEADY_SECONDS) -> str | None:
        """Wait for a steady service of `count` tasks, and look for a while whether it stays so."""
        begun = time.monotonic()
        steady_since = stuck_since = None
        while (now := time.monotonic()) - begun < WAIT_SECONDS:
            service = self.described()
            if service is None:
                return f"There is no active service {self.service}."
            if service["desiredCount"] != count:
                return f"It wants {service['desiredCount']} tasks, not {count}."
            if service["deployments"][0]["failedTasks"]:
                return f"Tasks of its newest deployment fail: {self.newest_failure(service)}"
            steady_since = (steady_since or now) if _steady(service) else None
            if steady_since and now - steady_since >= for_seconds:
                return None
            stuck_since = (stuck_since or now) if _finds_no_place(service) else None
            if stuck_since and now - stuck_since >= STUCK_SECONDS:
                running = service["runningCount"]
                return f"{running} of {count} tasks run: {self.newest_failure(service)}"
            time.sleep(0.15)
        return f"It is not steady after {WAIT_SECONDS:.0f} s."

    def newest_failure(self, service: dict) -> str:
        """The newest event that gives a reason; else the last line of the log."""
        for event in service["events"]:
            told = event["message"].partition(") ")[2]
            if "unable to place" in told or "failed container health checks" in told:
                return told
        return self.last_words()

    def tasks(self) -> list[dict]:
        """The running tasks of the service."""
        ecs = self.client("ecs")
        arns = ecs.list_tasks(cluster=self.cluster, serviceName=self.service)["taskArns"]
        found = ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []
        return [task for task in found if task["lastStatus"] == "RUNNING"]

    def url(self, task: dict) -> str:
        details = {d["name"]: d.get("value") for d in task["attachments"][0]["details"]}
        return f"http://{details['privateIPv4Address']}:{PORT}"

    def versions(self) -> list[str]:
        """What each running task says its version is; "none" where it does not answer."""
        return [self._version(self.url(task)) for task in self.tasks()]

    def _version(self, url: str) -> str:
        try:
            return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).json()["version"]
        except (httpx.TransportError, ValueError, KeyError):
            return "none"

    def last_words(self) -> str:
        """The newest line of the log group, whichever task wrote it."""
        events = self.client("logs").filter_log_events(logGroupName=self.log_group)["events"]
        return max(events, key=lambda event: event["timestamp"])["message"] if events else ""

    def belongings(self) -> str:
        return f"{super().belongings()}, service {self.service}"


def _steady(service: dict) -> bool:
    newest = service["deployments"][0]
    return (
        len(service["deployments"]) == 1
        and newest["rolloutState"] == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
    )


def _finds_no_place(service: dict) -> bool:
    """Whether the last thing that happened is that a task found no place, and none is starting."""
    said = service["events"][0]["message"] if service["events"] else ""
    some_lack = service["runningCount"] < service["desiredCount"]
    return "unable to place" in said and some_lack and service["pendingCount"] == 0
