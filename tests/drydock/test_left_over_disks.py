"""A task's own disk, left mounted by a killed server, is no obstacle to removing a home."""

from pathlib import Path

import pytest

from drydock import cloud
from localcloud.runtimes import disk


def test_removing_a_home_takes_off_the_disks_that_a_killed_server_left(home):
    folder = home / "tasks" / "lost"
    folder.mkdir(parents=True)
    if not disk.mount(folder, 21):
        pytest.skip("this machine lets nobody mount a file system")
    (folder / "file").write_text("x")
    cloud.remove(home)
    assert str(home) not in Path("/proc/mounts").read_text()
    assert not home.exists()
