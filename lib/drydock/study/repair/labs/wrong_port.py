"""The program listens on another port than the one that the load balancer asks."""

import time

from drydock.study.repair import making, serving
from drydock.study.repair.service import PORT, ServiceCase
from drydock.study.repair.shown import Rule

COUNT, OTHER_PORT = 1, 8080
GRACE_SECONDS = 3600
WAIT_SECONDS = 240.0
SETTLED_SECONDS = 20.0  # a target that gets well needs two checks, 5 s apart
ASKED = 20


class WrongPort(ServiceCase):
    lesson = "6"
    title = "502, and everything runs"
    skills = ("1.2.7", "1.2.8", "3.1.5")
    minutes = 15
    asked = (
        "Serve the data behind a load balancer. ECS says that the task runs, the program says that "
        "it serves, and whoever asks the load balancer gets 502."
    )
    goal = (
        f"The service is steady with {COUNT} task, the load balancer finds every target healthy, "
        f"and {ASKED} requests in a row get 200, also after ECS has replaced the task."
    )
    look = (
        "elbv2.describe_target_health: the targets' ports, Reason and Description",
        "the log of the task: what the program says when it starts",
        "the container's portMappings and environment, and loadBalancers of the service",
    )
    hints = (
        "502 is the load balancer's: it reached the task's address, and nobody took the "
        "connection. A request has an address and a port. Which port, and who says so?",
        "ECS registers the task's address with the containerPort of the service's loadBalancers. "
        "portMappings declare that port, and open nothing: the program listens where its own "
        "setting says. The healthCheckGracePeriodSeconds keep ECS from replacing the task.",
        f"Take case.definition(), set the variable PORT of its container to '{PORT}', register it, "
        "and ecs.update_service with the new taskDefinition. Then wait for the target's health.",
    )
    handy = (
        "case.definition() is what the service uses, for you to change and register; case.ask() "
        "asks the load balancer; case.targets is the ARN of the target group"
    )

    @property
    def targets(self) -> str:
        """ARN of the lab's target group."""
        return serving.target_group(self)

    def ask(self) -> int:
        """The status of the load balancer's answer to GET /healthz."""
        return serving.ask(f"{serving.balancer_url(self)}/healthz").status_code

    def build(self) -> list[str]:
        self.prepare()
        serving.load_balancer(self, PORT, serving.entrance(self), scheme="internet-facing")
        behind = {"targetGroupArn": self.targets, "containerName": "web", "containerPort": PORT}
        self.create(
            making.fargate(self, self.web(PORT=str(OTHER_PORT))),
            COUNT,
            loadBalancers=[behind],
            healthCheckGracePeriodSeconds=GRACE_SECONDS,
        )
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := serving.health(self)) or found[0]["State"] != "unhealthy":
            if time.monotonic() > deadline:
                raise RuntimeError(f"the target of {self.service} does not become unhealthy")
            time.sleep(0.2)
        [target] = found
        answer = serving.ask(f"{serving.balancer_url(self)}/healthz")
        return [
            f"GET /healthz on the load balancer: {answer.status_code} {answer.reason_phrase}",
            f"describe_target_health: {target['State']}, {target['Reason']}: "
            f"{target['Description']}",
            f"describe_services: {self.described()['runningCount']} of {COUNT} tasks run",
        ]

    def clean(self) -> None:
        serving.clean(self)

    def rules(self):
        yield Rule("healthy", "The load balancer finds every target healthy", self._why_not_healthy)
        yield Rule(
            "steady",
            f"The service is steady with {COUNT} task",
            lambda: self.why_not_steady(COUNT),
        )
        yield Rule("answers", f"{ASKED} requests get 200", self._why_no_answer)

    def _why_not_healthy(self) -> str | None:
        """Wait while tasks come and go; give up when what is unhealthy stays so."""
        deadline, stuck_since = time.monotonic() + WAIT_SECONDS, None
        while (now := time.monotonic()) < deadline:
            service, health = self.described(), serving.health(self)
            if service is None:
                return f"There is no active service {self.service}."
            if service["desiredCount"] != COUNT:
                return f"The service wants {service['desiredCount']} tasks, not {COUNT}."
            if health and all(one["State"] == "healthy" for one in health):
                return None
            stuck_since = (stuck_since or now) if _stuck(service, health) else None
            if stuck_since and now - stuck_since >= SETTLED_SECONDS:
                ill = next(one for one in health if one["State"] == "unhealthy")
                return f"A target is unhealthy, {ill['Reason']}: {ill['Description']}."
            time.sleep(0.2)
        return f"It does not after {WAIT_SECONDS:.0f} s."

    def _why_no_answer(self) -> str | None:
        statuses = {self.ask() for _ in range(ASKED)}
        if statuses == {200}:
            return None
        told = " and ".join(map(str, sorted(statuses)))
        return f"They get {told}: the health check does not ask where the requests go."

    def belongings(self) -> str:
        return f"{super().belongings()}, load balancer and target group {self.prefix}"


def _stuck(service: dict, health: list[dict]) -> bool:
    """Whether a target is unhealthy that no deployment under way is about to take away."""
    ill = [one for one in health if one["State"] == "unhealthy"]
    newest = service["deployments"][0]
    arrived = newest["runningCount"] >= newest["desiredCount"] and not newest["pendingCount"]
    alone = len(service["deployments"]) == 1
    return bool(ill) and arrived and (alone or len(ill) == len(health))


LAB = WrongPort
