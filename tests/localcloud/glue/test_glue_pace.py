"""Glue jobs against the clock, and over the death of the server."""

import pytest
from glue_lab import GlueLab
from live import kill, processes_of, wait_for

from drydock import cloud

WAIT = "print('started', flush=True)\nimport time; time.sleep(600)\n"


@pytest.fixture
def glue(home, monkeypatch):
    """Glue whose minutes last a second."""
    monkeypatch.setenv("DRYDOCK_GLUE_PACE", "60")
    info = cloud.start(home, port=0)
    for name, value in cloud.environment(info).items():
        monkeypatch.setenv(name, value)
    return GlueLab()


def test_a_run_ends_at_its_timeout(glue):
    name = glue.job("slow", WAIT, Timeout=100, MaxRetries=1)
    run = glue.run(name, Timeout=1)
    assert (run["JobRunState"], run["Timeout"]) == ("TIMEOUT", 1)
    assert run["ExecutionTime"] >= 1
    assert glue.said(run["Id"])["/aws-glue/python-jobs/output"] == ["started"]
    assert len(glue.client.get_job_runs(JobName=name)["JobRuns"]) == 1


def test_a_run_is_failed_and_nothing_of_it_is_left_when_the_server_was_killed(
    glue, home, monkeypatch
):
    name = glue.job("lasts", WAIT, MaxRetries=1)
    run = glue.start(name)
    glue.wait(name, run, "RUNNING")
    done = glue.run(glue.job("done", "print(1)"))
    before = cloud.start(home, port=0)
    kill(before)
    after = cloud.start(home, port=0)
    for variable, value in cloud.environment(after).items():
        monkeypatch.setenv(variable, value)
    glue.connect()
    lost = glue.look(name, run)
    assert lost["JobRunState"] == "FAILED"
    assert lost["ErrorMessage"].startswith("The local cloud ended while this run was running")
    kept = glue.look("done", done["Id"])
    assert (kept["JobRunState"], kept["ExecutionTime"]) == ("SUCCEEDED", done["ExecutionTime"])
    left = [process.pid for process in processes_of(home / "glue")]
    assert left == []
    assert glue.wait(name, glue.start(name), "RUNNING")["Attempt"] == 0
    cloud.stop(home)
    wait_for(lambda: processes_of(home) == [], "the end of every process")
