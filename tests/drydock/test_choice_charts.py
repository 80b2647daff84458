"""The charts of lesson 8 show the model's numbers, and the board what its controls say."""

from drydock import choice_charts
from drydock.dashboards import ChoiceBoard
from drydock.dashboards.choosing import words
from drydock.model.choice import Job, verdict, verdicts


def labels(chart):
    return [one.get_text() for axes in chart.axes for one in axes.texts]


def test_each_possible_way_has_its_price_and_each_other_one_its_reason():
    job = Job(vcpu=4, memory_gb=12, seconds=600, runs=60, gpus=1, own_image=True)
    chart = choice_charts.month_by_way(job)
    shown = labels(chart)[::-1]
    for text, one in zip(shown, verdicts(job), strict=True):
        assert (f"${one.month:,.2f}" if one.possible else one.against[0]) in text
    assert [one.get_text() for one in chart.axes[0].get_yticklabels()][::-1] == [
        one.way for one in verdicts(job)
    ]
    assert "Computed" in chart.get_supxlabel()


def test_a_job_that_nothing_can_run_is_drawn_all_the_same():
    job = Job(gpus=9, language="Rust")
    assert all(" no: " in text for text in labels(choice_charts.month_by_way(job)))
    assert words(job) == "none of 11 ways can run this job"


def test_a_line_goes_through_the_months_of_the_model():
    job = Job(vcpu=8, memory_gb=32, seconds=3600, runs=30, spark=True)
    chart = choice_charts.month_by_runs(job, ["Glue Spark", "EKS on EC2"], [1, 30])
    for line in chart.axes[0].lines:
        assert line.get_ydata()[1] == float(verdict(job, line.get_label()).month)


def test_the_board_shows_what_its_controls_say():
    board = ChoiceBoard()
    before = board._picture.value
    assert "begin the argument with Lambda" in repr(board)
    board.minutes.value, board.gpus.value = 20, 1
    assert board.value == Job(vcpu=1, memory_gb=2, seconds=1200, runs=30, gpus=1)
    assert "begin the argument with AWS Batch on EC2" in board._words.value
    assert board._picture.value != before
    assert "image/png" in board._repr_mimebundle_()
