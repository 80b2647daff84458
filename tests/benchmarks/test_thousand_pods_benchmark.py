"""The benchmark of a thousand pods, with few: every pod runs, every batch is told."""

from thousand_pods import Row, measure, shown


def test_each_batch_is_measured():
    rows = measure(7, batch=4)
    assert [row.pods for row in rows] == [4, 7]
    assert all(row.seconds_a_pod > 0 and row.megabytes > 0 and row.threads > 0 for row in rows)


def test_a_row_is_told_in_figures_of_one_pod():
    told = shown(Row(200, 0.05, 0.01, 300.0, 40))
    assert "50.0 ms a pod" in told and "50.0 us a pod" in told and "300.0 MB" in told
