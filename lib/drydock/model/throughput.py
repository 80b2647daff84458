"""How throughput grows with parallelism: Amdahl's law and the Universal Scalability Law.

Sources: G. M. Amdahl, AFIPS 1967; N. J. Gunther, "Guerrilla Capacity Planning", 2007.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


def amdahl(workers: float, serial: float) -> float:
    """Return the speed-up of `workers` when the part `serial` (0 to 1) cannot be shared out."""
    _check_workers(workers)
    if not 0 <= serial <= 1:
        raise ValueError(f"serial is {serial}: type a part from 0 to 1")
    return 1 / (serial + (1 - serial) / workers)


@dataclass(frozen=True)
class TaskTime:
    """Amdahl's law in seconds: `fixed` whatever the size, and `work` seconds of one vCPU."""

    fixed: float
    work: float

    def seconds(self, vcpu: float) -> float:
        """Return the time of a task with `vcpu`; beyond what it can use it gets no shorter."""
        if not (vcpu > 0 and math.isfinite(vcpu)):
            raise ValueError(f"vcpu is {vcpu}: type a number above 0")
        return self.fixed + self.work / vcpu


def fit_task_time(vcpus: Sequence[float], seconds: Sequence[float]) -> TaskTime:
    """Fit `TaskTime` to measured sizes by least squares; ValueError below two different sizes."""
    points = [(1 / vcpu, time) for vcpu, time in zip(vcpus, seconds, strict=True)]
    middle = sum(x for x, _ in points) / max(1, len(points))
    spread = sum((x - middle) ** 2 for x, _ in points)
    if not spread:
        raise ValueError("one size tells nothing about another: measure at least two")
    mean = sum(time for _, time in points) / len(points)
    work = sum((x - middle) * (time - mean) for x, time in points) / spread
    return TaskTime(mean - work * middle, work)


@dataclass(frozen=True)
class Usl:
    """The Universal Scalability Law: throughput of one worker, contention, crosstalk.

    X(n) = rate * n / (1 + contention * (n - 1) + crosstalk * n * (n - 1)). Without crosstalk it is
    Amdahl's law with the contention as serial part; with it, throughput has a peak.
    """

    rate: float
    contention: float
    crosstalk: float

    def throughput(self, workers: float) -> float:
        """Return the throughput of `workers`, in the unit of `rate`."""
        _check_workers(workers)
        more = workers - 1
        return self.rate * workers / (1 + self.contention * more + self.crosstalk * workers * more)

    @property
    def peak(self) -> float:
        """The number of workers with the highest throughput; infinite without crosstalk."""
        if self.crosstalk == 0:
            return math.inf if self.contention < 1 else 1.0
        return max(1.0, math.sqrt(max(0.0, 1 - self.contention) / self.crosstalk))


@dataclass(frozen=True)
class Fit:
    """A fitted law, with an interval of each parameter and of what it predicts.

    `intervals` has (low, high) for "rate", "contention" and "crosstalk" at `confidence`.
    """

    law: Usl
    confidence: float
    intervals: dict[str, tuple[float, float]]
    covariance: tuple[tuple[float, ...], ...]
    t: float

    def interval(self, workers: float) -> tuple[float, float]:
        """Return the confidence interval of the mean throughput of `workers`."""
        slope = _gradient(self.law, workers)
        variance = sum(
            slope[i] * self.covariance[i][j] * slope[j] for i in range(3) for j in range(3)
        )
        middle, spread = self.law.throughput(workers), self.t * math.sqrt(max(0.0, variance))
        return max(0.0, middle - spread), middle + spread


def fit_usl(
    workers: Sequence[float], throughputs: Sequence[float], confidence: float = 0.95
) -> Fit:
    """Fit the law to measured points by least squares, all three parameters not negative.

    Intervals take the law as straight near the fit, with Student's t for the points beyond three;
    they are cut at 0. ValueError for fewer than four points or three different worker counts.
    """
    points = list(zip(workers, throughputs, strict=True))
    if len(points) < 4 or len({n for n, _ in points}) < 3:
        raise ValueError(
            f"{len(points)} points are too few: measure at least 4, at 3 different worker counts"
        )
    for n, rate in points:
        _check_workers(n)
        if not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"throughput is {rate}: type numbers above 0")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}: type a part between 0 and 1, such as 0.95")
    # Imported here: it takes a third of a second, and only this function needs it.
    import numpy as np
    from scipy import optimize, stats

    # Fitted in units of the largest throughput, so that one tolerance suits any unit.
    scale = max(rate for _, rate in points)
    start = max(rate / n for n, rate in points) / scale
    best, covariance = optimize.curve_fit(
        lambda n, rate, contention, crosstalk: (
            rate * n / (1 + contention * (n - 1) + crosstalk * n * (n - 1))
        ),
        np.array([n for n, _ in points], dtype=float),
        np.array([rate for _, rate in points], dtype=float) / scale,
        p0=(start, 0.01, 0.0001),
        bounds=(0, np.inf),
        x_scale=(start, 0.1, 0.01),
        ftol=1e-12,
        xtol=1e-12,
        gtol=1e-12,
        max_nfev=10_000,
    )
    units = np.array([scale, 1.0, 1.0])
    best, covariance = best * units, covariance * np.outer(units, units)
    t = float(stats.t.ppf((1 + confidence) / 2, len(points) - 3))
    law = Usl(*(float(value) for value in best))
    spread = t * np.sqrt(np.diag(covariance))
    names = ("rate", "contention", "crosstalk")
    return Fit(
        law,
        confidence,
        {
            name: (max(0.0, float(value - width)), float(value + width))
            for name, value, width in zip(names, best, spread, strict=True)
        },
        tuple(tuple(float(value) for value in row) for row in covariance),
        t,
    )


def _gradient(law: Usl, workers: float) -> tuple[float, float, float]:
    """How the throughput of `workers` changes with each of the three parameters."""
    whole = law.throughput(workers)
    more = workers - 1
    below = 1 + law.contention * more + law.crosstalk * workers * more
    return (
        workers / below,
        -whole * more / below,
        -whole * workers * more / below,
    )


def _check_workers(workers: float) -> None:
    if not (workers >= 1 and math.isfinite(workers)):
        raise ValueError(f"workers is {workers}: type a number from 1 up")
