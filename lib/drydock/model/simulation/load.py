"""A day's load, drawn from a seed: when tasks arrive, and how long each of them works."""

import numpy as np

DAY = 86_400


def day_of_arrivals(tasks_per_hour, seed: int) -> np.ndarray:
    """Return arrival times in seconds, sorted, for a rate of tasks in each hour from midnight.

    Within an hour tasks arrive at random (a Poisson process): their number is drawn as well.
    """
    rates = np.asarray(tasks_per_hour, dtype=float)
    if rates.ndim != 1 or not len(rates) or not np.all((rates >= 0) & np.isfinite(rates)):
        raise ValueError("tasks_per_hour: type one number from 0 up for each hour")
    luck = np.random.default_rng(seed)
    hours = np.repeat(np.arange(len(rates)), luck.poisson(rates))
    return np.sort(3600.0 * (hours + luck.random(len(hours))))


def durations(count: int, mean: float, spread: float, seed: int) -> np.ndarray:
    """Return how many seconds each of `count` tasks works: log-normal, never below 0.

    `spread` is the standard deviation as a part of the mean; 0 makes all equal.
    """
    if not (mean > 0 and spread >= 0):
        raise ValueError("mean must be above 0 and spread not negative: type for instance 60, 0.3")
    variance = np.log1p(spread**2)
    luck = np.random.default_rng([seed, 1])
    return luck.lognormal(np.log(mean) - variance / 2, np.sqrt(variance), count)
