"""The task-size tuner: time and cost of the measured ETL task at another size."""

from collections.abc import Iterable
from decimal import Decimal

from drydock import tune_charts
from drydock.charts import Chart
from drydock.dashboards.board import Board, menu, slider
from drydock.model import fargate
from drydock.model.prices import Bill
from drydock.model.throughput import TaskTime

VCPU = ("0.25", "0.5", "1", "2", "4")
DRAWN = (("0.25", "0.5"), ("0.5", "1"), ("1", "2"), ("2", "4"), ("4", "8"))  # vCPU, GB
USES_VCPU = 1  # the program computes in one thread


class SizeBoard(Board):
    """Controls for vCPU, memory and millions of rows. `board.value` is (seconds, dollars).

    `law` is the fitted time of a task of `rows` rows, `peak_mib` the memory that it needs.
    """

    def __init__(self, law: TaskTime, rows: int, peak_mib: float, where: str):
        self._law, self._rows, self._peak, self._where = law, rows, peak_mib, where
        self.vcpu = menu("vCPU", VCPU, "1")
        self.gigabytes = menu("memory GB", ("0.5", "1", "2", "4", "8"), "2")
        self.millions = slider("million rows", 10, 1, 100)
        self.assumptions = (
            f"Time: a law, fitted to what was measured on {where}, one thread. Memory: one year of "
            "rows at a time. Fargate without addresses; a minute is billed at least."
        )
        super().__init__((self.vcpu, self.gigabytes, self.millions))

    @property
    def value(self) -> tuple[float, Decimal] | None:
        """Seconds and dollars of one task that does it all, None for a size that there is not."""
        return self._of(self.vcpu.value, self.gigabytes.value)

    def _of(self, vcpu: str, gigabytes: str) -> tuple[float, Decimal] | None:
        seconds = self._seconds(vcpu)
        try:
            return seconds, fargate.run_cost([seconds], vcpu, gigabytes).total()
        except ValueError:
            return None

    def _seconds(self, vcpu: str) -> float:
        parts = self.millions.value * 1_000_000 / self._rows
        used = min(float(vcpu), USES_VCPU)
        return self._law.fixed + parts * self._law.work / used

    def bills(self) -> Iterable[Bill]:
        return [fargate.run_cost([self._seconds(size[0])], *size) for size in DRAWN]

    def words(self) -> str:
        found, size = self.value, f"{self.vcpu.value} vCPU with {self.gigabytes.value} GB"
        if found is None:
            return f"Fargate has no size of {size}"
        if float(self.gigabytes.value) * 1024 < self._peak:
            return f"{size}: out of memory, the task needs {self._peak:.0f} MiB"
        seconds, dollars = found
        each = dollars / self.millions.value * 100
        return f"{size}: {seconds:,.0f} s, ${dollars:.4f}; {each:.4f} cents a million rows"

    def chart(self) -> Chart:
        points = {f"{size[0]} vCPU": self._of(*size) for size in DRAWN}
        each = {
            name: (seconds / self.millions.value, dollars / self.millions.value)
            for name, (seconds, dollars) in points.items()
        }
        return tune_charts.pareto_front(each, self._where)

    @property
    def code(self) -> str:
        return f"""\
from drydock.model import fargate

parts = {self.millions.value} * 1_000_000 / {self._rows}
seconds = {self._law.fixed:.4f} + parts * {self._law.work:.4f} / min({self.vcpu.value}, {USES_VCPU})
fargate.run_cost([seconds], "{self.vcpu.value}", "{self.gigabytes.value}").total()"""
