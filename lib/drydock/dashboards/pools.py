"""How many connections a pool needs, and whether the database has as many: Little's law."""

import base64
from dataclasses import dataclass

import ipywidgets

from drydock import connect_charts
from drydock.charts import Chart
from drydock.model.databases import max_connections
from drydock.model.queueing import Queue, in_system

PART = 0.95  # of the queries, whose wait is told
MORE = 6  # sizes that are drawn beyond the least


@dataclass(frozen=True)
class Pooling:
    """Tasks that each have a pool of `size` connections to an instance of a class.

    `rate` is queries a second of one task, `seconds` the time of one query.
    """

    instance_class: str
    tasks: int
    size: int
    rate: float
    seconds: float

    @property
    def busy(self) -> float:
        """Connections of one task that are busy on average."""
        return in_system(self.rate, self.seconds)

    @property
    def wanted(self) -> int:
        """Connections that all tasks may open together."""
        return self.tasks * self.size

    @property
    def allowed(self) -> int:
        return max_connections(self.instance_class)

    def wait(self, size: int) -> float | None:
        """The seconds that 95 % of queries wait at most in a pool of `size`; None: for ever."""
        if self.busy >= size:
            return None
        return Queue(self.rate, self.seconds, size).wait_at(PART)

    def words(self) -> str:
        """What the choice comes to, in one line."""
        wait = self.wait(self.size)
        waiting = (
            f"a pool of {self.size} cannot keep up with {self.busy:.1f} busy connections"
            if wait is None
            else f"95 % of queries wait {wait * 1000:.0f} ms at most"
        )
        fits = "fit" if self.wanted <= self.allowed else "do NOT fit"
        return (
            f"{waiting}; {self.tasks} x {self.size} = {self.wanted} connections {fits} into the "
            f"{self.allowed} of {self.instance_class}"
        )

    def chart(self) -> Chart:
        """Draw the wait by the size of the pool, from the least that keeps up."""
        least = int(self.busy) + 1
        sizes = list(range(least, max(least + MORE, self.size) + 1))
        waits = [self.wait(size) * 1000 for size in sizes]
        return connect_charts.waits(sizes, waits, self.size, self.busy)


class PoolBoard(ipywidgets.VBox):
    """Sliders for tasks, pool, queries and their time. `board.value` is the Pooling shown."""

    def __init__(self, instance_class: str):
        self._class = instance_class
        self.tasks = _slider("tasks", 10, 1, 100)
        self.size = _slider("pool size", 4, 1, 30)
        self.rate = _slider("queries/s", 40, 1, 200)
        self.milliseconds = _slider("ms each", 50, 1, 200)
        self._words = ipywidgets.HTML()
        self._picture = ipywidgets.Image(format="png", width=800)
        controls = (self.tasks, self.size, self.rate, self.milliseconds)
        for control in controls:
            control.observe(self._redraw, "value")
        box = ipywidgets.HBox(controls, layout={"flex_flow": "row wrap"})
        super().__init__([box, self._words, self._picture])
        self._redraw()

    @property
    def value(self) -> Pooling:
        """The pools for what the sliders say now."""
        return Pooling(
            self._class,
            self.tasks.value,
            self.size.value,
            self.rate.value,
            self.milliseconds.value / 1000,
        )

    def _redraw(self, change=None) -> None:
        self._words.value = f"<p><b>{self.value.words()}</b></p>"
        self._picture.value = self.value.chart()._repr_png_()[0]

    def _repr_mimebundle_(self, **options):
        """Add the picture itself, for pages that show notebooks without a kernel."""
        picture = base64.b64encode(self._picture.value).decode()
        return super()._repr_mimebundle_(**options) | {"image/png": picture}

    def __repr__(self) -> str:
        return f"PoolBoard({self.value.words()})"


def _slider(name: str, value: int, low: int, high: int) -> ipywidgets.IntSlider:
    return ipywidgets.IntSlider(value, low, high, description=name, continuous_update=False)
