"""The task's disk is smaller than what its program has to put aside."""

from drydock.study.repair import making
from drydock.study.repair.counter import CounterCase
from drydock.study.repair.shown import CannotBeShown, Rule

DISK, SPILL, LARGEST = 21, 26, 40


class DiskFull(CounterCase):
    title = "No space left on device"
    skills = ("1.2.1", "1.2.4", "1.2.7")
    minutes = 10
    asked = (
        f"Count the flights of January 2013. The program sorts before it counts, and reserves "
        f"{SPILL} GiB of scratch space for that. It has memory enough, and stops all the same."
    )
    goal = (
        f"A task ends with exit code 0, the report is in S3, the program still reserves {SPILL} "
        f"GiB, and its task has at most {LARGEST} GiB: what is above 20 GiB is paid for."
    )
    look = (
        "the log of the task",
        "ecs.describe_task_definition, or describe_tasks: ephemeralStorage",
        "Fargate task storage in the ECS developer guide",
    )
    hints = (
        "Errno 28 is ENOSPC. It is about a disk: which one does a Fargate task have, and how "
        "large is it?",
        "A Fargate task has 20 GiB of ephemeral storage, shared with its image; a definition may "
        "ask for 21 to 200 GiB with ephemeralStorage. This one asks for the least.",
        f"Set definition['ephemeralStorage'] to {{'sizeInGiB': 30}}: a little more than the "
        f"{SPILL} GiB that the program reserves. Register it and run it.",
    )

    def build(self) -> list[str]:
        container = self.counter()
        container["environment"].append({"name": "SPILL_GIB", "value": str(SPILL)})
        storage = {"sizeInGiB": DISK}
        making.register(self, making.fargate(self, container, ephemeralStorage=storage))
        self._require_disk()
        return self.seen_of(self.launch())

    def _require_disk(self) -> None:
        """Ask a task how large its disk is, before one reserves that much of this machine's."""
        only_tell = [{"name": "SPILL_GIB", "value": "0"}, {"name": "MONTH", "value": "none"}]
        override = {"name": self.container, "environment": only_tell}
        answer = self.client("ecs").run_task(
            **self.run_task, overrides={"containerOverrides": [override]}
        )
        task = self.stopped(answer["tasks"][0]["taskArn"])
        if f"scratch space: {DISK} GiB" not in self.log(task):
            raise CannotBeShown(
                "disk_full cannot be shown here: the local cloud may not mount a disk of its own "
                "for a task (that needs root on Linux, and the process runtime); take another "
                "lab, see repair.labs()"
            )

    def rules(self):
        yield from self.counter_rules()
        yield Rule("spill", f"The program reserves {SPILL} GiB", self._why_no_spill)
        yield Rule(
            "disk",
            f"The task has more than {SPILL} and at most {LARGEST} GiB of ephemeral storage",
            self._why_wrong_disk,
        )

    def _why_no_spill(self) -> str | None:
        if f"reserved {SPILL} GiB of scratch space" in self.log(self.newest_task()):
            return None
        return "The log of the newest task says otherwise: a larger month would fail half-way."

    def _why_wrong_disk(self) -> str | None:
        size = self.definition().get("ephemeralStorage", {}).get("sizeInGiB", 20)
        if SPILL < size <= LARGEST:
            return None
        return f"It has {size} GiB."


LAB = DiskFull
