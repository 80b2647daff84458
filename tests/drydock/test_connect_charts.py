"""The stored measurements of lesson 5, and the charts of them."""

from drydock import connect_charts


def test_reads_are_ratios_to_copy_on_a_named_machine_and_day():
    told, reads = connect_charts.measured(), connect_charts.reads()
    assert "cores" in told["machine"]
    assert told["date"] and told["source"]
    assert reads.loc[reads["way"] == "copy", "times_copy"].item() == 1
    assert list(reads["times_copy"]) == sorted(reads["times_copy"])
    assert set(connect_charts.SHOWN) <= set(reads["way"])


def test_the_chart_of_speed_draws_every_way_with_its_memory_and_the_machine():
    chart, reads = connect_charts.speed(), connect_charts.reads()
    (axes,) = chart.axes
    assert sorted(bar.get_width() for bar in axes.patches) == list(reads["times_copy"])
    texts = {text.get_text() for text in axes.texts}
    assert {f"{row.times_copy:.1f} x, {row.peak_mb:,} MB" for row in reads.itertuples()} == texts
    assert connect_charts.measured()["machine"] in chart.get_supxlabel()


def test_the_chart_of_memory_puts_fetchall_last():
    (axes,) = connect_charts.memory().axes
    found = connect_charts.fetches()
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == "fetchall()"
    for line, way in zip(axes.lines, ("odbc", "psycopg"), strict=True):
        assert line.get_ydata()[-1] == found.loc[0, way]
        assert line.get_ydata()[0] == found.loc[1000, way]


def test_losses_tell_value_driver_and_what_is_lost():
    lost = connect_charts.losses()
    assert len(lost) >= 5
    assert not set(lost["driver"]) & set(connect_charts.SHOWN)  # our own paths lose nothing
    assert lost.notna().all().all()


def test_storms_tell_that_the_proxy_serves_whom_the_database_refuses():
    told, storms = connect_charts.measured_storms(), connect_charts.storms()
    assert "cores" in told["machine"] and told["date"] and told["source"]
    assert list(storms["clients"]) == [200, 200]
    direct, proxy = storms.loc["direct"], storms.loc["through RDS Proxy"]
    assert direct["served"] + direct["refused"] == 200
    assert direct["refused"] > 0
    assert (proxy["served"], proxy["refused"]) == (200, 0)
    assert proxy["connections"] <= 112 * told["max_connections_percent"] // 100
    for one in told["storms"]:
        assert len(one["waits"]) == one["served"]
        assert one["waits"] == sorted(one["waits"])


def test_the_chart_of_the_storm_ends_at_those_who_were_served():
    chart = connect_charts.storm()
    (axes,) = chart.axes
    ends = [line.get_ydata()[-1] for line in axes.lines]
    assert ends == list(connect_charts.storms()["served"])
    assert connect_charts.measured_storms()["machine"] in chart.get_supxlabel()
