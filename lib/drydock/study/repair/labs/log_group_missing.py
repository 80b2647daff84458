"""awslogs writes to a group that does not exist, and may not make it."""

from drydock.study.repair import making
from drydock.study.repair.counter import CounterCase
from drydock.study.repair.shown import Rule


class LogGroupMissing(CounterCase):
    title = "No log group, no task"
    skills = ("3.3.2", "3.3.7", "4.4.2")
    minutes = 10
    asked = (
        "Count the flights of January 2013. The program ran well in another account; here the task "
        "stops before it starts."
    )
    goal = (
        "A task ends with exit code 0, the report is in S3, and what the program printed can be "
        "read in CloudWatch Logs, in the group that the definition names."
    )
    look = (
        "ecs.describe_tasks: stoppedReason",
        "logs.describe_log_groups",
        "iam.get_policy_version of AmazonECSTaskExecutionRolePolicy: which logs: actions it has",
    )
    hints = (
        "Who opens the log before the program prints its first line, and where?",
        "The awslogs driver makes a stream in an existing group. It makes the group too only if "
        "awslogs-create-group is true and the execution role may do logs:CreateLogGroup.",
        "logs.create_log_group(logGroupName=case.log_group), then run the task again. In a real "
        "account also put_retention_policy, or the lines are kept, and paid for, for ever.",
    )

    def build(self) -> list[str]:
        container = self.counter()
        self.client("logs").delete_log_group(logGroupName=self.log_group)
        making.register(self, making.fargate(self, container))
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.counter_rules()
        yield Rule(
            "logged",
            f"The log group {self.log_group} has what the program printed",
            self._why_no_log,
        )

    def _why_no_log(self) -> str | None:
        [container] = self.definition()["containerDefinitions"]
        logging = container.get("logConfiguration", {})
        if logging.get("logDriver") != "awslogs":
            return "The definition no longer sends its log to CloudWatch Logs."
        if not any("rows" in line for line in self.log(self.newest_task())):
            return "The newest task has no log line there."
        return None


LAB = LogGroupMissing
