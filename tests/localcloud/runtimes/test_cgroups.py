"""What is written to control groups of version 2, on a directory that stands in for them.

Version 1 is what the tests of processes run on where it is there; few machines have both.
"""

from localcloud.runtimes.cgroups import Group, note, noted


def version_2(path):
    return Group(2, path, path, path)


def test_limits_are_written_in_version_2s_words(tmp_path):
    group = version_2(tmp_path).child("task", cpu=0.25, memory=64 << 20)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory"
    assert (tmp_path / "task" / "cpu.max").read_text() == "25000 100000"
    assert (tmp_path / "task" / "memory.max").read_text() == str(64 << 20)
    assert (tmp_path / "task" / "memory.swap.max").read_text() == "0"
    assert group.procs_files == [tmp_path / "task" / "cgroup.procs"]
    inner = group.child("main")
    assert not (inner.cpu / "cpu.max").exists()


def test_figures_are_read_in_version_2s_words(tmp_path):
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("anon 1000\ninactive_file 500\n")
    (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    group = version_2(tmp_path)
    assert group.cpu_seconds() == 1.5
    assert group.memory_bytes() == 2500
    assert group.out_of_memory_kills() == 1


def test_a_group_is_found_again_by_its_note(tmp_path):
    group = version_2(tmp_path / "group")
    note(group, tmp_path / "note")
    assert noted(tmp_path / "note") == group
    assert noted(tmp_path / "none") is None
    (tmp_path / "note").write_text("{")
    assert noted(tmp_path / "note") is None
