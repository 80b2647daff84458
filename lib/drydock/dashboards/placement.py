"""Where ECS puts tasks: the machines of a real cluster, and a board to try other choices on."""

from collections.abc import Sequence

import ipywidgets

from drydock.dashboards.board import Board, menu, slider
from drydock.dashboards.packing import Machine, Packing, Task, draw, pack, waiting_words

STRATEGIES = {
    "spread over zones": ("spread", "zone"),
    "spread over machines": ("spread", "instanceId"),
    "binpack on memory": ("binpack", "memory"),
    "binpack on CPU": ("binpack", "CPU"),
    "random": ("random", ""),
}
ZONE = "ecs.availability-zone"


def machines_of(ecs, cluster: str) -> list[Machine]:
    """Return the container instances of a cluster with the tasks that run on them.

    Read with ListContainerInstances, DescribeContainerInstances, ListTasks and DescribeTasks. They
    are called "machine 1", ... in the order of their zone, as their ids differ on every run.
    """
    arns = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
    if not arns:
        return []
    described = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
    found = sorted(described["containerInstances"], key=_zone)
    tasks = _tasks_by_machine(ecs, cluster)
    return [
        Machine(
            f"machine {number}",
            _zone(one),
            *_amounts(one["registeredResources"]),
            tuple(tasks.get(one["containerInstanceArn"], ())),
        )
        for number, one in enumerate(found, start=1)
    ]


class PlacementBoard(Board):
    """Machines of a cluster, and controls for the tasks that ECS shall place on them.

    `board.value` is the Packing that is shown. Each control's `.value` can be set by code, too.
    """

    assumptions = (
        "Each machine begins empty; small tasks of 0.25 vCPU and 512 MiB come first, then large "
        "ones of 0.5 vCPU; ports and constraints are left out. No price is used: a machine costs "
        "the same full or empty, and placing tasks costs nothing."
    )

    def __init__(self, machines: Sequence[Machine]):
        self._machines = [Machine(m.name, m.zone, m.cpu, m.memory_mib) for m in machines]
        self.machines = slider("machines", len(machines), 1, len(machines))
        self.strategy = menu("strategy", STRATEGIES)
        self.small = slider("small tasks", 4, 0, 16)
        self.large = slider("large tasks", 2, 0, 8)
        self.large_gb = slider("large: GB", 4, 1, 8)
        super().__init__((self.machines, self.strategy, self.small, self.large, self.large_gb))

    @property
    def value(self) -> Packing:
        """The packing for what the controls say now: small tasks come first, then large ones."""
        return pack(self._chosen, self._tasks, STRATEGIES[self.strategy.value])

    @property
    def _chosen(self) -> list[Machine]:
        return self._machines[: self.machines.value]

    @property
    def _tasks(self) -> list[tuple[Task, int]]:
        small = Task("small", 256, 512)
        large = Task("large", 512, self.large_gb.value * 1024)
        return [(small, self.small.value), (large, self.large.value)]

    def words(self) -> str:
        packing = self.value
        missing = waiting_words(packing)
        return f"{packing.summary()}: {missing}" if missing else packing.summary()

    @property
    def code(self) -> str:
        return f"""\
from drydock.dashboards.packing import Machine, Task, pack

machines = {self._chosen!r}
tasks = {self._tasks!r}
pack(machines, tasks, {STRATEGIES[self.strategy.value]!r}).summary()"""

    def _frame(self) -> ipywidgets.Widget:
        return ipywidgets.HTML()

    def _picture_now(self) -> str:
        return draw(self.value)

    def _static(self) -> dict[str, str]:
        return {"image/svg+xml": draw(self.value)}

    def __repr__(self) -> str:
        return f"PlacementBoard({self.value.summary()})"


def _zone(instance: dict) -> str:
    return next(a["value"] for a in instance["attributes"] if a["name"] == ZONE)


def _amounts(resources: Sequence[dict]) -> tuple[int, int]:
    by_name = {one["name"]: one["integerValue"] for one in resources}
    return by_name["CPU"], by_name["MEMORY"]


def _tasks_by_machine(ecs, cluster: str) -> dict[str, list[Task]]:
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, launchType="EC2")
    found: dict[str, list[Task]] = {}
    for page in pages:
        if not page["taskArns"]:
            continue
        for task in ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]:
            family = task["taskDefinitionArn"].rsplit("/", 1)[1].split(":")[0]
            placed = Task(family, int(task["cpu"]), int(task["memory"]))
            found.setdefault(task["containerInstanceArn"], []).append(placed)
    return found
