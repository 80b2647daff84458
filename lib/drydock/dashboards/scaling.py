"""The autoscaling simulator: a day of tasks, and the fleet that a policy makes of it."""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from drydock import tune_charts
from drydock.charts import Chart
from drydock.dashboards.board import Board, menu, slider
from drydock.model import fargate
from drydock.model.prices import Bill
from drydock.model.simulation import Fleet, Result, day_of_arrivals, durations, simulate

DAY = [20] * 7 + [200, 400, 400, 300, 200, 200, 200, 200, 200, 300, 400, 200] + [20] * 5
MEAN_SECONDS, SPREAD, SEED = 60, 0.5, 7
POLICIES = {
    "fixed": lambda most, cold: Fleet("fixed", most, most),
    "backlog": lambda most, cold: Fleet("backlog", 0, most, cold_start=cold, target=4),
    "target 60 %": lambda most, cold: Fleet("target", 1, most, cold_start=cold, target=0.6),
    "a task each": lambda most, cold: Fleet("task", 0, most, cold_start=cold),
}


def day() -> tuple[np.ndarray, np.ndarray]:
    """Arrivals and durations of the lesson's day, in seconds: quiet nights, two rush hours."""
    arrivals = day_of_arrivals(DAY, SEED)
    return arrivals, durations(len(arrivals), MEAN_SECONDS, SPREAD, SEED)


def bill(result: Result) -> Bill:
    """Return the bill of its workers on Fargate, 1 vCPU and 2 GB each."""
    return fargate.run_cost([worker.seconds for worker in result.workers()], 1, 2)


def dollars(result: Result) -> Decimal:
    """Return what its workers cost: the total of `bill`."""
    return bill(result).total()


class ScalingBoard(Board):
    """Controls for policy, most workers, cold start. `board.value` is the simulated Result."""

    def __init__(self):
        self._day = day()
        self.policy = menu("policy", POLICIES, "backlog")
        self.most = slider("most workers", 40, 4, 200)
        self.cold = slider("cold start s", 60, 0, 300, 10)
        self.assumptions = (
            f"Simulated, seed {SEED}: {len(self._day[0]):,} tasks of {MEAN_SECONDS} s on average. "
            "Workers of 1 vCPU and 2 GB on Fargate, billed from their start."
        )
        super().__init__((self.policy, self.most, self.cold))

    @property
    def value(self) -> Result:
        fleet = POLICIES[self.policy.value](self.most.value, self.cold.value)
        return simulate(*self._day, fleet, SEED)

    def words(self) -> str:
        result = self.value
        wait = np.percentile(result.waits, 95)
        return (
            f"{self.policy.value}: 95 % of tasks wait {wait:,.0f} s at most; workers busy "
            f"{result.utilization:.0%}; ${dollars(result):.2f} a day (simulated)"
        )

    def bills(self) -> Iterable[Bill]:
        return (bill(self.value),)

    def chart(self) -> Chart:
        return tune_charts.scaling_day({self.policy.value: self.value})

    @property
    def code(self) -> str:
        return f"""\
from drydock.dashboards.scaling import POLICIES, day, dollars
from drydock.model.simulation import simulate

fleet = POLICIES["{self.policy.value}"]({self.most.value}, {self.cold.value})
result = simulate(*day(), fleet, {SEED})
result.utilization, dollars(result)"""
