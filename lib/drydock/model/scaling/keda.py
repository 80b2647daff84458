"""KEDA: scaled objects (to zero and back, then the HPA) and scaled jobs.

Source: kedacore/keda-docs, 2.21 (scaling deployments, scaling jobs, the SQS scaler). Where its
table of the eager strategy contradicts the formula of the default one, the formula counts here.
"""

import math

from drydock.model.scaling.hpa import Tolerance, object_average_replicas

STRATEGIES = ("default", "custom", "accurate", "eager")


def sqs_messages(
    visible: int,
    in_flight: int = 0,
    delayed: int = 0,
    *,
    count_in_flight: bool = True,
    count_delayed: bool = False,
) -> int:
    """Return the metric of the SQS scaler: what waits, and by default what is being worked on."""
    return visible + in_flight * count_in_flight + delayed * count_delayed


def replicas(
    metric: float,
    target: float,
    *,
    current: int,
    activation: float = 0,
    minimum: int = 0,
    maximum: int = 100,
    idle_seconds: float = 0,
    cooldown: float = 300,
    tolerance: Tolerance | None = None,
) -> int:
    """Return the replicas of a scaled object with one metric.

    From 0 to 1 and back is KEDA's: active while the metric is above `activation`, and to
    `minimum` once it has been inactive for more than `cooldown` seconds (`idle_seconds` so far).
    From 1 up it is the HPA's, with `target` per replica. Stabilisation is left to `hpa_behavior`.
    """
    if not 0 <= minimum <= maximum:
        raise ValueError(f"minimum {minimum} and maximum {maximum}: type 0 <= minimum <= maximum")
    if metric <= activation:
        if minimum == 0 and (current == 0 or idle_seconds > cooldown):
            return 0
    elif current == 0:
        return max(minimum, 1)
    wanted = object_average_replicas(max(current, 1), metric, target, tolerance=tolerance)
    return min(max(wanted, minimum, 1), maximum)


def new_jobs(
    queue: float,
    target: float,
    *,
    running: int = 0,
    pending: int = 0,
    maximum: int = 100,
    strategy: str = "default",
    deduction: int = 0,
    running_part: float = 0,
) -> int:
    """Return how many jobs a scaled job starts now.

    `running` are all unfinished jobs, `pending` those of them that have not started; `deduction`
    and `running_part` (0 to 1) belong to the strategy "custom".
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy {strategy!r} is unknown: type one of {', '.join(STRATEGIES)}")
    if not target > 0:
        raise ValueError(f"target is {target}: type a number above 0")
    scale = min(maximum, math.ceil(queue / target))
    if strategy == "default":
        wanted = scale - running
    elif strategy == "custom":
        wanted = min(scale - deduction - int(running * running_part), maximum)
    elif strategy == "accurate":
        wanted = maximum - running if scale + running > maximum else scale - pending
    else:
        wanted = min(maximum - running - pending, scale)
    return max(wanted, 0)
