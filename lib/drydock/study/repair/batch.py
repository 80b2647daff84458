"""Labs about one task that should run to its end."""

import time
from collections.abc import Iterator

from drydock.study.repair import making
from drydock.study.repair.case import Case
from drydock.study.repair.shown import CannotBeShown, Rule

WAIT_SECONDS = 120
BUSY_SECONDS = 360  # The first task may wait for images, and for what else this machine does.


class BatchCase(Case):
    """A lab whose task definition runs one task that reads something and publishes something."""

    container = "main"
    handy = (
        "case.definition() is the newest revision, for you to change and register; "
        "ecs.run_task(**case.run_task) runs it"
    )

    @property
    def run_task(self) -> dict:
        """The parameters of `ecs.run_task` that launch the newest revision."""
        return {
            "cluster": self.cluster,
            "taskDefinition": self.family,
            "launchType": "FARGATE",
            "networkConfiguration": self.network(),
        }

    def network(self) -> dict:
        return self.lab.network()

    def definition(self) -> dict:
        """The newest revision, as `ecs.register_task_definition` takes it."""
        return making.registered(self, self.family)

    def launch(self, seconds: float = BUSY_SECONDS) -> dict:
        """Run one task and return it as it stopped. Raises CannotBeShown if it does not."""
        answer = self.client("ecs").run_task(**self.run_task)
        task = self.stopped(answer["tasks"][0]["taskArn"], seconds)
        if task["lastStatus"] != "STOPPED":
            raise CannotBeShown(
                f"The lab's task is still {task['lastStatus']} after {seconds:g} s: this machine "
                f"is busy with something else; close it, then type repair.start(lab, {self.name!r})"
            )
        return task

    def stopped(self, arn: str, seconds: float = WAIT_SECONDS) -> dict:
        """Wait for a task to stop; the task as it is then, or after so many seconds."""
        ecs, deadline = self.client("ecs"), time.monotonic() + seconds
        while True:
            [task] = ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"]
            if task["lastStatus"] == "STOPPED" or time.monotonic() > deadline:
                return task
            time.sleep(0.15)

    def newest_task(self) -> dict | None:
        """The task that was started last since the lab was broken, once it has stopped."""
        ecs = self.client("ecs")
        arns = []
        for status in ("RUNNING", "STOPPED"):
            pages = ecs.get_paginator("list_tasks").paginate(
                cluster=self.cluster, family=self.family, desiredStatus=status
            )
            arns += [arn for page in pages for arn in page["taskArns"]]
        tasks = []
        for first in range(0, len(arns), 100):
            batch = arns[first : first + 100]
            tasks += ecs.describe_tasks(cluster=self.cluster, tasks=batch)["tasks"]
        mine = [task for task in tasks if task["createdAt"] >= self.since]
        if not mine:
            return None
        return self.stopped(max(mine, key=lambda task: task["createdAt"])["taskArn"])

    def log(self, task: dict, container: str | None = None) -> list[str]:
        """The log lines of a container of the task, oldest first."""
        logs, name = self.client("logs"), container or self.container
        stream = f"{name}/{name}/{task['taskArn'].rsplit('/', 1)[1]}"
        try:
            events = logs.get_log_events(
                logGroupName=self.log_group, logStreamName=stream, startFromHead=True
            )["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]

    def main_container(self, task: dict) -> dict:
        return next(c for c in task["containers"] if c["name"] == self.container)

    def seen_of(self, task: dict) -> list[str]:
        """What describe_tasks and the log tell of a task that stopped."""
        container = self.main_container(task)
        lines = [f"stopCode {task['stopCode']}: {task['stoppedReason']}"]
        if "exitCode" in container:
            lines.append(f"exit code {container['exitCode']}")
        reason = container.get("reason")
        if reason and reason != task["stoppedReason"]:
            lines[-1] += f": {reason}"
        written = self.log(task)
        return [*lines, f"last line of the log: {written[-1]}" if written else "the log is empty"]

    def batch_rules(self) -> Iterator[Rule]:
        """A task of what is registered now has ended well."""
        yield Rule(
            "exit_code",
            f"The newest task of the family {self.family} has ended with exit code 0",
            self._why_no_success,
        )
        yield Rule(
            "registered",
            "It ran the newest revision as it is registered, without overrides",
            self._why_not_as_registered,
        )

    def _why_no_success(self) -> str | None:
        task = self.newest_task()
        if task is None:
            return "No task of the family has been started since the lab was broken."
        if task["lastStatus"] != "STOPPED":
            return f"It is still {task['lastStatus']} after {WAIT_SECONDS} s."
        container = self.main_container(task)
        if container.get("exitCode") == 0:
            return None
        told = container.get("reason") or (self.log(task) or [task["stoppedReason"]])[-1]
        if "exitCode" not in container:
            return f"It did not start: {told}"
        return f"It ended with exit code {container['exitCode']}: {told}"

    def _why_not_as_registered(self) -> str | None:
        task = self.newest_task()
        newest = self.client("ecs").describe_task_definition(taskDefinition=self.family)
        if task["taskDefinitionArn"] != newest["taskDefinition"]["taskDefinitionArn"]:
            return "There is a newer revision that no task has run."
        changed = [key for one in task["overrides"]["containerOverrides"] for key in one]
        changed += [key for key in task["overrides"] if key in ("cpu", "memory", "taskRoleArn")]
        if set(changed) - {"name"}:
            return "The task ran with overrides: the next one will fail again."
        return None
