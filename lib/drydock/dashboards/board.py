"""What the boards of a lesson have in common: controls, a line of words, a picture, their code."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

import ipywidgets
from matplotlib import rc_context

from drydock.charts import Chart
from drydock.model.prices import Bill, region

LABEL = {"description_width": "7.5em"}  # the longest label in one line
WIDTH = "24em"


class Board(ipywidgets.VBox):
    """Controls above words and a picture that follow them.

    A board has `words()`, `chart()`, `bills()`, its `assumptions`, and `code`: plain code that
    gives the same figures, shown by a button. `others` are controls for rarer wishes, behind a
    button, too.
    """

    assumptions: str
    code: str

    def __init__(self, controls: Sequence, others: Sequence = ()):
        self._words, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        self._picture = self._frame()
        self._code = ipywidgets.HTML(layout={"display": "none"})
        for control in (*controls, *others):
            control.observe(self._redraw, "value")
        rows, buttons = [_row(controls)], []
        if others:
            rows.append(_row(others))
            rows[1].layout.display = "none"
            buttons.append(_opener("more", rows[1]))
        buttons.append(_opener("code", self._code))
        parts = (*rows, ipywidgets.HBox(buttons), self._code)
        super().__init__([*parts, self._words, self._picture, self._said])
        self._redraw()

    def words(self) -> str:
        """Return what the setting comes to, in one line."""
        raise NotImplementedError

    def chart(self) -> Chart:
        """Draw the setting."""
        raise NotImplementedError

    def bills(self) -> Iterable[Bill]:
        """Return the bills that the figures are made of; a board without any says so itself."""
        return ()

    def _frame(self) -> ipywidgets.Widget:
        return ipywidgets.Image(format="svg+xml", width=800)

    def _picture_now(self) -> bytes | str:
        return _svg(self.chart())

    def _redraw(self, change=None) -> None:
        self._words.value = f"<p><b>{escape(self.words())}</b></p>"
        self._picture.value = self._picture_now()
        said = f"{self.assumptions} {priced(self.bills())}"
        self._said.value = f"<p><small>{escape(said)}</small></p>"
        self._code.value = f"<pre>{escape(self.code)}</pre>"

    def _static(self) -> dict[str, str]:
        return {"image/png": base64.b64encode(self.chart()._repr_png_()[0]).decode()}

    def _repr_mimebundle_(self, **options):
        """Add the picture itself, for pages that show notebooks without a kernel."""
        return super()._repr_mimebundle_(**options) | self._static()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.words()})"


def priced(bills: Iterable[Bill]) -> str:
    """Return region and days of the prices that bills are made of, "" for no bills."""
    days = sorted({line.price.date for bill in bills for line in bill.lines})
    if not days:
        return ""
    read = days[0] if len(days) == 1 else f"between {days[0]} and {days[-1]}"
    return f"Prices of {region()}, read {read}; each with its page in data/prices.json."


def slider(name: str, value: int, low: int, high: int, step: int = 1) -> ipywidgets.IntSlider:
    """A slider that answers when it is let go, or by Home, End, Page Up, Page Down and its number.

    The arrow keys are JupyterLab's while the notebook is in command mode.
    """
    return ipywidgets.IntSlider(
        value,
        low,
        high,
        step,
        description=name,
        continuous_update=False,
        style=LABEL,
        layout={"width": WIDTH},
    )


def menu(name: str, options, value=None) -> ipywidgets.Dropdown:
    options = list(options)
    return ipywidgets.Dropdown(
        options=options,
        value=value or options[0],
        description=name,
        style=LABEL,
        layout={"width": WIDTH},
    )


def _row(controls: Sequence) -> ipywidgets.HBox:
    return ipywidgets.HBox(controls, layout={"flex_flow": "row wrap"})


def _opener(name: str, what: ipywidgets.Widget) -> ipywidgets.ToggleButton:
    """A button that shows and hides `what`."""
    button = ipywidgets.ToggleButton(description=name, layout={"width": "6em"})

    def turn(change) -> None:
        what.layout.display = None if change["new"] else "none"

    button.observe(turn, "value")
    return button


def _svg(chart: Chart) -> bytes:
    """Draw in half the time of a PNG that is as sharp: the browser draws the letters."""
    drawn = io.BytesIO()
    with rc_context({"svg.fonttype": "none"}):
        chart.savefig(drawn, format="svg")
    return drawn.getvalue()
