"""Things die in mid-run: one clear line, nothing lost or doubled, the next run works."""

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
from drydock.lab import CLUSTER
from drydock.pipeline import lookup_database
from drydock.pipeline.run import only_run

ALL = [word for month in MONTHS for word in ("--month", month)]


def tasks(lab, status: str) -> list[str]:
    ecs = lab.client("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, family="drydock-etl")["taskArns"]
    if not arns:
        return []
    found = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return [task["taskArn"] for task in found if task["lastStatus"] == status]


def started_run(command: Command, lab) -> subprocess.Popen:
    """A run of which at least one task is RUNNING."""
    process = command.start("run", "--no-notebook", *ALL)
    wait_for(lambda: tasks(lab, "RUNNING"), "a running task", 60)
    return process


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
