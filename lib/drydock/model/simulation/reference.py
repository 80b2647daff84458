"""The same fleet in SimPy, event by event: slow, and made to be read.

Each worker is a process. The engine gives the same answer for every task; the tests compare them.
"""

import math

import numpy as np
import simpy

from drydock.model.simulation.fleet import Fleet, Result, checked

HIGH_SAMPLES, LOW_SAMPLES, LOW_PART = 3, 15, 0.9


class _Fleet:
    def __init__(self, arrivals, durations, fleet: Fleet, seed: int):
        self.env = simpy.Environment()
        self.fleet, self.arrivals = fleet, arrivals
        self.left = durations.copy()
        self.begin = np.full(len(arrivals), np.nan)
        self.finish = np.full(len(arrivals), np.nan)
        self.lives = fleet.lives(seed)
        self.queue: list[int] = []
        self.idle: list[int] = []
        self.called: dict[int, simpy.Event] = {}
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.processes: list[simpy.Process] = []
        self.alive = self.starting = self.busy = self.interruptions = 0
        self.worked = 0.0
        self.waited_for = len(arrivals)
        self.desired = 0 if fleet.policy == "task" else fleet.minimum
        self.over = self.env.event()
        self.fill(0.0 if fleet.policy == "fixed" else fleet.cold_start)
        self.env.process(self.arrive())
        if fleet.policy in ("backlog", "target"):
            self.env.process(self.scale())

    def fill(self, delay: float | None = None) -> None:
        """Give idle workers what waits, and ask for the workers that are wanted and not there."""
        while self.queue and self.idle:
            self.called.pop(self.idle.pop()).succeed(self.queue.pop(0))
        if self.fleet.policy == "task":
            lacking = max(0, len(self.queue) - self.starting)
            self.desired = min(self.fleet.maximum, self.alive + lacking)
        while self.alive < self.desired:
            self.alive += 1
            self.starting += 1
            cold = self.fleet.cold_start if delay is None else delay
            self.starts.append(self.env.now)
            self.ends.append(math.inf)
            self.processes.append(self.env.process(self.work(len(self.starts) - 1, cold)))

    def arrive(self):
        """Put each task into the queue when it arrives."""
        for task, time in enumerate(self.arrivals):
            yield self.env.timeout(time - self.env.now)
            self.queue.append(task)
            self.fill()

    def work(self, worker: int, cold: float):
        """The life of a worker: cold, idle or busy, and gone."""
        yield self.env.timeout(cold)
        self.starting -= 1
        life = self.lives[worker % len(self.lives)]
        if life != math.inf:
            self.env.process(self.take_away(worker, life))
        while self.ends[worker] == math.inf:
            call = self.called[worker] = self.env.event()
            self.idle.append(worker)
            self.fill()
            try:
                task = yield call
            except simpy.Interrupt:
                return
            yield from self.do(worker, task)
            if self.fleet.policy == "task" and self.ends[worker] == math.inf:
                self.end(worker)
                self.fill()

    def do(self, worker: int, task: int):
        """Work on a task until it is done, or until Spot takes the worker."""
        since = self.env.now
        self.busy += 1
        if math.isnan(self.begin[task]):
            self.begin[task] = since
        try:
            yield self.env.timeout(self.left[task])
            self.finish[task] = self.env.now
            self.worked += self.env.now - since
            self.waited_for -= 1
            if not self.waited_for:
                self.over.succeed()
        except simpy.Interrupt:
            spent = self.env.now - since
            self.worked += spent
            self.left[task] -= self.saved(spent)
            self.queue.insert(0, task)
        self.busy -= 1

    def saved(self, spent: float) -> float:
        """How much of `spent` seconds of work an interruption leaves."""
        each = self.fleet.checkpoint
        if each is None:
            return 0.0
        return spent if each == 0 else math.floor(spent / each) * each

    def take_away(self, worker: int, life: float):
        """Spot takes the worker after `life` seconds, idle or busy."""
        yield self.env.timeout(life)
        if self.ends[worker] == math.inf:
            self.interruptions += 1
            self.end(worker)
            if worker in self.idle:
                self.idle.remove(worker)
            self.processes[worker].interrupt()
            # The task comes back to the queue before anything else happens at this instant.
            yield self.env.timeout(0)
            self.fill()

    def end(self, worker: int) -> None:
        self.ends[worker] = self.env.now
        self.alive -= 1

    def scale(self):
        """Each period, ask for as many workers as the policy says; end idle ones."""
        high = low = 0
        fleet = self.fleet
        while True:
            yield self.env.timeout(fleet.period)
            wanted = self.desired
            if fleet.policy == "backlog":
                wanted = math.ceil((len(self.queue) + self.busy) / fleet.target)
            else:
                ready = self.alive - self.starting
                used = self.busy / ready if ready else 0.0
                high = high + 1 if used > fleet.target else 0
                low = low + 1 if ready and used < fleet.target * LOW_PART else 0
                if high >= HIGH_SAMPLES or low >= LOW_SAMPLES:
                    wanted = math.ceil(ready * used / fleet.target)
                    if high >= HIGH_SAMPLES:
                        wanted = max(wanted, self.desired)
            self.desired = min(max(wanted, fleet.minimum), fleet.maximum)
            while self.alive > self.desired and self.idle:
                oldest = self.idle.pop(0)
                self.end(oldest)
                self.processes[oldest].interrupt()
            self.desired = max(self.desired, self.alive)
            self.fill()


def simulate(
    arrivals, durations, fleet: Fleet, seed: int = 0, *, horizon: float = 7 * 86_400.0
) -> Result:
    """Simulate as `fleet.simulate` does, in SimPy."""
    arrived, work = checked(arrivals, durations)
    model = _Fleet(arrived, work, fleet, seed)
    if len(arrived):
        model.env.run(until=model.env.any_of([model.over, model.env.timeout(horizon)]))
    ends = np.minimum(np.array(model.ends), model.env.now)
    return Result(
        arrived,
        work,
        model.begin,
        model.finish,
        np.array(model.starts),
        ends,
        model.worked,
        model.interruptions,
    )
