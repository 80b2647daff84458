"""Limits without control groups: measure a process tree, pause it, or kill it.

Memory: the tree's resident set above its limit means SIGKILL, as the kernel would. CPU: the
tree earns CPU seconds at its rate and is paused (SIGSTOP) while it is in debt. Coarser than the
kernel: checks come every tenth of a second, so a short burst can pass.
"""

from __future__ import annotations

import signal
from collections import defaultdict
from contextlib import suppress

import psutil

TICK_SECONDS = 0.1
BURST_SECONDS = 0.1


class Tree:
    """Every process below a set of root processes, measured as one."""

    def __init__(self, cpu: float, memory: int):
        self.cpu, self.memory = cpu, memory
        self.credit = BURST_SECONDS
        self.paused = False
        self._spent: dict[psutil.Process, float] = {}

    def measure(self, processes: list[psutil.Process]) -> tuple[float, int]:
        """CPU seconds spent since the last call, and resident bytes now."""
        spent, resident = 0.0, 0
        seen = {}
        for process in processes:
            with suppress(psutil.Error):
                times = process.cpu_times()
                seen[process] = times.user + times.system
                spent += max(0.0, seen[process] - self._spent.get(process, 0.0))
                resident += process.memory_info().rss
        self._spent = seen
        if resident > self.memory:
            resident = _without_sharing(processes, resident)
        return spent, resident

    def throttle(self, processes: list[psutil.Process], spent: float, seconds: float) -> None:
        """Pause or resume so that the tree's CPU time stays at its rate."""
        self.credit = min(BURST_SECONDS, self.credit + self.cpu * seconds - spent)
        pause = self.credit < 0
        if pause or self.paused:
            # Also while already paused: a child forked meanwhile must stop too.
            for process in processes:
                with suppress(psutil.Error):
                    process.send_signal(signal.SIGSTOP if pause else signal.SIGCONT)
        self.paused = pause


def below(roots: set[int]) -> dict[int, list[psutil.Process]]:
    """The descendants of each root process, found in one pass over the process table."""
    children = defaultdict(list)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            children[process.ppid()].append(process)
    found: dict[int, list[psutil.Process]] = {}
    for root in roots:
        found[root], todo = [], [root]
        while todo:
            for child in children.get(todo.pop(), ()):
                found[root].append(child)
                todo.append(child.pid)
    return found


def _without_sharing(processes: list[psutil.Process], resident: int) -> int:
    """Resident bytes with shared pages counted once, where the system can tell."""
    total = 0
    for process in processes:
        with suppress(psutil.Error, AttributeError):
            total += process.memory_full_info().pss
    return total or resident
