"""A helper container that ends early takes the task with it."""

from drydock.study.repair import making
from drydock.study.repair.counter import CounterCase
from drydock.study.repair.shown import Rule

SETTINGS = "/settings/settings.json"


class SidecarEndsTask(CounterCase):
    title = "The helper that ends the task"
    skills = ("1.2.1", "1.2.7", "1.3.2")
    minutes = 10
    asked = (
        "Count the flights of January 2013. A second container, settings, writes a file that the "
        "program waits for, and ends. Since it was added there is no report any more."
    )
    goal = (
        "A task ends with both containers at exit code 0, and the report in S3 says which unit it "
        "counts: a setting that comes from the helper."
    )
    look = (
        "ecs.describe_tasks: stoppedReason, and the exit code of each container",
        "ecs.describe_task_definition: essential, dependsOn, mountPoints",
        "the ECS developer guide on essential and on container dependency",
    )
    hints = (
        "Look at which container ended by itself, and which was ended. 143 is 128 + 15: SIGTERM.",
        "When an essential container ends, for whatever reason, ECS stops the others. Containers "
        "are essential unless the definition says otherwise.",
        "Set essential to False for the container settings. Better still, let main depend on it: "
        "dependsOn=[{'containerName': 'settings', 'condition': 'SUCCESS'}]. Register and run.",
    )

    def build(self) -> list[str]:
        mount = {"sourceVolume": "shared", "containerPath": "/settings"}
        main = self.counter(mountPoints=[mount])
        variable = {"name": "SETTINGS", "value": SETTINGS}
        helper = {
            "name": "settings",
            "image": main["image"],
            "entryPoint": ["python", "settings.py"],
            "essential": True,
            "environment": [variable],
            "mountPoints": [mount],
            "logConfiguration": making.logs_to(self, "settings"),
        }
        main["environment"].append(variable)
        definition = making.fargate(self, main, helper, volumes=[{"name": "shared"}])
        making.register(self, definition)
        task = self.launch()
        exits = {c["name"]: c["exitCode"] for c in task["containers"]}
        return [
            f"stopCode {task['stopCode']}: {task['stoppedReason']}",
            f"exit codes: main {exits['main']}, settings {exits['settings']}",
        ]

    def rules(self):
        yield from self.batch_rules()
        yield Rule(
            "helper",
            "Its container settings has ended with exit code 0 too",
            self._why_no_helper,
        )
        yield self.reported()
        yield Rule("unit", "The report has the setting of the helper", self._why_no_unit)

    def _why_no_helper(self) -> str | None:
        exits = {c["name"]: c.get("exitCode") for c in self.newest_task()["containers"]}
        if "settings" not in exits:
            return "The task has no such container any more."
        return None if exits["settings"] == 0 else f"It ended with {exits['settings']}."

    def _why_no_unit(self) -> str | None:
        unit = self.report().get("unit")
        return None if unit == "flights" else f"Its unit is {unit!r}, not 'flights'."


LAB = SidecarEndsTask
