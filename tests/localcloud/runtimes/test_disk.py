"""A sandbox with a disk of its own: it really fills up, and nothing of it stays behind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.runtimes import disk
from localcloud.runtimes.process import ProcessRuntime

GIB = 1 << 30


def allowed(folder: Path) -> bool:
    trial = folder / "trial"
    trial.mkdir()
    try:
        return disk.mount(trial, 1)
    finally:
        disk.unmount(trial)


@pytest.fixture
def root(tmp_path):
    if not allowed(tmp_path):
        pytest.skip("this machine lets nobody mount a file system: the disk has no limit here")
    folder = tmp_path / "tasks"
    folder.mkdir()
    yield folder
    disk.sweep(folder)


def reserve(file: Path, size: int) -> None:
    with file.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, size)


def mounts_below(folder: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]


def test_more_than_the_disk_holds_is_refused_and_less_is_not(root):
    runtime = ProcessRuntime(root)
    sandbox = runtime.sandbox("small", 1, 64, disk_gib=21)
    try:
        reserve(sandbox.directory / "fits", 15 * GIB)
        with pytest.raises(OSError) as refused:
            reserve(sandbox.directory / "does-not", 10 * GIB)
        assert refused.value.errno == errno.ENOSPC
    finally:
        sandbox.remove()
        runtime.close()
    assert list(root.iterdir()) == []
    assert mounts_below(root) == []


def test_a_full_disk_takes_next_to_nothing_of_this_machine(root):
    (root / "a").mkdir()
    disk.mount(root / "a", 30)
    reserve(root / "a" / "spill", 29 * GIB)
    taken = sum(file.stat().st_blocks * 512 for file in root.glob("*.disk"))
    assert taken < 64 << 20


def test_without_a_size_the_sandbox_has_no_disk_of_its_own(root):
    runtime = ProcessRuntime(root)
    sandbox = runtime.sandbox("plain", 1, 64)
    try:
        assert not os.path.ismount(sandbox.directory)
    finally:
        sandbox.remove()
        runtime.close()


def test_the_next_server_sweeps_away_what_a_killed_one_left(root):
    left = (
        "import sys, os, signal, pathlib; from localcloud.runtimes.process import ProcessRuntime;"
        "sandbox = ProcessRuntime(pathlib.Path(sys.argv[1])).sandbox('lost', 1, 64, 21);"
        "(sandbox.directory / 'file').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", left, str(root)], check=False)
    assert len(mounts_below(root)) == 1
    runtime = ProcessRuntime(root)
    runtime.sweep()
    assert mounts_below(root) == []
    assert [entry.name for entry in root.iterdir() if "lost" in entry.name] == []
    runtime.close()


def test_unmount_also_works_while_a_file_is_open(root):
    (root / "busy").mkdir()
    disk.mount(root / "busy", 21)
    with (root / "busy" / "open").open("wb"):
        disk.unmount(root / "busy")
        assert mounts_below(root) == []
