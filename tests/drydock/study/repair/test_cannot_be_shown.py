"""A lab whose trouble this machine cannot make says so, and harms nothing."""

import pytest

from drydock import cloud
from drydock.lab import open_lab
from drydock.study import repair


def test_disk_full_says_in_one_line_that_a_task_has_no_disk_of_its_own(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # where there is no mkfs.ext4
    monkeypatch.setenv("DRYDOCK_HOME", str(home))
    cloud.start(home, port=0)
    lab = open_lab()
    with pytest.raises(repair.CannotBeShown) as told:
        repair.start(lab, "disk_full")
    assert "needs root on Linux" in str(told.value)
    assert "\n" not in str(told.value)
    assert repair.clean_up(lab) == []
