"""The pipeline's bill: what a month costs by service, and what a change of its load does."""

from collections.abc import Iterable

from drydock import tune_charts
from drydock.charts import Chart
from drydock.dashboards.board import Board, menu, slider
from drydock.model import pipeline_month
from drydock.model.pipeline_month import Pipeline
from drydock.model.prices import Bill

DATABASES = ("db.t4g.micro", "db.t4g.small", "db.m6g.large")


class BillBoard(Board):
    """Controls for the load of the pipeline. `board.value` is the Pipeline that they describe."""

    assumptions = (
        "A month of 30 days. The API is two tasks of 0.5 vCPU behind a load balancer and an HTTP "
        "API, all month; ETL tasks have 1 vCPU and 2 GB."
    )

    def __init__(self):
        self.tasks = slider("tasks a day", 12, 1, 500)
        self.seconds = slider("seconds each", 60, 10, 3600, 10)
        self.millions = slider("API million", 1, 0, 300)
        self.database = menu("database", DATABASES)
        self.network = menu("network", ("S3 endpoint", "NAT gateway"))
        super().__init__((self.tasks, self.seconds, self.millions, self.database, self.network))

    @property
    def value(self) -> Pipeline:
        return Pipeline(
            tasks=self.tasks.value,
            seconds=self.seconds.value,
            requests=self.millions.value * 1_000_000,
            instance_class=self.database.value,
            nat=self.network.value == "NAT gateway",
        )

    def words(self) -> str:
        bills = pipeline_month.month(self.value)
        first = max(bills, key=lambda name: bills[name].total())
        total = pipeline_month.total(self.value)
        return f"${total:,.2f} a month; the largest part is {first}: ${bills[first].total():,.2f}"

    def bills(self) -> Iterable[Bill]:
        return pipeline_month.month(self.value).values()

    def chart(self) -> Chart:
        return tune_charts.breakdown(pipeline_month.month(self.value))

    @property
    def code(self) -> str:
        return f"""\
from drydock.model.pipeline_month import Pipeline, total

total({self.value!r})"""
