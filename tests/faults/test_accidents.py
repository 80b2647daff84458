"""Things die in mid-run: one clear line, nothing lost or doubled, the next run works."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess

import psutil
import pytest
from commands import MONTHS, Command, ended
from live import processes_of, temporary_home, wait_for

from drydock import cloud
from drydock.errors import AnotherRun
from drydock.lab import CLUSTER
from drydock.pipeline import lookup_database
from drydock.pipeline.run import Watcher, only_run, run

ALL = [word for month in MONTHS for word in ("--month", month)]


def tasks(lab, status: str) -> list[str]:
    ecs = lab.client("ecs")
    try:
        arns = ecs.list_tasks(cluster=CLUSTER, family="drydock-etl")["taskArns"]
    except ecs.exceptions.ClusterNotFoundException:  # the run has just begun
        return []
    if not arns:
        return []
    found = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return [task["taskArn"] for task in found if task["lastStatus"] == status]


def started_run(command: Command, lab) -> subprocess.Popen:
    """A run of which at least one task is RUNNING."""
    process = command.start("run", "--no-notebook", *ALL)
    wait_for(lambda: tasks(lab, "RUNNING"), "a running task", 180)
    return process


def kernels(home) -> list[psutil.Process]:
    """Kernels whose notebook works on this home."""
    found = []
    for process in processes_of(home):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if "ipykernel_launcher" in process.cmdline():
                found.append(process)
    return found


def postmaster(home) -> psutil.Process:
    pid_file = home / "rds" / lookup_database.INSTANCE
    [found] = pid_file.rglob("postmaster.pid")
    return psutil.Process(int(found.read_text().splitlines()[0]))


def test_ctrl_c(command, lab, whole_again):
    whole_again()
    process = started_run(command, lab)
    process.send_signal(signal.SIGINT)
    ended(process).fails(130, "interrupted")
    assert tasks(lab, "RUNNING") == []
    whole_again()


def test_ctrl_c_while_the_notebook_is_executed(command, lab, whole_again):
    process = command.start("run", "--month", "2013-01")
    kernel = wait_for(lambda: kernels(command.home), "the notebook's kernel", 90)
    wait_for(lambda: tasks(lab, "RUNNING"), "a task of the notebook", 60)
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    stopped.fails(130, "interrupted")
    assert len(stopped.lines) == 1
    assert tasks(lab, "RUNNING") == []
    wait_for(lambda: not any(one.is_running() for one in kernel), "the end of the kernel")
    assert not (command.home / "runs" / "latest" / "01_pipeline.ipynb").exists()
    whole_again()


def test_the_run_itself_is_killed(command, lab, whole_again):
    process = started_run(command, lab)
    process.kill()
    process.communicate()
    whole_again()


def test_the_server_is_killed(command, lab, whole_again):
    process = started_run(command, lab)
    server = cloud.status(command.home)
    os.kill(server.pid, signal.SIGKILL)
    ended(process).fails(3, "local cloud stopped answering", "type: drydock run")
    wait_for(lambda: not processes_of(command.home), "the end of every process")
    whole_again()


def test_two_runs_at_once(command, lab, whole_again):
    whole_again()
    with only_run(lab.home):
        command.run(*ALL).fails(75, "another run works on this lab")
    whole_again()


def test_a_run_from_a_notebook_while_another_goes_on(command, lab, whole_again):
    process = started_run(command, lab)
    with pytest.raises(AnotherRun, match="another run works on this lab"):
        run(lab, ["2013-01"], Watcher())
    assert ended(process).code == 0
    assert run(lab, ["2013-01"], Watcher()).problems() == []
    whole_again()


def test_a_home_with_brackets_in_its_name_is_printed_as_it_is():
    with temporary_home() as folder:
        home = folder / "dry[bold]dock"
        home.mkdir(mode=0o711)
        try:
            done = Command(home).run("--month", "2013-02")
            assert done.code == 0, done
            assert f"chart             {home}/runs/latest/throughput.png" in done.out
        finally:
            cloud.stop(home)


def test_the_database_is_killed(command, lab, whole_again):
    whole_again()
    postmaster(command.home).kill()
    whole_again()


def test_the_database_is_stopped(lab, whole_again):
    whole_again()
    lab.client("rds").stop_db_instance(DBInstanceIdentifier=lookup_database.INSTANCE)
    whole_again()


def test_the_database_is_lost(command, whole_again):
    whole_again()
    cloud.stop(command.home)
    shutil.rmtree(command.home / "rds" / lookup_database.INSTANCE)
    whole_again()


def test_the_port_is_taken():
    with socket.socket() as taken, temporary_home() as home:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        Command(home).run(DRYDOCK_PORT=port).fails(3, port, "DRYDOCK_PORT")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_the_disk_is_full():
    with temporary_home() as home:
        small = home / "small"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("this root may not mount a small disk to fill")
        try:
            small.chmod(0o711)
            command = Command(small)
            command.run("--month", "2013-01").fails(3, "space")
            subprocess.run(["mount", "-o", "remount,size=1g", small], check=True)
            assert command.run("--month", "2013-01").code == 0
        finally:
            cloud.stop(small)
            subprocess.run(["umount", small], check=True)


def test_reset_removes_everything_and_the_next_run_makes_it_again(command, lab, whole_again):
    mine = command.home / "mine.txt"  # not the local cloud's, so it stays
    mine.write_text("keep")
    stopped = ended(command.start("reset", "--all", "--yes"))
    assert stopped.code == 0, stopped
    assert list(command.home.iterdir()) == [mine]
    assert processes_of(command.home) == []
    whole_again()
