"""The charts of lesson 6 show what was measured, and the model's numbers."""

import pytest

from drydock import serving_charts
from drydock.load import Load
from drydock.model.serving import WAYS, Traffic, per_million


def test_latencies_are_those_of_the_load():
    quick = Load(seconds=[0.001 * n for n in range(1, 1001)], lasted=1.0)
    assert serving_charts.percentiles(quick)[0.5] == pytest.approx(500)
    chart = serving_charts.latencies({"closed": quick, "open": Load([2.0] * 10, lasted=1.0)})
    closed, opened = chart.axes[0].lines
    assert list(closed.get_ydata()) == list(serving_charts.percentiles(quick).values())
    assert set(opened.get_ydata()) == {2000.0}
    assert "Measured" in chart.get_supxlabel()


def test_a_line_for_each_way_goes_through_the_model():
    traffic = Traffic(requests=1)
    chart = serving_charts.million_by_requests(traffic, [10**6, 10**8])
    assert [line.get_label() for line in chart.axes[0].lines] == list(WAYS)
    for line in chart.axes[0].lines:
        wanted = float(per_million(line.get_label(), Traffic(requests=10**8)))
        assert line.get_ydata()[1] == wanted
    assert "Computed" in chart.get_supxlabel()
