"""How soon does a board answer a control: python tests/benchmarks/boards.py

Prints the milliseconds of processor time of a redraw, the median of some, beside those of the same
picture as the PNG that pages without a kernel show. 100 ms is the aim, on a machine at rest.
"""

import statistics
import time
from collections.abc import Callable

from drydock.dashboards import BillBoard, ChoiceBoard, PlacementBoard, ScalingBoard, SizeBoard
from drydock.dashboards.packing import Machine
from drydock.model.throughput import TaskTime

TIMES = 15


def boards() -> list:
    """One of each, as lessons 7 and 8 show them."""
    machines = [Machine(f"machine {n}", "us-east-1a", 4096, 15_000) for n in (1, 2, 3)]
    size = SizeBoard(TaskTime(fixed=0.4, work=1.6), 336_776, 171.0, "a machine")
    return [size, ChoiceBoard(), PlacementBoard(machines), ScalingBoard(), BillBoard()]


def milliseconds(work: Callable[[], object]) -> float:
    """The median of some runs, in processor time: what others do meanwhile counts less."""
    taken = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken) * 1000


if __name__ == "__main__":
    print(f"{'board':16} {'redraw':>8} {'static':>8}")
    for board in boards():
        redraw, static = milliseconds(board._redraw), milliseconds(board._static)
        print(f"{type(board).__name__:16} {redraw:5.0f} ms {static:5.0f} ms")
