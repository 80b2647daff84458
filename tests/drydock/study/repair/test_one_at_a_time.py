"""A learner has one lab open: the next one takes its place."""

import pytest

from drydock import cloud
from drydock.lab import open_lab
from drydock.study import repair
from drydock.study.repair.registry import open_cases


def test_starting_a_lab_removes_the_one_before(home, monkeypatch):
    monkeypatch.setenv("DRYDOCK_HOME", str(home))
    cloud.start(home, port=0)
    lab = open_lab()
    repair.start(lab, "wrong_size")
    case = repair.start(lab, "out_of_memory")
    assert [case.name for case in open_cases(lab)] == ["out_of_memory"]

    with pytest.raises(repair.CannotBeShown, match=r"is still [A-Z]+ after 0 s.*repair\.start"):
        case.launch(seconds=0)  # as on a machine that is too busy
    assert repair.clean_up(lab) == ["out_of_memory"]
    assert open_cases(lab) == []
