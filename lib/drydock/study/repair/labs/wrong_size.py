"""A pair of CPU and memory that Fargate does not have."""

from botocore.exceptions import ClientError

from drydock.model import fargate
from drydock.study.repair import making
from drydock.study.repair.counter import CounterCase
from drydock.study.repair.shown import Rule

CPU, MEMORY, NEEDED = 256, 4096, 3072


class WrongSize(CounterCase):
    title = "A size that Fargate does not sell"
    skills = ("1.2.1", "1.2.4")
    minutes = 10
    asked = (
        f"Count the flights of January 2013. The program has to be given {NEEDED:,} MiB for its "
        "container, and a quarter of a vCPU would be enough for it. The task definition, which "
        "case.definition() gives you, cannot be registered."
    )
    goal = (
        f"A task ends with exit code 0 and the report is in S3. The container's own limit is still "
        f"{NEEDED:,} MiB, and the task has the cheapest of Fargate's sizes that holds it."
    )
    look = (
        "ecs.register_task_definition: what it answers to case.definition()",
        "Fargate task sizes in the ECS developer guide, or data/fargate_sizes.json",
        "drydock.model.fargate: what a size costs",
    )
    hints = (
        "Nothing has started, so there is no task to look at. ECS refuses the definition itself; "
        "its message is about two numbers that do not go together.",
        "Each CPU size has its own range of memory: 256 CPU units take 512, 1024 or 2048 MiB and "
        "no more. More memory means the next CPU size.",
        f"512 CPU units take 1024 to 4096 MiB in steps of 1024. The container needs {NEEDED}: set "
        f"cpu to '512' and memory to '{NEEDED}', register and run.",
    )

    def build(self) -> list[str]:
        self.counter()
        try:
            making.register(self, self.definition())
        except ClientError as refusal:
            return [f"register_task_definition answers: {refusal}"]
        raise RuntimeError("ECS has registered a size that Fargate does not have")

    def definition(self) -> dict:
        """The definition that is refused; once one is registered, the newest."""
        listed = self.client("ecs").list_task_definitions(familyPrefix=self.family)
        if listed["taskDefinitionArns"]:
            return super().definition()
        container = {
            "name": self.container,
            "image": making.image(self, "counter"),
            "essential": True,
            "memory": NEEDED,
            "environment": [
                {"name": "LAKE_BUCKET", "value": self.bucket},
                {"name": "MONTH", "value": making.MONTH},
            ],
            "logConfiguration": making.logs_to(self, self.container),
        }
        return making.fargate(self, container, cpu=CPU, memory=MEMORY)

    def rules(self):
        yield Rule(
            "registered_at_all",
            f"A revision of {self.family} is registered",
            self._why_none,
        )
        yield from self.counter_rules()
        yield Rule(
            "container_memory",
            f"The container may use {NEEDED:,} MiB",
            self._why_less_memory,
        )
        yield Rule("cheapest", "No cheaper size would do", self._why_dearer)

    def _why_none(self) -> str | None:
        listed = self.client("ecs").list_task_definitions(familyPrefix=self.family)
        return None if listed["taskDefinitionArns"] else "ECS knows no revision of this family."

    def _why_less_memory(self) -> str | None:
        definition = self.definition()
        given = definition["containerDefinitions"][0].get("memory", int(definition["memory"]))
        return None if given >= NEEDED else f"It may use {given:,} MiB."

    def _why_dearer(self) -> str | None:
        definition = self.definition()
        chosen = (int(definition["cpu"]), int(definition["memory"]))
        best = cheapest(NEEDED)
        if _price(*chosen) > _price(*best):
            return f"{chosen[0]} CPU units with {chosen[1]:,} MiB cost more than is needed."
        return None


def cheapest(memory_mib: int) -> tuple[int, int]:
    """CPU units and MiB of the cheapest Fargate size with at least so much memory."""
    sizes = [(size.cpu_units, size.memory_mib) for size in fargate.sizes()]
    return min((size for size in sizes if size[1] >= memory_mib), key=lambda size: _price(*size))


def _price(cpu_units: int, memory_mib: int):
    return fargate.task_cost(3600, vcpu=cpu_units / 1024, memory_gb=memory_mib / 1024).total()


LAB = WrongSize
