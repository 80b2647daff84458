"""What a fleet is, and what a simulated day of it gives."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drydock.model.simulation import engine

POLICIES = {"fixed": 0, "backlog": 1, "target": 2, "task": 3}


@dataclass(frozen=True)
class Fleet:
    """Workers that take tasks from one queue, first come first served. Times in seconds.

    A worker (an ECS task, a pod, an instance) is asked for, is cold for `cold_start` (image pull,
    network interface, node launch), and then does one task after the other. `policy`:

    - "fixed": `minimum` workers from the start, ready at once;
    - "backlog": each `period`, as many as tasks in the system divided by `target` (KEDA's queue
      rule, and AWS's "backlog per instance");
    - "target": target tracking of the part of workers that are busy, `target` such as 0.6: three
      samples above it scale out, fifteen below 90 % of it scale in (see scaling/ecs.py);
    - "task": each task gets a worker of its own, as with RunTask or a Kubernetes Job.

    Only idle workers are ended. `interrupted_every` is the mean time after which Spot takes a
    worker away (0: never). Its task goes back to the head of the queue and goes on from its last
    checkpoint: one each `checkpoint` of work; 0 saves all at the notice, None saves nothing.
    """

    policy: str = "fixed"
    minimum: int = 1
    maximum: int = 100
    cold_start: float = 0.0
    target: float = 1.0
    period: float = 60.0
    interrupted_every: float = 0.0
    checkpoint: float | None = None

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(
                f"policy {self.policy!r} is unknown: type one of {', '.join(POLICIES)}"
            )
        if not 0 <= self.minimum <= self.maximum or self.maximum < 1:
            raise ValueError(
                f"minimum {self.minimum} and maximum {self.maximum}: type 0 <= minimum <= maximum"
            )
        if self.policy == "fixed" and self.minimum < 1:
            raise ValueError("a fixed fleet needs workers: type minimum=1 or more")
        if self.policy == "target" and self.minimum < 1:
            raise ValueError("with no worker there is no utilisation: type minimum=1 or more")
        for name in ("cold_start", "interrupted_every"):
            _check(name, getattr(self, name), 0.0)
        for name in ("target", "period"):
            _check(name, getattr(self, name), 1e-9)
        if self.checkpoint is not None:
            _check("checkpoint", self.checkpoint, 0.0)

    @property
    def saves_each(self) -> float:
        """The checkpoint as a number: infinite when nothing is saved."""
        return math.inf if self.checkpoint is None else float(self.checkpoint)

    def lives(self, seed: int) -> np.ndarray:
        """How long each worker lives, once ready, until Spot takes it: for workers in order."""
        if not self.interrupted_every:
            return np.array([math.inf])
        luck = np.random.default_rng([seed, 2])
        return luck.exponential(self.interrupted_every, engine.LIVES)


@dataclass(frozen=True)
class Worker:
    """One worker: asked for at `start`, gone at `end` (seconds). This is what is billed."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Result:
    """What a simulated day gave; all times in seconds, in arrays by task or by worker.

    `finish` is NaN for a task that did not finish within the horizon. `worked` is the time that
    workers were busy, what an interruption threw away included.
    """

    arrivals: np.ndarray
    durations: np.ndarray
    begin: np.ndarray
    finish: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    worked: float
    interruptions: int

    @property
    def label(self) -> str:
        return f"Simulated, not measured: {len(self.arrivals):,} tasks"

    @property
    def unfinished(self) -> int:
        return int(np.isnan(self.finish).sum())

    @cached_property
    def waits(self) -> np.ndarray:
        """From arrival to the first begin, of the tasks that have begun."""
        begun = ~np.isnan(self.begin)
        return self.begin[begun] - self.arrivals[begun]

    @cached_property
    def times(self) -> np.ndarray:
        """From arrival to the end, of the tasks that finished."""
        done = ~np.isnan(self.finish)
        return self.finish[done] - self.arrivals[done]

    @property
    def worker_seconds(self) -> float:
        """How long workers were there in all, cold or ready: what is billed before minimums."""
        return float((self.ends - self.starts).sum())

    @property
    def utilization(self) -> float:
        """The part of the workers' time in which they were busy."""
        return min(1.0, self.worked / self.worker_seconds) if self.worker_seconds else 0.0

    @property
    def redone(self) -> float:
        """Seconds of work that interruptions threw away."""
        done = ~np.isnan(self.finish)
        return max(0.0, self.worked - float(self.durations[done].sum())) if done.all() else math.nan

    def workers(self) -> list[Worker]:
        return [Worker(float(a), float(b)) for a, b in zip(self.starts, self.ends, strict=True)]

    def counts(self, step: float = 300.0) -> dict[str, np.ndarray]:
        """Return "time", tasks "waiting" and "workers" there, sampled each `step` seconds."""
        last = max(self.ends.max(initial=0.0), self.arrivals.max(initial=0.0))
        time = np.arange(0.0, last + step, step)

        def there(begins, ends):
            return np.searchsorted(np.sort(begins), time, "right") - np.searchsorted(
                np.sort(ends), time, "right"
            )

        begin = np.where(np.isnan(self.begin), math.inf, self.begin)
        return {
            "time": time,
            "waiting": there(self.arrivals, begin),
            "workers": there(self.starts, self.ends),
        }


def simulate(
    arrivals, durations, fleet: Fleet, seed: int = 0, *, horizon: float = 7 * 86_400.0
) -> Result:
    """Simulate `fleet` on tasks that arrive at `arrivals` (sorted) and work for `durations`.

    The same arguments give the same result. After `horizon` it stops, finished or not: on Spot, a
    task that is longer than its workers live and saves nothing would never finish.
    """
    arrived, work = checked(arrivals, durations)
    outcome = engine.run(
        arrived,
        work,
        POLICIES[fleet.policy],
        fleet.minimum,
        fleet.maximum,
        float(fleet.cold_start),
        float(fleet.target),
        float(fleet.period),
        fleet.lives(seed),
        fleet.saves_each,
        float(horizon),
    )
    return Result(arrived, work, *outcome)


def checked(arrivals, durations) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays of floats; ValueError says what is wrong with them."""
    arrived, work = np.asarray(arrivals, dtype=float), np.asarray(durations, dtype=float)
    if arrived.ndim != 1 or arrived.shape != work.shape:
        raise ValueError("arrivals and durations: type two lists of the same length")
    if not (
        np.all(np.isfinite(arrived)) and np.all(arrived >= 0) and np.all(np.diff(arrived) >= 0)
    ):
        raise ValueError("arrivals: type numbers from 0 up, the earliest first")
    if not (np.all(np.isfinite(work)) and np.all(work > 0)):
        raise ValueError("durations: type numbers above 0")
    return arrived, work


def _check(name: str, value: float, least: float) -> None:
    if not (math.isfinite(value) and value >= least):
        raise ValueError(
            f"{name} is {value}: type a number {'from 0 up' if not least else 'above 0'}"
        )
