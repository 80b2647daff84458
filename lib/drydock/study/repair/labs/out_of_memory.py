"""The container's own memory limit is too small for the program."""

from drydock.study.repair import making
from drydock.study.repair.etl import EtlCase
from drydock.study.repair.shown import Rule

CPU, MEMORY = 1024, 2048


class OutOfMemory(EtlCase):
    title = "Out of memory"
    skills = ("1.2.1", "1.2.4", "1.2.7")
    minutes = 10
    asked = (
        "Curate the flights of January 2013 with one Fargate task. Somebody has tried to save "
        "money in the task definition, and since then the task dies."
    )
    goal = (
        "A task of the newest revision ends with exit code 0, January is published, and the task "
        "is no larger than the 1 vCPU and 2,048 MiB that are paid for today."
    )
    look = (
        "ecs.describe_tasks: containers[0].exitCode and .reason",
        "ecs.describe_task_definition: memory of the task, memory of its container",
    )
    hints = (
        "137 is 128 + 9: the program did not end by itself, something sent it SIGKILL. Who does "
        "that, and which number did it look at?",
        "A task has a memory size, and a container in it may have a smaller hard limit of its own, "
        "containerDefinitions[].memory. Compare the two in describe_task_definition.",
        "Take case.definition(), set containerDefinitions[0]['memory'] to 1024 (or remove it: then "
        "the container may use all of the task's), register it and run it again.",
    )

    def build(self) -> list[str]:
        definition = self.etl()
        definition["containerDefinitions"][0] |= {"memory": 64, "memoryReservation": 64}
        making.register(self, definition)
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.etl_rules()
        yield Rule(
            "size",
            f"The task is not larger than {CPU} CPU units and {MEMORY:,} MiB",
            self._why_too_large,
        )

    def _why_too_large(self) -> str | None:
        definition = self.definition()
        if int(definition["cpu"]) > CPU or int(definition["memory"]) > MEMORY:
            return (
                f"It has {definition['cpu']} CPU units and {definition['memory']} MiB: the task "
                "had enough before, only its container did not."
            )
        return None


LAB = OutOfMemory
