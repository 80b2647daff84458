"""Clients that come back at once when they are told that they are too many."""

import importlib.util
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from drydock.images import build
from drydock.study.repair import gateways, making
from drydock.study.repair.batch import BatchCase
from drydock.study.repair.shown import Rule

PAGES, DAYS, CLIENTS, TRIES = 20, 200, 4, 8
RATE, BURST = 4, 4
MOST_REFUSALS = 4 * PAGES
DRAWS = 200
LONGEST = 60.0  # seconds: who waits for minutes should give up, and say so
LOG_SECONDS = 60.0


class RetryStorm(BatchCase):
    lesson = "6"
    title = "429, and again, and again"
    skills = ("1.1.9", "1.1.4", "3.1.5", "4.4.2")
    minutes = 20
    asked = (
        f"Read {PAGES} pages of a partner's API, with {CLIENTS} clients at a time. The partner "
        f"allows {RATE} requests a second, which is enough, and has called: nearly all that you "
        "send is refused. Your task fails all the same."
    )
    goal = (
        f"A task ends with exit code 0 and all {DAYS} days. Its clients wait longer after each "
        "refusal, each as long as chance has it, and never come before Retry-After says. The "
        "partner's limit stays as it is."
    )
    look = (
        "case.program: the client, a file of yours to change; the function pause",
        "the stage's access log, in the lab's log group: case.statuses() counts it",
        "apigatewayv2.get_stage: DefaultRouteSettings, which belong to the partner",
        "drydock.api_client, which does it for lesson 6",
    )
    hints = (
        "A refusal takes a few milliseconds, the bucket gets a new token four times a second. How "
        "many of the next ten tries can find one?",
        "Wait, and wait longer each time: 0.2 s, 0.4, 0.8, … Clients that were refused together "
        "come back together, unless each draws its wait at random. Where the answer has a "
        "Retry-After, that is the least.",
        "Let pause return least + random.uniform(0, min(8, 0.2 * 2**tried)), and import random. "
        "Then image = case.build_image(), put it into the container of case.definition(), "
        "register it and run it.",
    )
    handy = (
        "case.program; case.build_image() builds it; case.definition() is the newest revision, for "
        "you to change and register; ecs.run_task(**case.run_task) runs it; case.api_id"
    )

    @property
    def program(self) -> Path:
        """The file that the learner changes."""
        return self.folder / "program" / "fetch.py"

    @property
    def api_id(self) -> str:
        """Id of the partner's HTTP API."""
        return gateways.described(self)["ApiId"]

    def build_image(self) -> str:
        """Build the learner's program into the lab's repository; the URI of the image."""
        return build(self.lab, self.repository, self.program.parent)

    def statuses(self) -> dict[int, int]:
        """How many requests of the newest task the access log has, by status."""
        since = self.newest_task()["createdAt"].timestamp() * 1000
        found = gateways.statuses(self, int(since))
        return {status: found.count(status) for status in sorted(set(found))}

    def build(self) -> list[str]:
        making.cluster_and_logs(self)
        making.execution_role(self)
        making.role(self.lab, self.task_role)
        limits = {"ThrottlingRateLimit": RATE, "ThrottlingBurstLimit": BURST}
        gateways.create(self, DefaultRouteSettings=limits)
        gateways.function(self, "days", "GET /pages/{number}")
        shutil.copytree(making.PROGRAMS / "fetcher", self.program.parent)
        variables = {
            "API": gateways.url(self),
            "PAGES": str(PAGES),
            "CLIENTS": str(CLIENTS),
            "TRIES": str(TRIES),
        }
        container = {
            "name": self.container,
            "image": self.build_image(),
            "essential": True,
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "logConfiguration": making.logs_to(self, self.container),
        }
        making.register(self, making.fargate(self, container))
        task = self.launch()
        return [*self.seen_of(task), self._in_the_log()]

    def _in_the_log(self) -> str:
        deadline = time.monotonic() + LOG_SECONDS
        while time.monotonic() < deadline:
            seen = self.statuses()
            if seen.get(429, 0) > seen.get(200, 0):
                return "the API's access log: more requests with status 429 than with 200"
            time.sleep(0.2)
        raise RuntimeError("the access log does not tell of a storm")

    def clean(self) -> None:
        gateways.clean(self)

    def rules(self):
        yield Rule(
            "limit",
            f"The partner allows {RATE} requests a second, and {BURST} at once",
            self._why_another_limit,
        )
        yield from self.batch_rules()
        yield Rule("days", f"Its log tells {DAYS} days in {PAGES} pages", self._why_not_all)
        yield Rule("backoff", "pause grows from try to try, and has an end", self._why_flat)
        yield Rule("jitter", "pause is drawn at random", self._why_in_step)
        yield Rule("retry_after", "pause is never shorter than Retry-After", self._why_too_soon)
        yield Rule(
            "refusals",
            f"The access log has at most {MOST_REFUSALS} refusals for it",
            self._why_a_storm,
        )

    def _why_another_limit(self) -> str | None:
        stage = self.client("apigatewayv2").get_stage(ApiId=self.api_id, StageName=gateways.STAGE)
        limits = [stage.get("DefaultRouteSettings", {}), *stage.get("RouteSettings", {}).values()]
        for one in limits:
            rate, burst = one.get("ThrottlingRateLimit"), one.get("ThrottlingBurstLimit")
            if (rate, burst) != (RATE, BURST):
                return "It has been changed: it is the partner's, and others share what is behind."
        return None

    def _why_not_all(self) -> str | None:
        lines = self.log(self.newest_task())
        if f"{DAYS} days in {PAGES} pages" in lines:
            return None
        return f"It tells {(lines or ['nothing'])[-1]!r}."

    def _pause(self) -> Callable[[int, float], float]:
        """The function of the learner's program."""
        spec = importlib.util.spec_from_file_location("fetch_of_the_learner", self.program)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.pause

    def _drawn(self, tried: int, least: float = 0) -> list[float]:
        pause = self._pause()
        return [pause(tried, least) for _ in range(DRAWS)]

    def _why_flat(self) -> str | None:
        first, sixth = max(self._drawn(1)), max(self._drawn(6))
        if sixth < 4 * first or sixth == 0:
            return f"After the first try it is {first:.1f} s at most, after the sixth {sixth:.1f}."
        if max(self._drawn(40)) > LONGEST:
            return f"After forty tries it is longer than {LONGEST:.0f} s."
        return None

    def _why_in_step(self) -> str | None:
        drawn = self._drawn(5)
        if max(drawn) - min(drawn) < max(drawn) / 4:
            return "Clients that were refused together come back together."
        return None

    def _why_too_soon(self) -> str | None:
        least = 7.0
        if min(min(self._drawn(tried, least)) for tried in range(1, TRIES)) < least:
            return f"With Retry-After: {least:.0f} it can be shorter."
        return None

    def _why_a_storm(self) -> str | None:
        deadline = time.monotonic() + LOG_SECONDS
        while (seen := self.statuses()).get(200, 0) < PAGES and time.monotonic() < deadline:
            time.sleep(0.2)
        refused = seen.get(429, 0)
        return f"It has {refused:,}." if refused > MOST_REFUSALS else None

    def belongings(self) -> str:
        return f"{super().belongings()}, HTTP API and function {self.prefix}"


LAB = RetryStorm
