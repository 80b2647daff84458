"""The program takes a whole result into its memory, and the container has less."""

from drydock.study.repair import making
from drydock.study.repair.reading import ROWS, ReadingCase
from drydock.study.repair.shown import Rule

CPU, MEMORY, OF_CONTAINER = 1024, 2048, 192
TIMES = 20
QUERY = f"SELECT w.* FROM weather AS w CROSS JOIN generate_series(1, {TIMES})"


class FetchallMemory(ReadingCase):
    title = "All rows at once"
    skills = ("1.2.2", "1.2.4", "1.2.7")
    minutes = 10
    asked = (
        f"Count the rows of a query. It has grown to {TIMES * ROWS:,} rows, and the container "
        f"that has {OF_CONTAINER} MiB, which was plenty, is killed. The task has more, but its "
        "other containers need that."
    )
    goal = (
        "A task ends with exit code 0 and tells all rows, with as little memory as before: the "
        f"container keeps its {OF_CONTAINER} MiB, and the query its rows."
    )
    look = (
        "ecs.describe_tasks: containers[0].exitCode and .reason",
        "the container's environment in the task definition: FETCH_ROWS, which the program's "
        "first lines explain (lib/containers/labs/reader/read.py)",
    )
    hints = (
        "The program only counts. Does it need all rows at the same time to do that?",
        "fetchall() makes a Python object of every value of the result before the first is looked "
        "at, and the driver holds the whole result besides. A cursor in the server gives rows in "
        "portions.",
        "Take case.definition(), set the variable FETCH_ROWS of its container to '2000', register "
        "it and run it again.",
    )

    def build(self) -> list[str]:
        definition = self.reader({"QUERY": QUERY, "FETCH_ROWS": "0"})
        definition |= {"cpu": str(CPU), "memory": str(MEMORY)}
        definition["containerDefinitions"][0]["memory"] = OF_CONTAINER
        making.register(self, definition)
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.reading_rules(TIMES * ROWS)
        yield Rule("size", f"The container has {OF_CONTAINER} MiB, as before", self._why_larger)

    def _why_larger(self) -> str | None:
        definition = self.definition()
        memory = definition["containerDefinitions"][0].get("memory", int(definition["memory"]))
        if memory > OF_CONTAINER:
            return f"It may use {memory} MiB now, and twice the rows will need twice of that."
        return None


LAB = FetchallMemory
